"""Find the files that a function depends on: its module, and the modules of everything that it uses, name by name.

An import is followed to the module that defines the name, through the `__init__` of packages: `from jouleproof.formats
import quantize` leads to `formats/array.py`, not to everything that `formats/__init__.py` imports. Within a module,
only names that are used are followed, and statements that define no name always are. Strings that name a module of
the project (`jouleproof.studies.mx.wire_rank`, `jouleproof.inputs.readers:read_trace`) are followed too. A string that
names a file in the module's folder, in the `facts` folder there or in the parent folder adds that file.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from jouleproof import plugins

PACKAGE = "jouleproof"
FOLDER = Path(__file__).resolve().parent
EVERYTHING = "*"  # in place of a name: everything that a module defines
DOTTED = re.compile(r"(?=[^.]*\.)[^ \n]{,199}")  # a string that may name a module or a file


class Symbol(NamedTuple):
    """A name in a module."""

    module: str
    name: str = EVERYTHING


def sources(*names: str, packages: Iterable[str] = ()) -> list[str]:
    """Return the absolute paths of the files that these objects depend on, sorted.

    names: `module:symbol`, a whole module, or the absolute path of a file that is run by its path. Modules of the
    project, of the packages that contain the objects, and of `packages` are followed. Raises ValueError if a module
    does not exist.
    """
    return sorted({str(path) for symbol in reached(*names, packages=packages) for path in _files(*symbol)})


def code_named_in(config: BaseModel) -> list[str]:
    """Return the files of all `package.module:object` names that a config holds under any key."""
    return sources(*(name for _, name in plugins.custom_names("", config.model_dump()) if plugins.source_file(name)))


def code_of_user(function: str, config: BaseModel) -> list[str]:
    """Return the files outside the project that a function, and the objects that a config names, depend on."""
    of_study = [] if function.startswith(f"{PACKAGE}.") else sources(function)
    files = {*of_study, *code_named_in(config)}
    return sorted(file for file in files if not Path(file).is_relative_to(FOLDER))


def reached(*names: str, packages: Iterable[str] = ()) -> set[Symbol]:
    """Return all symbols that the objects use, in the project and in the objects' packages."""
    homes = {PACKAGE, *(name.partition(":")[0].partition(".")[0] for name in (*names, *packages))}
    waiting = []
    for name in names:
        module, _, inner = name.partition(":")
        if _path(module) is None:
            raise ValueError(f"no module {module}")
        waiting.append(Symbol(module, inner or EVERYTHING))
    symbols: set[Symbol] = set()
    while waiting:
        symbol = waiting.pop()
        if symbol not in symbols and symbol.module.partition(".")[0] in homes and _path(symbol.module) is not None:
            symbols.add(symbol)
            waiting += _uses(*symbol)
    return symbols


def statements_of(module: str, name: str) -> list[ast.AST]:
    """Statements that define a symbol that was reached; none if the module only imports it."""
    return _described(module).statements(name)


@cache
def _uses(module: str, name: str) -> tuple[Symbol, ...]:
    return tuple(dict.fromkeys(_described(module).uses(name)))


@cache
def _files(module: str, name: str) -> tuple[Path, ...]:
    """Return the module's file if it defines the symbol, and the data files that the definition names."""
    path, statements = _path(module), statements_of(module, name)
    assert path is not None
    if not statements:
        return ()
    return (path, *(file for one in statements for text in _texts(one) for file in _beside(path.parent, text)))


@dataclass
class _Module:
    """The parts of a module's file. defined: statements by the name that they define. imported: by the name in this
    module, the symbols that it may stand for. loose: statements that define no name."""

    name: str
    defined: dict[str, list[ast.AST]] = field(default_factory=dict)
    imported: dict[str, list[Symbol]] = field(default_factory=dict)
    loose: list[ast.AST] = field(default_factory=list)

    def statements(self, name: str) -> list[ast.AST]:
        """Statements that define the name, with all loose ones; empty if the module only imports it."""
        if name != EVERYTHING and name not in self.defined:
            return []
        groups = self.defined.values() if name == EVERYTHING else [self.defined[name]]
        return [*self.loose, *(statement for group in groups for statement in group)]

    def uses(self, name: str) -> Iterator[Symbol]:
        """Yield the symbols that the name refers to directly."""
        if name == EVERYTHING:
            read = {used for statement in self.statements(name) for used, _ in _names_in(statement)}
            yield from (symbol for unread in self.imported.keys() - read for symbol in self.imported[unread])
        elif name in self.defined:
            yield from self.imported.get(name, [])  # it may also be imported in another branch
        else:
            yield from self._handed_on(name)
        for statement in self.statements(name):
            local = _imports_of(statement, self.name)
            for used, attribute in _names_in(statement):
                if used in self.defined and used != name and used not in local:
                    yield Symbol(self.name, used)
                yield from _with_attribute(local.get(used) or self.imported.get(used, []), attribute)
            yield from _modules_in_texts(statement)

    def _handed_on(self, name: str) -> list[Symbol]:
        """Symbols that a package's `__init__` imports by this name; a name that is not visible there may be in any of
        its modules."""
        inner = f"{self.name}.{name}"
        return self.imported.get(name) or [Symbol(inner if _path(inner) else self.name)]


