"""One kind of study: a package that declares its experiments, whether it is built in or a user's.

    STUDY = Study("spin", "Rotation before a cast", config=SpinConfig,
                  experiments={"gain": Experiment("experiments:gain", inputs=("gsm8k_test",), results=("mx/qsnr",))})

is defined in the package's `__init__`. Next to it are `claims.toml`, if the study has claims, and, for a user's study,
the folder `figures`. An experiment is a function that returns a tidy table (jouleproof.evidence.tables). It receives,
by parameter name, `config` (the knobs that the experiment lists), each input by its id (as the catalogue's reader
returns it, or its path if there is no reader), each table by the name of the experiment that makes it, and
`checkpoints` (paths by name) if it uses any.
"""

import ast
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from jouleproof import plugins
from jouleproof.errors import UserError, contained, duplicates
from jouleproof.knobs import config_error, fields_of, partial_model

NAME = re.compile(r"[a-z][a-z0-9_]*")
BUILT_IN = "jouleproof.studies"
TAKEN = (
    "all", "checkpoints", "config", "figures", "inputs", "inputs_dir", "log", "note", "notebooks", "record", "results",
    "size", "studies", "tables",
)  # fmt: skip


@dataclass(frozen=True)
class Experiment:
    """Description of an experiment, which makes one table.

    function: `module:function`, the module relative to the study's package. knobs: keys of the study's config that it
    reads; None: all of them. inputs: ids of the catalogue. results: tables that it reads, `experiment` of this study or
    `study/experiment`. checkpoints: patterns of names of the study's checkpoints that it reads. timed: its values are
    timings, so it runs alone. priority: higher starts earlier. resources: what a job requests of a cluster (`runtime`,
    minutes, and `mem_mb`). group: `small` if it takes seconds, so that several figures may share one job that includes
    it.
    """

    function: str
    knobs: tuple[str, ...] | None = None
    inputs: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    timed: bool = False
    priority: int = 0
    resources: Mapping[str, int] = field(default_factory=dict)
    group: str = ""

    def parameters(self) -> set[str]:
        """Names of the arguments that the function receives in addition to `config`."""
        return {
            *self.inputs,
            *(table.rpartition("/")[2] for table in self.results),
            *(["checkpoints"] if self.checkpoints else []),
        }


@dataclass(frozen=True)
class Study:
    """A study. name: prefix of its tables, figures and claims. config: a pydantic model with a default for every knob.

    checkpoints: `module:function` that returns, for a config, an Experiment by name for each model that is trained once
    and read by several experiments; such a function also receives `name`, and `out`, the file that it writes. package:
    the package of the study, set when it is loaded.
    """

    name: str
    title: str
    config: type[BaseModel]
    experiments: Mapping[str, Experiment]
    checkpoints: str = ""
    package: str = ""

    @property
    def folder(self) -> Path:
        file = plugins.module_file(self.package)
        assert file is not None  # the study was loaded from it
        return file.parent

    @property
    def figures(self) -> Path:
        """Folder of the figures of a user's study; those of a built-in study are in figures/<study>."""
        return self.folder / "figures"

    @property
    def built_in(self) -> bool:
        return self.package.startswith(f"{BUILT_IN}.")

    @property
    def ledger(self) -> Path | None:
        """File of the study's claims, if it has any."""
        path = self.folder / "claims.toml"
        return path if path.is_file() else None

    def no_experiment(self, name: str) -> str:
        """Message that the study has no experiment of this name."""
        return f"study {self.name}: unknown experiment {name!r}; known: {', '.join(self.experiments)}"

    def object_name(self, relative: str) -> str:
        """Turn a name relative to the package into `package.module:object`."""
        return f"{self.package}.{relative}"

    def table(self, name: str) -> str:
        """Turn an entry of an experiment's `results` into `<study>/<experiment>`."""
        return name if "/" in name else f"{self.name}/{name}"

    def reads(self, experiment: Experiment) -> list[str]:
        """Tables that an experiment reads, as `<study>/<experiment>`."""
        return [self.table(name) for name in experiment.results]

    def trained(self, config: BaseModel) -> Mapping[str, Experiment]:
        """Experiments that train the checkpoints, by name of the checkpoint."""
        if not self.checkpoints:
            return {}
        with contained(self.object_name(self.checkpoints)):
            return _object(self.object_name(self.checkpoints))(config)

    def checkpoints_of(self, experiment: Experiment, config: BaseModel) -> list[str]:
        """Names of the checkpoints that an experiment reads."""
        return [
            name
            for name in (self.trained(config) if experiment.checkpoints else ())
            if any(fnmatchcase(name, pattern) for pattern in experiment.checkpoints)
        ]

    def knobs_json(self, experiment: Experiment, config: BaseModel) -> str:
        """The knobs that an experiment reads, as JSON in one line."""
        return config.model_dump_json(include=set(fields_of(self.config, experiment.knobs)))

    def knobs(self, experiment: Experiment, text: str) -> BaseModel:
        """Parse the output of `knobs_json`. Raises UserError with a line per wrong knob."""
        return self._read(partial_model(self.config, experiment.knobs), text)

    def all_knobs(self, text: str) -> BaseModel:
        """Parse the whole config from JSON. Raises UserError with a line per wrong knob."""
        return self._read(self.config, text)

    def _read(self, model: type[BaseModel], text: str) -> BaseModel:
        try:
            with contained(f"the config of {self.package or self.name}"):
                return model.model_validate_json(text)
        except ValidationError as error:
            raise UserError(config_error("--config", error, model, self.name)) from error


