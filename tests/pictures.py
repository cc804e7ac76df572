"""The built-in figures, for tests of what they draw from a table."""

from functools import cache
from pathlib import Path

from jouleproof.drawing.registry import built_in_folders, load, registry

FIGURES = registry(built_in_folders(Path(__file__).resolve().parent.parent))


@cache
def picture(name):
    """Load the module of a figure's file, by `<study>/<file>`."""
    return load(FIGURES[name])
