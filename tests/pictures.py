"""The built-in figures, for tests of what they draw from a table."""

from functools import cache
from pathlib import Path

from jouleproof.drawing.registry import folders_in, load, registry

FIGURES = registry(folders_in(Path(__file__).resolve().parent.parent / "figures"))


@cache
def picture(name):
    """Load the module of a figure's file, by `<study>/<file>`."""
    return load(FIGURES[name])
