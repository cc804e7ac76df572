"""Resolve names in the config to objects: a built-in name, or `package.module:object`, which runs user code.

Messages state the key of the config, its value, and what the object lacks.
"""

import difflib
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

from jouleproof.errors import Ended, UserError, contained, duplicates, reason

T = TypeVar("T")
_CUSTOM = re.compile(r"[\w.]+:\w+")


def load(kind: str, name: str, builtins: Mapping[str, T]) -> T:
    """Return the object that `name` stands for. kind: the kind of object, for the message ("format", "scale rule").

    Raises UserError if the name is neither built in nor importable.
    """
    if name in builtins:
        return builtins[name]
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise UserError(
            f"config: {kind} {name!r:.80} is not known; built in: {', '.join(builtins)}; "
            "or give a custom one as package.module:object"
        )
    try:
        with contained("it"):
            module = load_module(module_name)
    except Exception as error:  # a user's module can break in any way
        lacking = _public(error.obj, error.name) if isinstance(error, AttributeError) and error.name else ""
        why = f"{reason(error)}{_line(error)}{lacking}{_with_dots(module_name, attribute)}"
        raise UserError(f"config: {kind} {name!r:.80} cannot be loaded: {why}") from error
    try:
        with contained("it"):
            return getattr(module, attribute)
    except Exception as error:  # so can its __getattr__
        why = reason(error) + _public(module, attribute)
        raise UserError(f"config: {kind} {name!r:.80} cannot be loaded: {why}") from error


def load_all(
    kind: str,
    names: Iterable[str],
    builtins: Mapping[str, T],
    of: type[T],
    calls: Mapping[str, Sequence[str]] | None = None,
    called: Callable[[T], str] | None = None,
) -> Mapping[str, T]:
    """Load objects by name: a built-in name as it is, otherwise the name of the object without its module.

    calls: attributes that must be functions, with the arguments that they take. called: returns the object's name for
    itself, to be used instead.
    Raises UserError if an object has another type, if one of its functions does not take these arguments, or if two
    names collide.
    """
    pairs = []
    for name in names:
        candidate = load(kind, name, builtins)
        if not isinstance(candidate, of):
            raise UserError(
                f"config: {kind} {name!r} is a {type(candidate).__name__}, not a {of.__module__}.{of.__name__}"
            )
        for method, arguments in (calls or {}).items():
            check_call(f"{kind} {name!r}: {method}", getattr(candidate, method), arguments)
        pairs.append((called(candidate) if called else _short(name), candidate))
    return _distinct(kind, pairs)


def load_functions(
    kind: str, names: Iterable[str], builtins: Mapping[str, T], arguments: Sequence[str], result: str
) -> Mapping[str, T]:
    """Load functions, keyed by the last part of their names. result: what they return, for the message.

    Raises UserError if a function does not take the arguments, or if two names collide.
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
    if repeated := duplicates(name for name, _ in pairs):
        raise UserError(f"config: {kind}: duplicate name {', '.join(map(repr, repeated))}; list it once, or rename one")
    return dict(pairs)


def check_call(what: str, function: Any, arguments: Sequence[str], result: str = "") -> None:
    """Raise UserError if `function` cannot be called with these arguments. what: its name in the message; result: what
    it should return, for the message."""
    wanted = f"({', '.join(arguments)})" + (f" -> {result}" if result else "")
    if not callable(function):
        raise UserError(f"config: {what} is a {type(function).__name__}, not a function {wanted}")
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise UserError(f"config: {what} cannot be called as {wanted}: {error}") from error
    except ValueError:  # functions in C have no signature
        return


def lacking(candidate: object, protocol: type) -> list[str]:
    """List the members of a Protocol that an object lacks."""
    members = dict.fromkeys([*protocol.__dict__, *getattr(protocol, "__annotations__", {})])
    return [name for name in members if name[0] != "_" and not hasattr(candidate, name)]


def _line(error: Exception) -> str:
    """Return the file and line of a user's module that an error comes from, in brackets; empty if it names them or
    comes from none."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    if not frames or isinstance(error, SyntaxError):
        return ""
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"


