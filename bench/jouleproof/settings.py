"""The whole config of a run, validated before any job starts."""

import errno
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from jouleproof.drawing.registry import Figure
from jouleproof.errors import UserError, contained, duplicates, system_reason
from jouleproof.evidence.ledger import read_ledger
from jouleproof.inputs import Mode, catalogue
from jouleproof.knobs import config_error
from jouleproof.paths import home_expanded
from jouleproof.study import Study, built_in_studies, check_studies, load_study, tables_of, tables_read

TEXTS = ("size", "note", "inputs_dir", "inputs", "results")
RENAMED = {"own_studies": "studies"}
# A path without signs that a shell or Snakemake reads; the first one must not begin an option
PLAIN_PATH = r"^[^-\s{}'\"`$&;|<>()*?!#~\\\[\]][^\s{}'\"`$&;|<>()*?!#~\\\[\]]*$"


def _with_home(text: Any) -> Any:
    return str(home_expanded(Path(text))) if isinstance(text, str) and text.startswith("~") else text


Folder = Annotated[str, BeforeValidator(_with_home)]


class _Run(BaseModel):
    """Keys of a config other than the knobs of the built-in studies."""

    model_config = ConfigDict(extra="forbid", strict=True)

    size: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    note: str = ""
    inputs_dir: Folder | None = None
    inputs: dict[str, Mode] = {}
    results: Annotated[Folder, Field(pattern=PLAIN_PATH)] = "results"
    quick: bool = False
    studies: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Settings:
    """The validated config of a run. size: name of the config in expected.toml. note: a limit that applies to every
    verdict of this config.

    inputs_dir: where to look for inputs first; JOULEPROOF_INPUTS unless the config sets it. inputs: by id, `auto` (the
    default), `stand-in`, or `required` (never a stand-in). results: folder of everything that the run writes.
    quick: every table takes seconds and decides nothing, so all figures of a study may share a job, and timed
    experiments need not run alone.
    studies: the built-in ones and the user's, each after the studies whose tables it reads. configs: knobs of each
    study, by its name.
    """

    size: str
    note: str
    inputs_dir: str | None
    inputs: Mapping[str, Mode]
    results: str
    quick: bool
    studies: Sequence[Study]
    configs: Mapping[str, BaseModel]

    @property
    def added(self) -> list[Study]:
        """Studies that the config adds to the built-in ones."""
        return [study for study in self.studies if not study.built_in]

    @property
    def ledgers(self) -> list[Path]:
        """Ledgers of all studies that have claims."""
        return [study.ledger for study in self.studies if study.ledger]


