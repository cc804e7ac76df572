"""Groups of commands whose paths may begin with `~`, which a shell leaves as it is in `--out=~/table.parquet`."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import typer

from jouleproof.errors import print_substitutes
from jouleproof.paths import home_expanded


class Commands(typer.Typer):
    """A group of commands that receive paths with `~` replaced, and whose help any terminal can show."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        print_substitutes()
        return super().__call__(*arguments, **options)

    def command(self, *arguments: Any, **options: Any) -> Callable[[Any], Any]:
        """Register a function as a command."""
        register = super().command(*arguments, **options)
        return lambda function: register(_with_homes(function))


def _with_homes(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        return function(*map(_home, arguments), **{name: _home(value) for name, value in options.items()})

    return call


def _home(value: Any) -> Any:
    if isinstance(value, list):
        return [_home(item) for item in value]
    return home_expanded(value) if isinstance(value, Path) else value
