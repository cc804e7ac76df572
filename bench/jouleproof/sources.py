"""Which files a function is made of: its own module, and those of all that it uses, followed name by name.

An import is followed to the module that defines the name, through package faces: `from jouleproof.formats import
quantize` leads to `formats/array.py`, not to all that `formats/__init__.py` imports. Of a module only what is used is
followed on; what stands outside functions and classes and defines no name always is. Texts that name a module of the
project (`jouleproof.studies.mx.wire_rank`, `jouleproof.inputs.readers:read_trace`) are followed too. Texts that name a
file in the module's folder, in its `facts` or in its parent's make that file a part.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from jouleproof import plugins

PACKAGE = "jouleproof"
FOLDER = Path(__file__).resolve().parent
EVERYTHING = "*"  # in place of a symbol: all that a module defines


def sources(*names: str, packages: Iterable[str] = ()) -> list[str]:
    """Absolute paths of the files that these objects are made of, sorted.

    names: `module:symbol`, a whole module, or the absolute path of a file that is run by its path. Followed are modules
    of the project, of the packages that the objects lie in, and of `packages`. Raises ValueError on a module that is
    not there.
    """
    pairs = reached(*names, packages=packages)
    return sorted({str(path) for module, symbol in pairs for path in _files(module, symbol)})


def code_named_in(config: BaseModel) -> list[str]:
    """The same of all `package.module:object` names that a config holds, whichever key holds them."""
    return sources(*(name for _, name in plugins.own_names("", config.model_dump()) if plugins.source_file(name)))


def reached(*names: str, packages: Iterable[str] = ()) -> set[tuple[str, str]]:
    """All that the objects use, in the project and in their own packages, as pairs of module and symbol."""
    homes = {PACKAGE, *(name.partition(":")[0].partition(".")[0] for name in (*names, *packages))}
    pairs: set[tuple[str, str]] = set()
    waiting = []
    for name in names:
        module, _, symbol = name.partition(":")
        if _path(module) is None:
            raise ValueError(f"module {module} is not there")
        waiting.append((module, symbol or EVERYTHING))
    while waiting:
        pair = waiting.pop()
        if pair not in pairs and pair[0].partition(".")[0] in homes and _path(pair[0]) is not None:
            pairs.add(pair)
            waiting += _uses(*pair)
    return pairs


def statements_of(module: str, symbol: str) -> list[ast.AST]:
    """What defines a symbol that was reached; none where the module only imports it."""
    return _described(module).statements(symbol)


@cache
def _uses(module: str, symbol: str) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(_described(module).uses(symbol)))


@cache
def _files(module: str, symbol: str) -> tuple[Path, ...]:
    """The module's file where it defines the symbol, and the files of data that the definition names."""
    path, statements = _path(module), _described(module).statements(symbol)
    assert path is not None
    if not statements:
        return ()
    return (path, *(file for one in statements for text in _texts(one) for file in _beside(path.parent, text)))


@dataclass
class _Module:
    """A module's file in parts. defined: statements by the name that they define. imported: by the name in this module,
    the module and the symbol that it stands for (EVERYTHING: the module itself). loose: statements that define none."""

    name: str
    defined: dict[str, list[ast.AST]] = field(default_factory=dict)
    imported: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    loose: list[ast.AST] = field(default_factory=list)

    def statements(self, symbol: str) -> list[ast.AST]:
        """What defines the symbol, its own part of the file; empty where the module only imports it."""
        if symbol == EVERYTHING:
            return [*self.loose, *(statement for part in self.defined.values() for statement in part)]
        return [*self.loose, *self.defined.get(symbol, [])] if symbol in self.defined else []

    def uses(self, symbol: str) -> list[tuple[str, str]]:
        """Pairs of module and symbol that the symbol leads to at once."""
        if symbol != EVERYTHING and symbol not in self.defined:
            return self._imported_as(symbol)
        leads: list[tuple[str, str]] = []
        if symbol == EVERYTHING:
            read = {name for statement in self.statements(symbol) for name, _ in _names_in(statement)}
            leads += [pair for name, pairs in self.imported.items() if name not in read for pair in pairs]
        elif symbol in self.imported:  # one of two ways to have it
            leads += self.imported[symbol]
        for statement in self.statements(symbol):
            local = _imports_of(statement, self.name)
            for name, attribute in _names_in(statement):
                if name in local:
                    leads += _with_attribute(local[name], attribute)
                    continue
                if name in self.defined and name != symbol:
                    leads.append((self.name, name))
                leads += _with_attribute(self.imported.get(name, []), attribute)
            leads += _modules_in_texts(statement)
        return leads

    def _imported_as(self, symbol: str) -> list[tuple[str, str]]:
        """What a face hands on; a symbol that it cannot be seen to have may be any of its modules."""
        if symbol in self.imported:
            return self.imported[symbol]
        if _path(f"{self.name}.{symbol}"):
            return [(f"{self.name}.{symbol}", EVERYTHING)]
        return [(self.name, EVERYTHING)]


