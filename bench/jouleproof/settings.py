"""The whole config of a run, checked, and handed to each study as a file of its own."""

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jouleproof.errors import UserError
from jouleproof.evidence.ledger import read_ledger
from jouleproof.files import write_text
from jouleproof.inputs import catalogue
from jouleproof.own import OwnStudy, own_study
from jouleproof.plugins import named_at
from jouleproof.studies.joint.config import JointConfig
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.registry import find_all as find_all_of_phase_split
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.registry import find_all as find_all_of_placement
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.registry import find_all as find_all_of_slm_energy
from jouleproof.study import config_error

InputMode = Literal["auto", "stand-in", "required"]
STUDIES = ("mx", "phase_split", "placement", "slm_energy", "joint")


class Settings(BaseModel):
    """size: names the config in expected.toml. note: a limit that every verdict of this config has.
    inputs_dir: where to look for inputs first; JOULEPROOF_INPUTS where it is not set.
    inputs: by id, `auto` (the default), `stand-in`, or `required` (never a stand-in).
    own_studies: packages of the user's own (jouleproof.own), and the knobs of each.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    size: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    note: str = ""
    inputs_dir: str | None = None
    inputs: dict[str, InputMode] = {}
    mx: MxConfig = MxConfig()
    phase_split: PhaseSplitConfig = PhaseSplitConfig()
    placement: PlacementConfig = PlacementConfig()
    slm_energy: SlmEnergyConfig = SlmEnergyConfig()
    joint: JointConfig = JointConfig()
    own_studies: dict[str, dict[str, Any]] = {}

    def own(self) -> list[OwnStudy]:
        """Raises UserError where a package is no study."""
        return [own_study(package, knobs) for package, knobs in self.own_studies.items()]


def read_settings(config: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Raises UserError with a line per wrong knob, and on a folder or an object that is not there: before any job
    starts, so that a slip of the pen costs no result."""
    try:
        texts = ("size", "note", "inputs_dir", "inputs")
        settings = Settings.model_validate(
            {key: value if key in texts else _with_numbers(value) for key, value in config.items()}
        )
    except ValidationError as error:
        raise UserError(config_error("workflows/config", error, Settings)) from error
    except UnicodeEncodeError as error:
        raise UserError("config: workflows/config: a text holds half a character (a lone surrogate)") from error
    unknown = sorted(set(settings.inputs) - set(catalogue()))
    if unknown:
        raise UserError(f"config: inputs: {', '.join(unknown)} not in the catalogue; known: {', '.join(catalogue())}")
    from_environment = environment.get("JOULEPROOF_INPUTS") or None
    folder = settings.inputs_dir or from_environment
    if folder and not Path(folder).is_dir():
        where = "inputs_dir" if settings.inputs_dir else "JOULEPROOF_INPUTS"
        raise UserError(f"config: {where}: {folder} is not a folder; name one that is, or leave {where} unset")
    registry.find_all(settings.mx)
    find_all_of_phase_split(settings.phase_split)
    find_all_of_placement(settings.placement)
    find_all_of_slm_energy(settings.slm_energy)
    _check_own(settings)
    return settings.model_copy(update={"inputs_dir": folder})


def label(settings: Settings, folder: Path) -> str:
    """What verdicts of this run are filed under: its size, or `<size>_changed` where a knob of a study is not as in the
    file of that name in `folder`."""
    path = folder / f"{settings.size}.yaml"
    if not path.exists():
        return settings.size
    named_config = Settings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    same = all(getattr(settings, study) == getattr(named_config, study) for study in STUDIES)
    return settings.size if same else f"{settings.size}_changed"


def _check_own(settings: Settings) -> None:
    """Of studies of the user's own: their parts, their claims, and that no two have one name."""
    for package, knobs in settings.own_studies.items():
        with named_at(f"own_studies.{package}"):
            study = own_study(package, knobs)
            unknown = {id for each in study.experiments.values() for id in each.inputs} - set(catalogue())
            if unknown:
                raise UserError(f"{study.module}: inputs {', '.join(sorted(unknown))} not in the catalogue")
        for claim in read_ledger(study.ledger) if study.ledger else []:
            if claim.area != study.name or claim.id.partition(".")[0] != study.name:
                raise UserError(f"claims: {study.ledger}: {claim.id}: its id must begin with {study.name!r}, and its "
                                "area be that")  # fmt: skip
            for query in (*claim.query.values(), *claim.context):
                owner, _, name = query.table.partition("/")
                if owner == study.name and name not in study.experiments:
                    raise UserError(f"claims: {study.ledger}: {claim.id}: {query.table} is no experiment of "
                                    f"{study.module}; it has {', '.join(study.experiments)}")  # fmt: skip
    names = [package.rpartition(".")[2] for package in settings.own_studies]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"config: own_studies: two studies are called {', '.join(twice)}; each needs a name of its own")


def _with_numbers(value: Any) -> Any:
    """The same with texts that are numbers made numbers: so they come from Snakemake's --config."""
    if isinstance(value, Mapping):
        return {key: _with_numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_numbers(part) for part in value]
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", value):
        return float(value) if set(value) & set(".eE") else int(value)
    return value


def write_configs(settings: Settings, config: Mapping[str, Any], folder: Path) -> None:
    """<folder>/<study>.json, and run.json with the whole config as it was given.

    A file whose content stays is not touched, so that nothing is remade. Results that are newer than one that changes,
    since the clock went back, get a date before it, so that what it decides is remade. While another run has the folder
    locked, its config stays: Snakemake refuses this run later, and the other's jobs read one config.
    """
    locked = any(Path(".snakemake/locks").glob("*"))
    contents = {
        **{f"{study}.json": getattr(settings, study).model_dump_json(indent=1) + "\n" for study in STUDIES},
        **{f"{study.name}.json": study.config.model_dump_json(indent=1) + "\n" for study in settings.own()},
        "run.json": json.dumps(config, indent=1, sort_keys=True) + "\n",
    }
    for name, text in contents.items():
        path = folder / name
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before is None or (before != text and not locked):
            write_text(path, text)
            _date_before(path, folder.parent)


def _date_before(path: Path, folder: Path) -> None:
    """Gives what lies in the folder and is newer than the file a date just before it."""
    date = path.stat().st_mtime - 1
    for each in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a temporary file that has its name now
            if each.is_file() and each != path and each.stat().st_mtime > date + 1:
                os.utime(each, (date, date))
