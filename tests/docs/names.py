"""Check that code within a sentence names something that exists: a command, an option, a file, a module, a key."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from jouleproof.cli.claims import built_in_ledgers
from jouleproof.evidence.ledger import read_ledgers
from jouleproof.knobs import rows
from jouleproof.plugins import module_file
from jouleproof.settings import read_settings
from jouleproof.study import built_in_studies
from tests.docs.checks import CHECKERS, RULES, WrongError, check, jouleproof_command, snakemake_parser, targets
from tests.docs.pages import ROOT, Command

FILE = re.compile(r"[\w-]+\.(md|py|toml|json|yaml|parquet|lock|cff)")
PATH = re.compile(r"[\w.<>~*-]*(/[\w.<>*-]*)+")
OBJECT = re.compile(r"([\w.]+):(\w+)")
DOTTED = re.compile(r"[a-z_]+(\.\w+)+")
ANY_OBJECT = ("package.module:object", "package.module:function", "module:function")
OTHER_KINDS = ("aiconfigurator", "folder", "gguf", "hub")  # names of machines and models, before a colon
ELSEWHERE = ("dist/", "~/", "/", ".venv", "bloom-176b/")  # results, the user's files, and a model's name
MADE = ("INSTALL.md", "requests.parquet")  # made by commands in the surrounding sentences


def check_name(code: str, page: Path, folder: Path) -> None:
    """Raise WrongError if no such thing exists. page: contains the sentence. folder: looks like a checkout."""
    if code.split()[0] in CHECKERS:
        check(Command(code, shlex.split(code)), folder)
    elif code.startswith("--"):
        _option(code, folder)
    elif FILE.fullmatch(code):
        if code not in MADE and not (page.parent / code).exists() and code not in _file_names():
            raise WrongError(f"there is no file {code}")
    elif PATH.fullmatch(code):
        _path(code, page)
    elif named := OBJECT.fullmatch(code):
        if code not in ANY_OBJECT and named[1] not in OTHER_KINDS:
            _attribute(f"tests.extension_example.{named[1]}", named[2])
    elif code.startswith(("jouleproof.", "tests.")):
        if not module_file(code):
            _attribute(*code.rsplit(".", 1))
    elif DOTTED.fullmatch(code) and code.islower() and code not in _keys():
        raise WrongError(f"{code} is neither a key of the config nor a claim")


def _option(code: str, folder: Path) -> None:
    option, *values = shlex.split(code)
    if option == "--config" and values:
        check(Command(code, ["snakemake", option, *values]), folder)
    elif option not in _options():
        raise WrongError(f"no command has the option {option}")


def _path(code: str, page: Path) -> None:
    first, _, rest = code.partition("/")
    if code.startswith(ELSEWHERE):
        return
    if first == "results":
        if rest not in RULES + _profiles() and code not in _targets():
            raise WrongError(f"no rule makes {code}")
    elif first in _study_names() and f"results/{code}.parquet" not in _targets():
        if not any(f"results/{kind}/{code}.{suffix}" in _targets() for kind, suffix in _SHOWN):
            raise WrongError(f"{code} is neither an experiment nor a figure")
    elif first not in _study_names() and not any((place / code).exists() for place in (ROOT, page.parent)):
        raise WrongError(f"there is no {code}")


def _attribute(module: str, name: str) -> None:
    file = module_file(module)
    if not file:
        raise WrongError(f"there is no module {module}")
    if name not in _bound(ast.parse(file.read_text(encoding="utf-8"))):
        raise WrongError(f"{module} has no {name}")


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


_SHOWN = (("figures", "png"), ("tables", "html"))


@cache
def _targets() -> set[str]:
    config = yaml.safe_load((ROOT / "workflows/config/default.yaml").read_text(encoding="utf-8"))
    return targets(read_settings(config, {}))


@cache
def _study_names() -> set[str]:
    return {study.name for study in built_in_studies()}


@cache
def _profiles() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("profiles/*/config.yaml"))


@cache
def _file_names() -> set[str]:
    parts = ("bench", "docs", "figures", "paper", "tests", "workflows")
    return {path.name for path in ROOT.glob("*.*")} | {
        path.name for part in parts for path in ROOT.glob(f"{part}/**/*.*")
    }


@cache
def _keys() -> set[str]:
    """Keys of the config, with and without the name of the study, and ids of claims."""
    knobs = {study.name: [row[0] for row in rows(study.config())] for study in built_in_studies()}
    return {
        *(claim.id for claim in read_ledgers(built_in_ledgers())),
        *(key for keys in knobs.values() for key in keys),
        *(f"{name}.{key}" for name, keys in knobs.items() for key in keys),
    }


@cache
def _options() -> set[str]:
    return {*snakemake_parser()._option_string_actions, *_options_of(jouleproof_command())}


def _options_of(command: Any) -> Iterator[str]:
    yield from (option for parameter in command.params for option in parameter.opts)
    for part in getattr(command, "commands", {}).values():
        yield from _options_of(part)
