"""What figures there are, read off their files without running them.

A figure's file holds a docstring (the caption), TITLE, SOURCES (the results that it reads, as `<study>/<experiment>`)
and a function: `draw`, which returns a matplotlib Figure, or `tabulate`, which returns a DataFrame of text. The
function gets the tables in the order of SOURCES.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Figure:
    """name: `<study>/<file>`. sources: results that it reads."""

    name: str
    kind: Literal["figure", "table"]
    title: str
    caption: str
    sources: tuple[str, ...]

    @property
    def module(self) -> str:
        return "figures." + self.name.replace("/", ".")

    @property
    def study(self) -> str:
        return self.name.partition("/")[0]


@cache
def registry() -> Mapping[str, Figure]:
    """By name, sorted."""
    found = [_read(path) for path in sorted(FOLDER.glob("*/*.py")) if path.stem != "__init__"]
    return {figure.name: figure for figure in found}


def _read(path: Path) -> Figure:
    """Raises ValueError where the file lacks a part."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("TITLE", "SOURCES")
    }
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} & {"draw", "tabulate"}
    caption = ast.get_docstring(tree)
    if not caption or set(constants) != {"TITLE", "SOURCES"} or len(functions) != 1:
        raise ValueError(f"{path}: a figure needs a docstring, TITLE, SOURCES, and either draw or tabulate")
    return Figure(
        name=path.relative_to(FOLDER).with_suffix("").as_posix(),
        kind="figure" if functions == {"draw"} else "table",
        title=constants["TITLE"],
        caption=" ".join(caption.split()),
        sources=tuple(constants["SOURCES"]),
    )