def read_settings(config: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Validate a config. Raises UserError with a line per wrong knob, or if a folder, a name or an object does not
    exist."""
    if renamed := [key for key in config if key in RENAMED]:
        raise UserError(f"config: {renamed[0]} has been renamed {RENAMED[renamed[0]]}")
    built_in = built_in_studies()
    run, configs = _validated(config, built_in)
    unknown = sorted(set(run.inputs) - set(catalogue()))
    if unknown:
        raise UserError(f"config: inputs: unknown input {', '.join(unknown)}; known: {', '.join(catalogue())}")
    folder = run.inputs_dir or _with_home(environment.get("JOULEPROOF_INPUTS")) or None
    if folder and not Path(folder).is_dir():
        where = "inputs_dir" if run.inputs_dir else "JOULEPROOF_INPUTS"
        raise UserError(f"config: {where}: {folder} is not a folder; name an existing folder or unset {where}")
    added = [_added(package) for package in run.studies]
    studies = [*built_in, *added]
    check_studies(studies, catalogue())
    for study, knobs in zip(added, run.studies.values(), strict=True):
        configs[study.name] = _added_config(study, knobs)
    for study in added:
        check_claims(study, tables_read(studies))
    return Settings(run.size, run.note, folder, run.inputs, run.results, run.quick, studies, configs)


def label(settings: Settings, folder: Path) -> str:
    """Name under which the verdicts of this run are filed: its size, or `<size>_changed` if a knob of a built-in study
    differs from the file of that name in `folder`."""
    path = folder / f"{settings.size}.yaml"
    if not path.exists():
        return settings.size
    built_in = [study for study in settings.studies if study.built_in]
    _, configs = _validated(yaml.safe_load(path.read_text(encoding="utf-8")), built_in)
    same = all(settings.configs[study.name] == configs[study.name] for study in built_in)
    return settings.size if same else f"{settings.size}_changed"


def read_config(paths: Sequence[Path]) -> dict[str, Any]:
    """Read config files as `snakemake --configfile` combines them: of a knob that several have, the last one counts.

    Raises UserError, with the line where there is one, if a file cannot be read, is not YAML or has a duplicate key.
    """
    config: dict[str, Any] = {}
    for path in paths:
        try:
            read = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"config: {path} cannot be read ({system_reason(error)})") from error
        except yaml.YAMLError as error:
            mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
            line = f": line {mark.line + 1}" if mark else ""
            raise UserError(f"config: {path}{line}: not YAML ({' '.join(problem.split()):.200})") from error
        if not isinstance(read, dict):
            raise UserError(f"config: {path}: expected keys, as in `mx: {{qsnr: {{vectors: 100}}}}`")
        check_keys(path)
        _update(config, read)
    return config


def _update(config: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            _update(config[key], value)
        else:
            config[key] = value


def check_keys(path: Path) -> None:
    """Raise UserError if a config file has a duplicate key; YAML would silently keep the last one."""
    try:
        tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return  # Snakemake has already read the file and reports what is wrong
    waiting = [("", tree)]
    while waiting:
        under, node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            if repeated := duplicates(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                line = next(key.start_mark.line for key, _ in reversed(node.value) if key.value == repeated[0]) + 1
                raise UserError(f"config: {path}: line {line}: duplicate key {under + repeated[0]!r}")
            waiting += [(f"{under}{key.value}.", value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(under, value) for value in node.value]


def check_results(folder: Path) -> None:
    """Raise UserError if the folder cannot be created, or exists and is not writable."""
    place = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if place.is_dir() and os.statvfs(place).f_flag & os.ST_RDONLY:
        raise UserError(f"config: results: {folder} cannot be written ({os.strerror(errno.EROFS)}); name another")
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise UserError(f"config: results: {folder} cannot be written; make its folder writable or name another")


def check_claims(study: Study, tables: Collection[str]) -> None:
    """Raise UserError if a claim of a study is filed under another study, or reads a table that no experiment
    makes."""
    for claim in read_ledger(study.ledger) if study.ledger else []:
        where = f"claims: {study.ledger}: {claim.id}"
        if claim.area != study.name or claim.id.partition(".")[0] != study.name:
            raise UserError(f"{where}: its id must begin with {study.name!r}, and its area must be {study.name!r}")
        for key, query in claim.queries.items():
            if query.table not in tables:
                raise UserError(f"{where}: {key}: {query.table} is not an experiment; {tables_of(query.table, tables)}")


def check_sources(settings: Settings, pictures: Mapping[str, Figure]) -> None:
    """Raise UserError if a figure reads a table that no experiment makes, which no later step would notice."""
    tables = tables_read(settings.studies)
    for picture in pictures.values():
        for source in picture.sources:
            if source not in tables:
                raise UserError(
                    f"figures: {picture.path}: SOURCES: {source} is not an experiment; {tables_of(source, tables)}"
                )


def _validated(config: Mapping[str, Any], built_in: Sequence[Study]) -> tuple[_Run, dict[str, BaseModel]]:
    """Validate a config: the keys of the run, and the knobs of the built-in studies by name."""
    fields: dict[str, Any] = {study.name: (study.config, study.config()) for study in built_in}
    model = create_model("Settings", __base__=_Run, **fields)
    try:
        whole = model.model_validate(
            {key: value if key in TEXTS else _with_numbers(value) for key, value in config.items()}
        )
    except ValidationError as error:
        raise UserError(config_error("workflows/config", error, model)) from error
    except UnicodeEncodeError as error:
        raise UserError(
            "config: workflows/config: a text contains a lone surrogate, which is not a character"
        ) from error
    return whole, {study.name: getattr(whole, study.name) for study in built_in}


def _added(package: str) -> Study:
    try:
        return load_study(package)
    except UserError as error:
        raise UserError(f"config: studies.{package}: {str(error).removeprefix('config: ')}") from error


def _added_config(study: Study, knobs: Mapping[str, Any]) -> BaseModel:
    try:
        with contained(f"the config of {study.package}"):
            return study.config.model_validate(knobs)
    except ValidationError as error:
        raise UserError(config_error("workflows/config", error, study.config, f"studies.{study.package}")) from error


def _with_numbers(value: Any) -> Any:
    """Convert strings that spell a number, `true` or `false`; Snakemake's --config passes values as strings."""
    if isinstance(value, Mapping):
        return {key: _with_numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_numbers(part) for part in value]
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", value):
        return float(value) if set(value) & set(".eE") else int(value)
    return value