def _is_users(file: str) -> bool:
    return file[0] != "<" and file != importlib.__file__ and not Path(file).is_relative_to(Path(__file__).parent)


def _with_dots(module: str, attribute: str) -> str:
    """Return a hint if a module is written as a file."""
    dotted = module.removesuffix(".py").strip("./").replace("/", ".")
    return f"; a module is written with dots: {dotted}:{attribute}" if dotted != module else ""


def _public(holder: Any, attribute: str) -> str:
    """List the public attributes of an object, or what a module defines, with names like the wanted one first."""
    names = [name for name in dir(holder) if name[0] != "_"]
    if inspect.ismodule(holder):
        names = [name for name, value in vars(holder).items() if name[0] != "_" and _belongs(value, holder)]
    close = difflib.get_close_matches(attribute, names, cutoff=0.5)
    return f"; it has {', '.join(dict.fromkeys([*close, *names])) or 'no public object':.200}"


def _belongs(value: Any, module: Any) -> bool:
    """Return whether a module defines a value, or holds one that is no function, class or module."""
    if inspect.isclass(value) or inspect.isroutine(value):
        return getattr(value, "__module__", "") == module.__name__
    return not inspect.ismodule(value)


def load_module(name: str) -> Any:
    """Import a user's module, with the working folder searched first. Raises whatever the module raises."""
    _import_from_working_folder()
    return importlib.import_module(name)


@contextmanager
def blamed(study: str, config: Mapping[str, Any], what: str = "the experiment") -> Iterator[None]:
    """Add a note to an error in user code that says which name in the config refers to that code. Raises Ended if the
    code ends the program. what: the code that is called, for the message."""
    try:
        with contained(what):
            yield
    except Ended as error:
        names = [f"{key}: {name!r}" for key, name in _at_fault(study, config, error)]
        raise Ended(f"{', '.join(names)}: {error}" if names else str(error)) from error
    except UserError:
        raise
    except Exception as error:
        for key, name in _at_fault(study, config, error):
            error.add_note(f"config: {key}: {name!r} failed: {reason(error)}")
        raise


def _at_fault(study: str, config: Mapping[str, Any], error: Exception) -> list[tuple[str, str]]:
    """List the names in a config, with their keys, whose files are in the stack trace of an error."""
    trace = "".join(traceback.format_exception(error))  # includes the trace of a child process, as text
    return [
        (key, name)
        for key, name in custom_names(study, config)
        if (file := source_file(name)) and f'File "{file}"' in trace
    ]


def custom_names(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every `package.module:object` name in a value of a config, with its key. key: that of the value itself."""
    if isinstance(value, str):
        if _CUSTOM.fullmatch(value):
            yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from custom_names(key, name)
            yield from custom_names(f"{key}.{name}", inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from custom_names(key, inner)


def source_file(name: str) -> Path | None:
    """Return the file that a `package.module:object` name comes from; None for a built-in name."""
    module_name, colon, _ = name.partition(":")
    return module_file(module_name) if colon else None


def module_file(name: str) -> Path | None:
    """Return the file of a module without running the module, although its parent packages are run; None if there is
    none."""
    _import_from_working_folder()
    try:
        with contained(name):
            spec = importlib.util.find_spec(name)
    except Exception:  # `load` reports what is wrong with it
        spec = None
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def look_beside(folder: Path) -> None:
    """Make this process and its children import modules from a folder and find this environment's commands first."""
    sys.path.insert(0, str(folder))
    commands = str(Path(sys.executable).parent)
    for name, entry in (("PYTHONPATH", str(folder)), ("PATH", commands)):
        os.environ[name] = os.pathsep.join([entry, *filter(None, [os.environ.get(name)])])


def _import_from_working_folder() -> None:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
