"""Names in the config to objects: a built-in name, or `package.module:object`, which runs the user's own code."""

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from bench.errors import UserError

T = TypeVar("T")


def load(kind: str, name: str, builtins: Mapping[str, T]) -> T:
    """The object that `name` stands for. kind: what it is, for the message ("format", "scale rule").

    Raises UserError where the name is neither built in nor importable.
    """
    if name in builtins:
        return builtins[name]
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise UserError(
            f"config: {kind} {name!r:.80} is not known; built in: {', '.join(builtins)}; "
            "or name your own as package.module:object"
        )
    _import_from_working_folder()
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # a user's module can break in any way
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"config: {kind} {name!r:.80} cannot be loaded: {reason:.300}") from error


def load_all(kind: str, names: Iterable[str], builtins: Mapping[str, T], of: type[T]) -> Mapping[str, T]:
    """By name; one's own by the name of the object alone. Raises UserError where an object is of another type."""
    found: dict[str, T] = {}
    for name in names:
        each = load(kind, name, builtins)
        if not isinstance(each, of):
            raise UserError(f"config: {kind} {name!r} is a {type(each).__name__}, not a {of.__module__}.{of.__name__}")
        found[name.rpartition(":")[2]] = each
    return found


def source_file(name: str) -> Path | None:
    """The file that a `package.module:object` name comes from; None for a built-in name."""
    module_name, colon, _ = name.partition(":")
    if not colon:
        return None
    _import_from_working_folder()
    try:
        spec = importlib.util.find_spec(module_name)
    except Exception:  # `load` says what is wrong with it
        spec = None
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def _import_from_working_folder() -> None:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
