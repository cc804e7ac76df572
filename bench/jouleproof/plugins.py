"""Names in the config to objects: a built-in name, or `package.module:object`, which runs the user's own code.

Messages name the key of the config, the name that it holds, and what the object lacks.
"""

import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from jouleproof.errors import UserError

T = TypeVar("T")
_OWN = re.compile(r"[\w.]+:\w+")


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
    try:
        return getattr(load_module(module_name), attribute)
    except Exception as error:  # a user's module can break in any way
        raise UserError(f"config: {kind} {name!r:.80} cannot be loaded: {reason(error)}") from error


def load_all(
    kind: str,
    names: Iterable[str],
    builtins: Mapping[str, T],
    of: type[T],
    calls: Mapping[str, Sequence[str]] | None = None,
    called: Callable[[T], str] | None = None,
) -> Mapping[str, T]:
    """Objects by what they are called: built-in names as they are, of others the name of the object alone.

    calls: which parts are functions, and of what. called: what an object calls itself, where that counts instead.
    Raises UserError where an object is of another type, a function of it does not take what it is given, or two of
    the names make one.
    """
    pairs = []
    for name in names:
        thing = load(kind, name, builtins)
        if not isinstance(thing, of):
            raise UserError(f"config: {kind} {name!r} is a {type(thing).__name__}, not a {of.__module__}.{of.__name__}")
        for part, arguments in (calls or {}).items():
            check_call(f"{kind} {name!r}: {part}", getattr(thing, part), arguments)
        pairs.append((called(thing) if called else _short(name), thing))
    return _distinct(kind, pairs)


def load_functions(
    kind: str, names: Iterable[str], builtins: Mapping[str, T], arguments: Sequence[str], result: str
) -> Mapping[str, T]:
    """Functions by the last part of their names. result: what they return, for the message.

    Raises UserError where one does not take the arguments, or two of the names make one.
    """
    pairs = []
    for name in names:
        function = load(kind, name, builtins)
        check_call(f"{kind} {name!r}", function, arguments, result)
        pairs.append((_short(name), function))
    return _distinct(kind, pairs)


def _short(name: str) -> str:
    return name.rpartition(":")[2]


def _distinct(kind: str, pairs: Sequence[tuple[str, T]]) -> Mapping[str, T]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"config: two {kind}s are called {', '.join(twice)}; each needs a name of its own")
    return dict(pairs)


def check_call(what: str, function: Any, arguments: Sequence[str], result: str = "") -> None:
    """Raises UserError where `function` cannot be called with so many arguments. what: names it; result: what it is to
    return, for the message."""
    wanted = f"({', '.join(arguments)})" + (f" -> {result}" if result else "")
    if not callable(function):
        raise UserError(f"config: {what} is a {type(function).__name__}, not a function {wanted}")
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise UserError(f"config: {what} cannot be called as {wanted}: {error}") from error
    except ValueError:  # functions in C do not tell
        return


def lacking(candidate: object, protocol: type) -> list[str]:
    """Which parts of a Protocol an object has not."""
    parts = [part for part in (*protocol.__dict__, *getattr(protocol, "__annotations__", {})) if part[0] != "_"]
    return [part for part in dict.fromkeys(parts) if not hasattr(candidate, part)]


def load_module(name: str) -> Any:
    """One of the user's own, looked for in the working folder first. Raises whatever it raises."""
    _import_from_working_folder()
    return importlib.import_module(name)


def reason(error: Exception) -> str:
    """An exception of the user's own code as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


@contextmanager
def blamed(study: str, config: Mapping[str, Any]) -> Iterator[None]:
    """Says under the stack trace of an error in the user's own code which name of the config stands for that code."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        trace = "".join(traceback.format_exception(error))  # that of another process too, which is in it as text
        for key, name in own_names(study, config):
            if (file := source_file(name)) and f'File "{file}"' in trace:
                error.add_note(f"config: {key}: {name!r} failed: {reason(error)}")
        raise


def own_names(key: str, part: Any) -> Iterator[tuple[str, str]]:
    """Keys of a part of a config, whose own key is `key`, and the `package.module:object` names that stand there."""
    if isinstance(part, str):
        if _OWN.fullmatch(part):
            yield key, part
    elif isinstance(part, Mapping):
        for name, inner in part.items():
            yield from own_names(key, name)
            yield from own_names(f"{key}.{name}", inner)
    elif isinstance(part, Sequence):
        for inner in part:
            yield from own_names(key, inner)


def data_files(config: Any) -> list[Path]:
    """Files that a config names (`folder/file` or `file.suffix`), whichever key holds them, in its order."""
    return list(dict.fromkeys(Path(text) for text in _texts(config) if re.search(r"[./]", text) and _is_file(text)))


def _texts(config: Any) -> Iterator[str]:
    if isinstance(config, str):
        yield config
    elif isinstance(config, Mapping):
        for value in config.values():
            yield from _texts(value)
    elif isinstance(config, Sequence):
        for value in config:
            yield from _texts(value)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # longer than a name may be, or with a zero byte
        return False


def source_file(name: str) -> Path | None:
    """The file that a `package.module:object` name comes from; None for a built-in name."""
    module_name, colon, _ = name.partition(":")
    return module_file(module_name) if colon else None


def module_file(name: str) -> Path | None:
    """Where a module lies, found without running it, though the packages around it are run; None where it is not."""
    _import_from_working_folder()
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # `load` says what is wrong with it
        spec = None
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def look_beside(folder: Path) -> None:
    """Let this process and those that it starts find modules in a folder, and this environment's commands first."""
    sys.path.insert(0, str(folder))
    commands = str(Path(sys.executable).parent)
    for name, entry in (("PYTHONPATH", str(folder)), ("PATH", commands)):
        os.environ[name] = os.pathsep.join([entry, *filter(None, [os.environ.get(name)])])


def _import_from_working_folder() -> None:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