def built_in_studies() -> list[Study]:
    """Load the built-in studies, each after those whose tables it reads, and otherwise by name."""
    package = importlib.import_module(BUILT_IN)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)
    return in_order([load_study(f"{BUILT_IN}.{name}") for name in names])


def find_study(name: str) -> Study:
    """Load a built-in study by its name, or any study by its package. Raises UserError if there is none."""
    if "." not in name and plugins.module_file(f"{BUILT_IN}.{name}"):
        return load_study(f"{BUILT_IN}.{name}")
    if plugins.module_file(name) is None:
        there = ", ".join(study.name for study in built_in_studies())
        raise UserError(f"unknown study {name!r:.80}; built in: {there}; or give the package of a custom study")
    return load_study(name)


def load_study(package: str) -> Study:
    """Load the study that a package declares. Raises UserError if the package or its STUDY is missing or
    wrong."""
    study: Any = plugins.load("study", f"{package}:STUDY", {})
    if not isinstance(study, Study):
        raise UserError(f"config: {package}:STUDY is a {type(study).__name__}, not a jouleproof.study.Study")
    if not NAME.fullmatch(study.name) or study.name in TAKEN:
        raise UserError(
            f"config: the study of {package} cannot be called {study.name!r}: a name has lower-case letters, digits "
            f"and _, and is none of {', '.join(TAKEN)}"
        )
    if not (isinstance(study.config, type) and issubclass(study.config, BaseModel)):
        raise UserError(f"config: {package}:STUDY: config is not a subclass of pydantic.BaseModel")
    return replace(study, package=package)


def in_order(studies: Iterable[Study]) -> list[Study]:
    """Sort studies so that each follows those whose tables it reads, and otherwise by name."""
    by_name = {study.name: study for study in sorted(studies, key=lambda study: study.name)}
    before: dict[str, set[str]] = {
        name: {
            table.partition("/")[0]
            for experiment in study.experiments.values()
            for table in study.reads(experiment)
            if table.partition("/")[0] in by_name
        }
        - {name}
        for name, study in by_name.items()
    }
    ordered: list[Study] = []
    while len(ordered) < len(by_name):
        done = {study.name for study in ordered}
        ready = next((name for name in by_name if name not in done and before[name] <= done), None)
        if ready is None:  # a cycle, which check_studies reports
            ready = next(name for name in by_name if name not in done)
        ordered.append(by_name[ready])
    return ordered


def tables_read(studies: Iterable[Study]) -> dict[str, list[str]]:
    """Tables of other experiments that each experiment reads, by `<study>/<experiment>`."""
    return {
        f"{study.name}/{name}": study.reads(experiment)
        for study in studies
        for name, experiment in study.experiments.items()
    }


