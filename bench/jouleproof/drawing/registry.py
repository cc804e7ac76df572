"""Registry of the figures, read from their files without running them.

A figure's file holds a docstring (the caption), TITLE, SOURCES (the results that it reads, as `<study>/<experiment>`)
and a function: `draw`, which returns a matplotlib Figure, or `tabulate`, which returns a DataFrame of text. The
function receives the tables in the order of SOURCES. The files of a built-in study are in figures/<study>/, those of a
user's study in the folder `figures` of its package. They are run by their path and do not import each other: code that
two figures share is in a module of jouleproof.drawing or, for a user's study, in its package.
"""

import ast
import importlib.util
import sys
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jouleproof.errors import UserError, contained, reason

PARTS = "a figure needs a docstring, TITLE, SOURCES, and either draw or tabulate"


@dataclass(frozen=True)
class Figure:
    """A figure or a table of text, as its file describes it.

    name: `<study>/<file>`. sources: results that it reads. path: the file.
    """

    name: str
    kind: Literal["figure", "table"]
    title: str
    caption: str
    sources: tuple[str, ...]
    path: Path

    @property
    def study(self) -> str:
        return self.name.partition("/")[0]


def folders_in(figures: Path) -> dict[str, Path]:
    """Sub-folders, one per study, by name."""
    return {path.name: path for path in sorted(figures.glob("[a-z]*")) if path.is_dir()}


def registry(folders: Mapping[str, Path]) -> Mapping[str, Figure]:
    """Read every figure by name, studies in the order given. folders: of the files, by study.

    Raises UserError, with the file, if one lacks a part.
    """
    figures = [
        _read(path, study)
        for study, folder in folders.items()
        for path in sorted(folder.glob("*.py"))
        if path.stem != "__init__"
    ]
    return {figure.name: figure for figure in figures}


def by_sources(
    figures: Mapping[str, Figure], cheap: Collection[str] = ()
) -> Mapping[tuple[str, tuple[str, ...]], list[Figure]]:
    """Group figures and tables of a study that read the same results, apart from cheap ones. The keys are the study and
    these results, sorted.

    cheap: results that take seconds to make, so that another figure may require them too.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[Figure]] = {}
    for figure in figures.values():
        sources = tuple(sorted(set(figure.sources) - set(cheap)))
        groups.setdefault((figure.study, sources), []).append(figure)
    return groups


def load(figure: Figure) -> Any:
    """Run the file as a module. Raises UserError, with the file and the line, if that fails."""
    spec = importlib.util.spec_from_file_location(figure.name, figure.path)  # the slash keeps imports from finding it
    if spec is None or spec.loader is None:
        raise UserError(f"figures: {figure.path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[figure.name] = module  # dataclasses look up the types of their fields there
    try:
        with contained("it"):
            spec.loader.exec_module(module)
    except Exception as error:  # a user's file can break in any way
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == spec.origin]
        where = f"{figure.path}, line {lines[-1]}" if lines else figure.path
        raise UserError(f"figures: {where}: cannot be loaded: {reason(error)}") from error
    return module


def built_in_figure(name: str) -> Any:
    """Load the module of a built-in figure in this checkout, by `<study>/<file>`."""
    return load(registry(folders_in(Path(__file__).resolve().parents[3] / "figures"))[name])


def _read(path: Path, study: str) -> Figure:
    try:
        return _parsed(path, study)
    except SyntaxError as error:
        raise UserError(f"figures: {path}: line {error.lineno}: {error.msg}") from error
    except (OSError, ValueError) as error:
        raise UserError(f"figures: {path}: {' '.join(str(error).split())}") from error


def _parsed(path: Path, study: str) -> Figure:
    """Parse the file. Raises ValueError if it lacks a part."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("TITLE", "SOURCES")
    }
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} & {"draw", "tabulate"}
    caption, title, sources = ast.get_docstring(tree), constants.get("TITLE"), constants.get("SOURCES")
    if not caption or not title or not sources or len(functions) != 1:
        raise ValueError(PARTS)
    if not isinstance(sources, list | tuple) or not all(isinstance(name, str) and "/" in name for name in sources):
        raise ValueError(f"SOURCES is {sources!r:.80}, not a list of `<study>/<experiment>`")
    return Figure(
        name=f"{study}/{path.stem}",
        kind="figure" if functions == {"draw"} else "table",
        title=str(title),
        caption=" ".join(caption.split()),
        sources=tuple(sources),
        path=path,
    )
