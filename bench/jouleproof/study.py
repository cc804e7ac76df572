"""From a function to a job: the command line that every study shares.

`python -m bench.<study> <experiment> --config FILE --input RECORD … --result FILE … --out FILE` runs one experiment in
one process and writes its table with its provenance beside it. Inputs that a table of another experiment rests on are
handed on.
"""

import hashlib
import json
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, get_args

import typer
from pydantic import BaseModel, ValidationError

from jouleproof.errors import UserError, one_line_errors
from jouleproof.measure.threads import use_one_thread, use_placed_threads
from jouleproof.plugins import blamed

if TYPE_CHECKING:
    import pandas as pd

    from jouleproof.inputs import Record

ConfigT = TypeVar("ConfigT", bound=BaseModel)


@dataclass(frozen=True)
class Job(Generic[ConfigT]):
    """What an experiment is given. results: tables of other experiments, by name. workers: processes it may use; the
    result must not depend on them."""

    config: ConfigT
    inputs: Mapping[str, "Record"]
    workers: int
    results: Mapping[str, "pd.DataFrame"] = field(default_factory=dict)


def _none(config: object) -> Sequence[Path]:
    return ()


@dataclass(frozen=True)
class Experiment(Generic[ConfigT]):
    """A named result of a study.

    run: makes the tidy table. inputs: ids from the catalogue that it needs. results: other experiments, by name, whose
    tables it needs. timed: its values are timings. own: of a config, the user's own data files that it names.
    """

    run: Callable[[Job[ConfigT]], "pd.DataFrame"]
    inputs: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    timed: bool = False
    own: Callable[[ConfigT], Sequence[Path]] = _none


def command_line(study: str, config_type: type[ConfigT], experiments: Mapping[str, Experiment[ConfigT]]) -> typer.Typer:
    """The app with one command per experiment."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    for name, experiment in experiments.items():
        app.command(name, help=experiment.run.__doc__)(_command(study, name, config_type, experiment))
    app.callback(help=f"Experiments of the study {study}.")(lambda: None)
    return app


def _command(study: str, name: str, config_type: type[ConfigT], experiment: Experiment[ConfigT]) -> Callable[..., None]:
    def command(
        out: Annotated[Path, typer.Option(help="Where the table goes (parquet).")],
        config: Annotated[Path, typer.Option(help="The study's config (JSON).")],
        input: Annotated[list[Path], typer.Option(help="Records of the inputs (JSON).")] = [],  # noqa: B006
        result: Annotated[list[Path], typer.Option(help="Tables of other experiments (parquet).")] = [],  # noqa: B006
        workers: Annotated[int, typer.Option(min=1, help="Processes to use.")] = 1,
    ) -> None:
        with one_line_errors():
            knobs = read_config(config, config_type)
            with blamed(study, knobs.model_dump()):
                run(experiment, f"{study} {name}", knobs, input, result, workers, out)

    return command


def read_config(path: Path, config_type: type[ConfigT]) -> ConfigT:
    """Raises UserError with a line per wrong knob."""
    try:
        return config_type.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"config: {path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise UserError(config_error(str(path), error, config_type)) from error


def config_error(where: str, error: ValidationError, config_type: type[BaseModel], under: str = "") -> str:
    """A pydantic error as lines of `config: where: knob: what is wrong (got …)`. under: the key that the knobs are
    under."""
    lines = []
    for part in error.errors():
        *above, knob = part["loc"] or ("top level",)
        wrong = part["msg"]
        if part["type"] == "extra_forbidden":
            wrong = f"no such knob; known here: {', '.join(_knobs(config_type, above))}"
        key, wrong = ".".join(map(str, (*([under] if under else []), *above, knob))), " ".join(wrong.split())
        lines.append(f"config: {where}: {key:.200}: {wrong:.600} (got {part['input']!r:.80})")
    return "\n".join(lines)


def _knobs(config_type: Any, above: Sequence[int | str]) -> list[str]:
    """Of the part of the config that lies under these keys."""
    for key in above:
        is_model = isinstance(config_type, type) and issubclass(config_type, BaseModel)
        config_type = config_type.model_fields[key].annotation if is_model else get_args(config_type)[-1]
        if type(None) in get_args(config_type):  # it may be left out
            config_type = next(part for part in get_args(config_type) if part is not type(None))
    return list(config_type.model_fields)


def run(
    experiment: Experiment[ConfigT], title: str, config: ConfigT, records: list[Path], tables: list[Path], workers: int,
    out: Path,
) -> None:  # fmt: skip
    """Raises UserError where an input is missing or damaged, or the result cannot be written."""
    if experiment.timed:
        use_placed_threads()
    else:
        use_one_thread()
    from jouleproof import inputs
    from jouleproof.evidence import tables
    from jouleproof.evidence.provenance import ProvenanceRecorder, read_provenance

    recorder = ProvenanceRecorder()
    loaded = {record.id: record for record in map(inputs.load, records)}
    absent = [name for name in experiment.inputs if name not in loaded]
    if absent:
        raise UserError(f"{title}: needs --input for {', '.join(absent)} (snakemake results/inputs/ID.json)")
    found = {path.stem: path for path in tables}
    needed = {name: found.get(name.rpartition("/")[2]) for name in experiment.results}
    absent = [name for name, path in needed.items() if path is None]
    if absent:
        raise UserError(f"{title}: needs --result for {', '.join(absent)}")
    given = {name: path for name, path in needed.items() if path is not None}
    read = {name: tables.read(path) for name, path in given.items()}
    handed_on = ChainMap(*(read_provenance(path)["inputs"] for path in given.values()))
    own = {path.name: _own(path) for path in experiment.own(config)}
    table = experiment.run(Job(config, loaded, workers, read))
    recorder.write(
        out,
        config=json.loads(config.model_dump_json()),
        inputs={**handed_on, **{name: loaded[name].provenance() for name in experiment.inputs}, **own},
        timed=experiment.timed,
    )
    tables.write(table, out)


def _own(path: Path) -> dict[str, str]:
    """What a result says of a file that the config names and the catalogue does not know."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"config: {path} cannot be read ({error.strerror})") from error
    return {"origin": "local", "licence": "the user's own", f"sha256 of {path.name}": digest}