def tables_of(table: str, tables: Iterable[str]) -> str:
    """Return a message that lists the tables of the study in a table's name."""
    study = table.partition("/")[0]
    names = ", ".join(sorted(name.partition("/")[2] for name in tables if name.startswith(f"{study}/")))
    return f"{study} has {names}" if names else f"there is no study {study}"


def check_studies(studies: Sequence[Study], inputs: Iterable[str]) -> None:
    """Raise UserError, in one line, if a declaration cannot be run by any job. inputs: ids of the catalogue.

    The studies' modules are read as text and not run.
    """
    if repeated := duplicates(study.name for study in studies):
        packages = ", ".join(study.package for study in studies if study.name in repeated)
        raise UserError(
            f"config: studies: {packages}: duplicate study name {', '.join(map(repr, repeated))}; choose another"
        )
    tables = {f"{study.name}/{name}" for study in studies for name in study.experiments}
    ids = set(inputs)
    for study in studies:
        for name, experiment in study.experiments.items():
            _check(study, name, experiment, tables, ids)
    try:
        TopologicalSorter(tables_read(studies)).prepare()
    except CycleError as error:
        raise UserError(f"study: circular dependency between tables: {' <- '.join(error.args[1])}") from error


def _check(study: Study, name: str, experiment: Experiment, tables: set[str], inputs: set[str]) -> None:
    where = f"study {study.name}: experiment {name}"
    if not NAME.fullmatch(name):
        raise UserError(f"study {study.name}: {name!r} is not a valid experiment name (a-z, 0-9 and _)")
    if not isinstance(experiment, Experiment):
        raise UserError(f"{where} is a {type(experiment).__name__}, not a jouleproof.study.Experiment")
    if absent := [knob for knob in experiment.knobs or () if knob not in study.config.model_fields]:
        raise UserError(
            f"{where}: knobs: unknown knob {', '.join(absent)}; known: {', '.join(study.config.model_fields)}"
        )
    if absent := [id for id in experiment.inputs if id not in inputs]:
        raise UserError(f"{where}: inputs: unknown input {', '.join(absent)}; see `jouleproof inputs list`")
    for table in study.reads(experiment):
        if table not in tables:
            raise UserError(f"{where}: results: unknown table {table}; {tables_of(table, tables)}")
    if repeated := duplicates([*experiment.inputs, *(table.rpartition("/")[2] for table in experiment.results)]):
        raise UserError(f"{where}: duplicate name {', '.join(map(repr, repeated))} among its inputs and tables")
    _check_function(where, study, experiment)


def _check_function(where: str, study: Study, experiment: Experiment) -> None:
    module, _, function = experiment.function.partition(":")
    dotted = f"{study.package}.{module}"
    file = plugins.module_file(dotted)
    if file is None or not file.is_file():
        raise UserError(f"{where}: there is no module {dotted}")
    try:
        functions = _functions(file, file.stat().st_mtime_ns)
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{where}: {file} cannot be read: {' '.join(str(error).split())}") from error
    if function not in functions:
        public = ", ".join(name for name in functions if name[0] != "_")
        raise UserError(f"{where}: {dotted} has no function {function!r}; it has {public or 'none'}")
    arguments = functions[function].args
    if arguments.kwarg:
        return
    named = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    wanted = experiment.parameters()
    if wrong := [*(name for name in named if name not in wanted | {"config"}), *sorted(wanted - set(named))]:
        given = ", ".join(["config", *sorted(wanted)])
        raise UserError(f"{where}: {function}({', '.join(named)}) is called with {given}; mismatch: {', '.join(wrong)}")


@cache
def _functions(file: Path, _time: int) -> Mapping[str, ast.FunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def function_of(study: Study, experiment: Experiment) -> Any:
    """Import the function of an experiment. Raises UserError if a user's module cannot be imported."""
    return _object(study.object_name(experiment.function))


def _object(name: str) -> Any:
    if name.startswith(f"{BUILT_IN}."):  # an error in the project itself is shown with its stack trace
        module, _, attribute = name.partition(":")
        return getattr(importlib.import_module(module), attribute)
    return plugins.load("study", name, {})