@cache
def _described(module: str) -> _Module:
    path = _path(module)
    assert path is not None
    described = _Module(module)
    for statement in _top_level(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for name, pairs in _imports_of(statement, module).items():
                described.imported.setdefault(name, []).extend(pairs)
        elif names := _defined_names(statement):
            for name in names:
                described.defined.setdefault(name, []).append(statement)
        else:
            described.loose.append(statement)
    return described


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module, those in its `if` and `try` included, without what only a type checker sees."""
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
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return []
    return [node.id for target in targets if target is not None for node in ast.walk(target)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]  # fmt: skip


@cache
def _imports_of(tree: ast.AST, module: str) -> dict[str, list[tuple[str, str]]]:
    """Names that the imports within a statement bind, and what they stand for."""
    path = _path(module)
    package = module if path is not None and path.stem == "__init__" else module.rpartition(".")[0]
    bound: dict[str, list[tuple[str, str]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                bound.setdefault(name, []).append((alias.name, EVERYTHING))
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                pair = (inner, EVERYTHING) if alias.name != "*" and _path(inner) else (source, alias.name)
                bound.setdefault(alias.asname or alias.name, []).append(pair)
    return bound


def _with_attribute(pairs: list[tuple[str, str]], attribute: str | None) -> list[tuple[str, str]]:
    """`module.attribute` is that symbol of the module, where the module is not used as a whole."""
    return [
        (module, attribute) if symbol == EVERYTHING and attribute and not _path(f"{module}.{attribute}") else
        (f"{module}.{attribute}", EVERYTHING) if symbol == EVERYTHING and attribute else (module, symbol)
        for module, symbol in pairs
    ]  # fmt: skip


@cache
def _names_in(statement: ast.AST) -> tuple[tuple[str, str | None], ...]:
    return tuple(dict.fromkeys(_names(statement)))


def _names(tree: ast.AST, bound: frozenset[str] = frozenset()) -> Iterator[tuple[str, str | None]]:
    """Every name that is read within a statement, with the attribute that is taken of it, if one is.

    Annotations are left out, as they decide no value, and so are parameters (`bound`).
    """
    if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        bound = bound | {node.arg for node in ast.walk(tree.args) if isinstance(node, ast.arg)}
    if isinstance(tree, ast.Name) and isinstance(tree.ctx, ast.Load):
        if tree.id not in bound:
            yield tree.id, None
    elif isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name):
        if tree.value.id not in bound:
            yield tree.value.id, tree.attr
    else:
        for name, value in ast.iter_fields(tree):
            if name not in ("annotation", "returns"):
                for node in value if isinstance(value, list) else [value]:
                    if isinstance(node, ast.AST):
                        yield from _names(node, bound)


@cache
def _texts(statement: ast.AST) -> tuple[str, ...]:
    """Texts that may name a module or a file: of one word with a dot in it."""
    return tuple(
        node.value
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and len(node.value) < 200
        and "." in node.value
        and not set(node.value) & {" ", "\n"}
    )


def _modules_in_texts(statement: ast.AST) -> Iterator[tuple[str, str]]:
    for text in _texts(statement):
        module, colon, symbol = text.partition(":")
        if module.startswith(f"{PACKAGE}.") and _path(module):
            yield module, symbol if colon else EVERYTHING


def _beside(folder: Path, text: str) -> Iterator[Path]:
    """Files that a text names, in the folder of a module, its facts or its parent's."""
    for base in (folder, folder / "facts", folder.parent, folder.parent / "facts"):
        path = base / text
        if path.is_file() and path.parent in (folder, folder / "facts", folder.parent, folder.parent / "facts"):
            yield path
            return


@cache
def _path(module: str) -> Path | None:
    """The file of a module, found without running it or the packages around it."""
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
    """The folder of a package of the user's without an `__init__`."""
    return next((Path(entry or ".", top).resolve() for entry in sys.path if Path(entry or ".", top).is_dir()), None)
