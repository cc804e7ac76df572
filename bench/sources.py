"""Which files a module is made of: itself and, through its imports, everything of the project that it runs."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bench", "figures")


def sources(*modules: str) -> list[str]:
    """Files of the dotted modules and of all modules of the project that they import, relative to the root, sorted."""
    found: dict[str, Path] = {}
    waiting = [name for module in modules for name in _with_packages(module)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _file(name)
        if path is None:
            raise ValueError(f"module {name} is not in {', '.join(PACKAGES)}")
        found[name] = path
        waiting += [other for other in _imports(path) if other not in found]
    return sorted(str(path.relative_to(ROOT)) for path in found.values())


def _with_packages(module: str) -> list[str]:
    """The module and the packages around it, whose __init__ runs first."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_imported(ast.parse(path.read_text(encoding="utf-8")))))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.split(".")[0] in PACKAGES and _file(name):
                yield from _with_packages(name)


@cache
def _file(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
