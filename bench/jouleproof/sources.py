"""Which files a module is made of: itself and, through its imports, everything of the project that it runs."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from jouleproof import plugins

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bench", "figures")


def sources(*modules: str) -> list[str]:
    """Files of the dotted modules and of all modules of the project that they import, relative to the root, sorted."""
    return _followed(modules, None)


def own_sources(names: Iterable[str]) -> list[str]:
    """The same of the user's own objects among `names` (`package.module:object`), wherever they lie: the module of
    each, and what it imports of its own package and of the project. Built-in names have none."""
    found: set[str] = set()
    for name in names:
        module, path = name.partition(":")[0], plugins.source_file(name)
        if path is not None:
            above = module.count(".") + (path.stem == "__init__")
            found |= set(_followed([module], (module.split(".")[0], path.parents[above])))
    return sorted(found)


def own_files(config: BaseModel) -> list[str]:
    """The same of all that a study's config names, whichever key holds it."""
    return own_sources(name for _, name in plugins.own_names("", config.model_dump()))


Home = tuple[str, Path] | None  # a package of the user's own, and the folder that it lies in


def _followed(modules: Iterable[str], home: Home) -> list[str]:
    found: dict[str, Path] = {}
    asked = list(modules)
    for module in asked:
        if _file(module, home) is None:
            raise ValueError(f"module {module} is not in {', '.join(PACKAGES)}")
    waiting = [name for module in asked for name in _with_packages(module)]
    while waiting:
        name = waiting.pop()
        path = _file(name, home)
        if name in found or path is None:  # a folder without __init__.py has no file
            continue
        found[name] = path
        waiting += [other for other in _imports(name, path, home) if other not in found]
    return sorted(str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path) for path in found.values())


def _with_packages(module: str) -> list[str]:
    """The module and the packages around it, whose __init__ runs first."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@cache
def _imports(module: str, path: Path, home: Home) -> tuple[str, ...]:
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    return tuple(dict.fromkeys(_imported(ast.parse(path.read_text(encoding="utf-8")), package, home)))


def _imported(tree: ast.Module, package: str, home: Home) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if _file(name, home):
                yield from _with_packages(name)


@cache
def _file(module: str, home: Home) -> Path | None:
    top, *inner = module.split(".")
    if home and top == home[0]:
        folder = home[1]
    elif top in PACKAGES:
        folder = ROOT
    else:
        return None
    base = folder.joinpath(top, *inner)
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
