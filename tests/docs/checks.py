"""Check that a command of a page would start: its program's parser is asked, if that is cheap, and the program is not
run.

Only commands that copy or write a small file (cp, sed, cat, echo) are run, in a folder that links to the checkout.
"""

import ast
import contextlib
import fnmatch
import io
import re
import subprocess
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import typer
import yaml

from jouleproof import settings
from jouleproof.cli import app
from jouleproof.drawing.registry import registry
from jouleproof.inputs import catalogue
from jouleproof.plugins import module_file
from jouleproof.serving.config import read_engine_config
from jouleproof.serving.simulator.machines import read_design
from jouleproof.settings import Settings
from jouleproof.study import Study, built_in_studies, check_studies, find_study
from tests.docs.pages import ROOT, Command
from tests.pictures import FIGURES

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RULES = "".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "Snakefile", *sorted(ROOT.glob("workflows/*.smk"))]
)
SUFFIXES = ast.literal_eval(re.search(r"^KIND_SUFFIXES = (\{.*\})$", RULES, re.MULTILINE)[1])
NOT_ASKED = ("export", ".", "apt")  # commands of the shell and the system
EAGER = ("--help", "--install-completion", "--show-completion")  # options that act while they are parsed
COMES_WITH_USE = ("/models/",)  # a user's folders in the examples
CHECKED: set[tuple[str, ...]] = set()


class WrongError(Exception):
    """A command is wrong; the message says how."""


def start(folder: Path) -> None:
    """Make a folder look like a checkout."""
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and path.name not in ("results", "dist"):
            (folder / path.name).symlink_to(path)


def check(command: Command, folder: Path) -> None:
    """Raise WrongError if the command would not start. folder: the working folder, as the commands before left it."""
    words = command.words
    if words[0] == "eval":
        words = words[1].removeprefix("$(").removesuffix(")").split()
    checker = CHECKERS.get(words[0])
    if checker:
        checker(words[1:], folder)
    elif words[0] in WRITERS:
        _run(command, folder)
    elif words[0] not in NOT_ASKED:
        raise WrongError(f"{words[0]} is not a program that a page may name")


def _need(path: str, folder: Path) -> None:
    if not (folder / path).exists() and not path.startswith(COMES_WITH_USE):
        raise WrongError(f"{path} does not exist")


