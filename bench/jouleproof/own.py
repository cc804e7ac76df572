"""`python -m jouleproof.own PACKAGE EXPERIMENT --config FILE … --out FILE`: one experiment of a study of the user's own.

A study of one's own is a package that the config names under `own_studies`, with its knobs:

    experiments.py   Config, a pydantic model with a default for every knob, and EXPERIMENTS, by name each a
                     jouleproof.study.Experiment, whose `results` are others of the study or `<study>/<experiment>`
    figures/*.py     like those of figures/: docstring, TITLE, SOURCES, and draw or tabulate
    claims.toml      rows like those of paper/claims.toml, if it has claims

The last part of the package's name is the study's: the folder of its results and figures, and the area of its claims.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from jouleproof import plugins
from jouleproof.errors import UserError, one_line_errors
from jouleproof.study import Experiment, command_line, config_error

TAKEN = ("mx", "phase_split", "placement", "slm_energy", "joint",
         "checkpoints", "config", "figures", "inputs", "notebooks", "tables")  # fmt: skip
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class OwnStudy:
    """config: the knobs that it runs with. folder: of its files. ledger: of its claims, where it has some."""

    package: str
    config: BaseModel
    experiments: Mapping[str, Experiment[Any]]
    folder: Path

    @property
    def name(self) -> str:
        return self.package.rpartition(".")[2]

    @property
    def module(self) -> str:
        return f"{self.package}.experiments"

    @property
    def ledger(self) -> Path | None:
        path = self.folder / "claims.toml"
        return path if path.is_file() else None

    def table(self, name: str) -> str:
        """`<study>/<experiment>` of what an experiment names in its `results`."""
        return name if "/" in name else f"{self.name}/{name}"


def own_study(package: str, knobs: Mapping[str, Any]) -> OwnStudy:
    """Raises UserError, with the package and the part that is missing or wrong."""
    name = package.rpartition(".")[2]
    if not NAME.fullmatch(name) or name in TAKEN:
        raise UserError(f"config: the study {package!r} cannot be called {name!r}: a word in small letters that is "
                        f"none of {', '.join(TAKEN)}")  # fmt: skip
    module = f"{package}.experiments"
    config_type: Any = plugins.load("study", f"{module}:Config", {})
    if not (isinstance(config_type, type) and issubclass(config_type, BaseModel)):
        raise UserError(f"config: {module}:Config is no pydantic.BaseModel")
    experiments: Any = plugins.load("study", f"{module}:EXPERIMENTS", {})
    _check_experiments(f"{module}:EXPERIMENTS", experiments)
    try:
        config = config_type.model_validate(knobs)
    except ValidationError as error:
        raise UserError(config_error("workflows/config", error, config_type, f"own_studies.{package}")) from error
    file = plugins.module_file(module)
    assert file is not None  # it was loaded
    return OwnStudy(package, config, experiments, file.parent)


def _check_experiments(where: str, experiments: Any) -> None:
    if not isinstance(experiments, Mapping) or not experiments:
        raise UserError(f"config: {where} is a {type(experiments).__name__}, not a mapping of names to "
                        "jouleproof.study.Experiment")  # fmt: skip
    for name, experiment in experiments.items():
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            raise UserError(f"config: {where}: {name!r} is no name of a table: a word in small letters")
        if not isinstance(experiment, Experiment):
            raise UserError(f"config: {where}: {name} is a {type(experiment).__name__}, not a "
                            "jouleproof.study.Experiment")  # fmt: skip
        plugins.check_call(f"{where}: {name}: run", experiment.run, ("job",), "table")
        absent = [each for each in experiment.results if "/" not in each and each not in experiments]
        if absent:
            raise UserError(f"config: {where}: {name}: results: no experiment {', '.join(absent)} in this study")


def main(arguments: Sequence[str]) -> None:
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return
    package, *rest = arguments
    with one_line_errors():
        study = own_study(package, {})
    command_line(study.name, type(study.config), study.experiments)(rest, prog_name=f"jouleproof.own {package}")


if __name__ == "__main__":
    main(sys.argv[1:])