@cache
def _described(module: str) -> _Module:
    path = _path(module)
    assert path is not None
    described = _Module(module)
    for statement in _top_level(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for name, symbols in _imports_of(statement, module).items():
                described.imported.setdefault(name, []).extend(symbols)
        elif names := _defined_names(statement):
            for name in names:
                described.defined.setdefault(name, []).append(statement)
        else:
            described.loose.append(statement)
    return described


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, including those in its `if` and `try`, without those that only a type checker
    sees."""
    for statement in body:
        if isinstance(statement, ast.If):
            if "TYPE_CHECKING" in ast.dump(statement.test):
                yield from _top_level(statement.orelse)
            else:
                yield ast.Expr(statement.test)
                yield from _top_level([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Try):
            handlers = [inner for handler in statement.handlers for inner in handler.body]
            yield from _top_level([*statement.body, *handlers, *statement.orelse, *statement.finalbody])
        else:
            yield statement


def _defined_names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            nodes = [node for target in targets for node in ast.walk(target)]
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            nodes = list(ast.walk(target))
        case _:
            return []
    return [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


@cache
def _imports_of(tree: ast.AST, module: str) -> dict[str, list[Symbol]]:
    """Names that the imports in a statement bind, with the symbols that they stand for."""
    path = _path(module)
    package = module if path is not None and path.stem == "__init__" else module.rpartition(".")[0]
    bound: dict[str, list[Symbol]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound.setdefault(alias.asname or alias.name.partition(".")[0], []).append(Symbol(alias.name))
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                symbol = Symbol(inner) if alias.name != "*" and _path(inner) else Symbol(source, alias.name)
                bound.setdefault(alias.asname or alias.name, []).append(symbol)
    return bound


def _with_attribute(symbols: Iterable[Symbol], attribute: str | None) -> Iterator[Symbol]:
    """Resolve `module.attribute` to that symbol of the module, unless the module is used as a whole."""
    for symbol in symbols:
        if symbol.name != EVERYTHING or attribute is None:
            yield symbol
        elif _path(f"{symbol.module}.{attribute}"):
            yield Symbol(f"{symbol.module}.{attribute}")
        else:
            yield Symbol(symbol.module, attribute)


@cache
def _names_in(statement: ast.AST) -> tuple[tuple[str, str | None], ...]:
    return tuple(dict.fromkeys(_names(statement)))


def _names(tree: ast.AST, bound: frozenset[str] = frozenset()) -> Iterator[tuple[str, str | None]]:
    """Yield every name that is read within a statement, with the attribute that is accessed on it, if any.

    Annotations are skipped, since they affect no value, and so are parameters (`bound`).
    """
    if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        bound = bound | {node.arg for node in ast.walk(tree.args) if isinstance(node, ast.arg)}
    match tree:
        case ast.Name(id=name, ctx=ast.Load()):
            yield from [(name, None)] if name not in bound else []
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            yield from [(name, attribute)] if name not in bound else []
        case _:
            for field_name, value in ast.iter_fields(tree):
                for node in value if isinstance(value, list) else [value]:
                    if isinstance(node, ast.AST) and field_name not in ("annotation", "returns"):
                        yield from _names(node, bound)


@cache
def _texts(statement: ast.AST) -> tuple[str, ...]:
    """Strings that may name a module or a file: a single word with a dot in it."""
    constants = (node.value for node in ast.walk(statement) if isinstance(node, ast.Constant))
    return tuple(text for text in constants if isinstance(text, str) and DOTTED.fullmatch(text))


def _modules_in_texts(statement: ast.AST) -> Iterator[Symbol]:
    for text in _texts(statement):
        module, _, name = text.partition(":")
        if module.startswith(f"{PACKAGE}.") and _path(module):
            yield Symbol(module, name or EVERYTHING)


def _beside(folder: Path, text: str) -> Iterator[Path]:
    """Yield the file that a string names, in a module's folder, the folder above, or the `facts` of either."""
    folders = (folder, folder / "facts", folder.parent, folder.parent / "facts")
    yield from [path for base in folders if (path := base / text).is_file() and path.parent in folders][:1]


@cache
def _path(module: str) -> Path | None:
    """Return the file of a module without running the module or its parent packages."""
    if module.startswith("/"):
        return Path(module)
    top, *inner = module.split(".")
    if top == PACKAGE:
        base: Path | None = FOLDER
    else:
        file = plugins.module_file(top)
        base = file.parent if file is not None and file.stem == "__init__" else file and file.with_suffix("")
        base = base or _namespace(top)
    if base is None:
        return None
    base = base.joinpath(*inner)
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _namespace(top: str) -> Path | None:
    """Folder of a user's package without an `__init__`."""
    return next((Path(entry or ".", top).resolve() for entry in sys.path if Path(entry or ".", top).is_dir()), None)