def _run(command: Command, folder: Path) -> None:
    """Run the command. Raises WrongError if it fails, or would write into the checkout."""
    targets = {"cp": command.words[-1:], "sed": command.words[4:]}.get(command.words[0], [])
    for target in [*targets, *re.findall(r">\s*(\S+)", command.text.splitlines()[0])]:
        if (folder / Path(target).parts[0]).is_symlink():
            raise WrongError(f"{target} would be written into the checkout")
    done = subprocess.run(["bash", "-c", command.text], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrongError(done.stderr.strip())


def _make(words: list[str], folder: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    if unknown := [word for word in words if word not in targets and "=" not in word]:
        raise WrongError(f"the Makefile has no {', '.join(unknown)}")


def _pip(words: list[str], folder: Path) -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    packages = {re.split(r"[<>=\[]", name)[0] for names in extras.values() for name in names}
    if words[:1] != ["install"]:
        raise WrongError("pip is only used to install")
    for word in words[1:]:
        if named := re.fullmatch(r"\.\[([\w,]+)\]", word):
            if unknown := set(named[1].split(",")) - set(extras):
                raise WrongError(f"pyproject.toml has no extra {', '.join(unknown)}")
        elif not word.startswith("-") and word not in packages:
            _need(word, folder)


def _python(words: list[str], folder: Path) -> None:
    if words[0] != "-m":
        _need(words[0], folder)
        return
    file = module_file(words[1])
    main = file and (file.with_name("__main__.py") if file.name == "__init__.py" else file)
    if not main or not main.is_file():
        raise WrongError(f"python -m {words[1]}: no such module")
    parts = re.findall(r'@app\.command\("(\w+)"\)', main.read_text(encoding="utf-8"))
    if words[2] not in parts:
        raise WrongError(f"python -m {words[1]} has no command {words[2]}; it has {', '.join(parts)}")


def _pytest(words: list[str], folder: Path) -> None:
    words, paths = list(words), []
    while words:
        word = words.pop(0)
        if word == "-m":
            marks = {line.partition(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
            if unknown := set(re.findall(r"\w+", words.pop(0))) - marks - {"and", "or", "not"}:
                raise WrongError(f"no test is marked {', '.join(unknown)}")
        elif word == "-k":
            name = words.pop(0)
            if not any(name in (folder / path).read_text(encoding="utf-8") for path in paths):
                raise WrongError(f"no test of {', '.join(paths)} is called {name}")
        else:
            _need(word, folder)
            paths.append(word)


def _jouleproof(words: list[str], folder: Path) -> None:
    """Parse the arguments with the command's parser; then check every name and file in them."""
    command, rest = jouleproof_command(), list(words)
    while hasattr(command, "commands") and rest:
        if rest[0] in EAGER:
            return
        if rest[0] not in command.commands:
            raise WrongError(f"jouleproof has no command {rest[0]}; known: {', '.join(command.commands)}")
        command, rest = command.commands[rest[0]], rest[1:]
    if hasattr(command, "commands"):
        return
    try:
        given = command.make_context(command.name, rest).params
    except typer.exceptions.TyperException as error:
        raise WrongError(f"jouleproof {' '.join(words)}: {error.format_message()}") from error
    for name in ("designs", "trace", "ledger"):
        for path in given[name] if isinstance(given.get(name), list) else filter(None, [given.get(name)]):
            _need(str(path), folder)
    if given.get("designs"):
        read_design(folder / given["designs"], given["design"])
    if isinstance(given.get("config"), Path):
        read_engine_config(folder / given["config"])
    if given.get("id") and given["id"] not in catalogue():
        raise WrongError(f"unknown input {given['id']}")
    if unknown := set(given.get("names") or []) - set(FIGURES):
        raise WrongError(f"unknown figure {', '.join(unknown)}")
    if isinstance(given.get("study"), str) and given["study"]:
        study = find_study(given["study"])
        experiment = given.get("experiment")
        if experiment and experiment not in study.experiments:
            raise WrongError(f"{study.name} has no experiment {experiment}")
        if given.get("config", "{}") != "{}":
            study.knobs(study.experiments[experiment], given["config"])


def _snakemake(words: list[str], folder: Path) -> None:
    """Parse the arguments with Snakemake's parser; then check its files, its config as a run reads it, and its
    targets."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            given = snakemake_parser().parse_args(words)
    except SystemExit as error:
        raise WrongError(f"snakemake: {said.getvalue().strip().splitlines()[-1]}") from error
    for path in [*(given.configfile or []), *(f"{profile}/config.yaml" for profile in given.profile or [])]:
        _need(str(path), folder)
    possible = targets(_settings(given.configfile or [], given.config or [], folder))
    for target in given.targets:
        pattern = re.sub(r"\b[A-Z]{2,}\b", "*", target)  # a placeholder: results/inputs/ID.json
        if not fnmatch.filter(possible, pattern):
            raise WrongError(f"snakemake has no target {target}")


@cache
def jouleproof_command() -> Any:
    return typer.main.get_command(app)


@cache
def snakemake_parser() -> Any:
    from snakemake.cli import get_argument_parser  # a second

    return get_argument_parser()


def _settings(files: list[Path], entries: list[str], folder: Path) -> Settings:
    from snakemake.cli import parse_config
    from snakemake.utils import update_config

    config: dict[str, Any] = {}
    for path in [ROOT / "workflows/config/default.yaml", *(folder / name for name in files)]:
        update_config(config, yaml.safe_load(path.read_text(encoding="utf-8")))
    update_config(config, parse_config(entries))
    with patch.object(settings, "check_studies", _check_once):
        return settings.read_settings(config, {})


def _check_once(studies: Sequence[Study], inputs: Iterable[str]) -> None:
    """Check each set of studies once: a study is declared the same in every config that names it."""
    packages = tuple(study.package for study in studies)
    if packages not in CHECKED:
        check_studies(studies, inputs)
        CHECKED.add(packages)


def targets(run: Settings) -> set[str]:
    """Rules and files that a page may name, from the text of the rules and the declarations of the studies."""
    pictures = {**FIGURES, **registry({study.name: study.folder / "figures" for study in run.added})}
    names = {f"{study.name}/{name}" for study in run.studies for name in study.experiments}
    drawn_files = {
        f"results/{picture.kind}s/{picture.name}.{suffix}"
        for picture in pictures.values()
        for suffix in SUFFIXES[picture.kind]
    }
    return {
        *re.findall(r"^rule (\w+):", RULES, flags=re.MULTILINE),
        *(study.name for study in run.studies),
        *(name.replace("/", "_") for name in names),
        *(f"results/{name}.{suffix}" for name in names for suffix in ("parquet", "provenance.json")),
        *(f"results/inputs/{id}.json" for id in catalogue()),
        *(f"results/notebooks/{study.name}.ipynb" for study in built_in_studies()),
        *(f"results/{path}" for path in re.findall(r'f"\{RESULTS\}/([\w./]+)"', RULES)),
        *drawn_files,
    }


CHECKERS = {
    "jouleproof": _jouleproof,
    "snakemake": _snakemake,
    "make": _make,
    "pytest": _pytest,
    "python": _python,
    "pip": _pip,
}
WRITERS = ("cp", "sed", "cat", "echo")
