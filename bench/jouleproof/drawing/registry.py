"""What figures there are, read off their files without running them.

A figure's file holds a docstring (the caption), TITLE, SOURCES (the results that it reads, as `<study>/<experiment>`)
and a function: `draw`, which returns a matplotlib Figure, or `tabulate`, which returns a DataFrame of text. The
function gets the tables in the order of SOURCES. A study of the user's own holds such files in a folder `figures` of its
package.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from jouleproof import plugins
from jouleproof.errors import UserError

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Figure:
    """name: `<study>/<file>`. module: what draws it. sources: results that it reads."""

    name: str
    kind: Literal["figure", "table"]
    title: str
    caption: str
    sources: tuple[str, ...]
    module: str

    @property
    def study(self) -> str:
        return self.name.partition("/")[0]


@cache
def registry(own: tuple[str, ...] = ()) -> Mapping[str, Figure]:
    """By name, sorted; then those of the packages `own`. Raises UserError where a file of the user's lacks a part."""
    found = [
        _read(path, path.parent.name, f"{__package__}.{path.parent.name}")
        for path in sorted(FOLDER.glob("*/*.py"))
        if path.stem != "__init__"
    ]
    for package in own:
        study = package.rpartition(".")[2]
        folder = plugins.module_file(f"{package}.experiments")
        for path in sorted(folder.parent.glob("figures/*.py")) if folder else []:
            if path.stem != "__init__":
                try:
                    found.append(_read(path, study, f"{package}.figures"))
                except (ValueError, SyntaxError) as error:
                    raise UserError(f"config: own_studies.{package}: {error}") from error
    return {figure.name: figure for figure in found}


def _read(path: Path, study: str, package: str) -> Figure:
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
        name=f"{study}/{path.stem}",
        kind="figure" if functions == {"draw"} else "table",
        title=constants["TITLE"],
        caption=" ".join(caption.split()),
        sources=tuple(constants["SOURCES"]),
        module=f"{package}.{path.stem}",
    )
