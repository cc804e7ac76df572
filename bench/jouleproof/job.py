"""Run an experiment as a job: one process that writes one table, with its provenance next to it."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from jouleproof import plugins
from jouleproof.errors import UserError, contained, duplicates
from jouleproof.measure.threads import use_one_thread, use_placed_threads
from jouleproof.paths import expanded, named_paths, provenance_of, sha256
from jouleproof.sources import code_of_user
from jouleproof.study import Experiment, Study, function_of

if TYPE_CHECKING:
    from jouleproof.evidence.provenance import Inputs
    from jouleproof.inputs import Record

T = TypeVar("T")


def run(
    study: Study,
    name: str,
    knobs_json: str,
    records: Sequence[Path],
    tables: Sequence[Path],
    checkpoints: Sequence[Path],
    out: Path,
) -> None:
    """Write the table of an experiment. knobs_json: the knobs that differ from their defaults, as JSON.

    Raises UserError if the experiment or an input is missing or damaged, or if the table cannot be written.
    """
    if name not in study.experiments:
        raise UserError(study.no_experiment(name))
    experiment = study.experiments[name]
    title = f"{study.name} {name}"
    place_threads = use_placed_threads if experiment.timed else use_one_thread
    place_threads()
    from jouleproof.evidence import tables as table_files
    from jouleproof.evidence.provenance import ProvenanceRecorder, merged

    recorder = ProvenanceRecorder()
    config = study.knobs(experiment, knobs_json)
    loaded = _records(title, experiment, records)
    paths = _tables(title, study, experiment, tables)
    inputs = merged(
        [
            *_inherited(paths.values(), checkpoints),
            {id: record.provenance() for id, record in loaded.items()},
            _named_in(config),
        ]
    )
    code = {path: sha256(Path(path)) for path in code_of_user(study.object_name(experiment.function), config)}
    given = {
        **{id: _read(record) for id, record in loaded.items()},
        **{table.rpartition("/")[2]: table_files.read(path) for table, path in paths.items()},
    }
    if experiment.checkpoints:
        given["checkpoints"] = _by_name(title, "checkpoint", ((path.stem, path) for path in checkpoints))
    with plugins.blamed(study.name, config.model_dump(), f"{title}: {experiment.function}"):
        table = call(function_of(study, experiment), {"config": config, **given})
    recorder.write(
        out,
        config=json.loads(config.model_dump_json()),
        inputs=inputs,
        user_code=code,
        timed=experiment.timed,
    )
    table_files.write(table, out)


def train(
    study: Study,
    function: str,
    name: str,
    knobs_json: str,
    tables: Sequence[Path],
    checkpoints: Sequence[Path],
    out: Path,
) -> None:
    """Train a model and write its checkpoint and, next to it, the inputs that it rests on. function: `module:function`
    of the study's package. knobs_json: the knobs that the function reads, as JSON.

    Raises UserError if the checkpoint cannot be written.
    """
    use_one_thread()
    from jouleproof.evidence import tables as table_files
    from jouleproof.evidence.provenance import merged, write_inputs

    results = tuple(f"{path.parent.name}/{path.stem}" for path in tables)
    experiment = Experiment(function, knobs=tuple(json.loads(knobs_json)), results=results)
    config = study.knobs(experiment, knobs_json)
    inputs = merged([*_inherited(tables, checkpoints), _named_in(config)])
    given: dict[str, Any] = {
        "config": config,
        "name": name,
        "out": out,
        "checkpoints": _by_name(f"train {name}", "checkpoint", ((path.stem, path) for path in checkpoints)),
        **{path.stem: table_files.read(path) for path in tables},
    }
    with contained(f"{study.name}: {function}"):
        call(function_of(study, experiment), given)
    if not out.is_file():
        raise UserError(f"{study.name}: {function} did not write {out}")
    write_inputs(out, inputs)


def _named_in(config: BaseModel) -> "Inputs":
    """Files and folders that the knobs name by path."""
    return {expanded(str(path)): provenance_of(path) for path in named_paths(config.model_dump())}


def _inherited(tables: Iterable[Path], checkpoints: Iterable[Path]) -> "list[Inputs]":
    """Inputs that each table and each checkpoint rests on."""
    from jouleproof.evidence.provenance import read_inputs, read_provenance

    return [*(read_provenance(path)["inputs"] for path in tables), *map(read_inputs, checkpoints)]


def call(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Call a function with the given values that match its parameters, or with all of them if it takes `**`."""
    parameters = inspect.signature(function).parameters
    everything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return function(**{name: value for name, value in given.items() if everything or name in parameters})


def _by_name(title: str, option: str, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Return values by name. Raises UserError where an option of the command gives two of one name."""
    listed = list(pairs)
    if repeated := duplicates(name for name, _ in listed):
        raise UserError(f"{title}: --{option}: two files are called {', '.join(repeated)}; give one of each name")
    return dict(listed)


def _records(title: str, experiment: Experiment, paths: Sequence[Path]) -> "dict[str, Record]":
    """Load the records of an experiment's inputs, by id."""
    from jouleproof import inputs

    loaded = _by_name(title, "input", ((record.id, record) for record in map(inputs.load, paths)))
    if absent := [id for id in experiment.inputs if id not in loaded]:
        raise UserError(f"{title}: needs --input for {', '.join(absent)} (snakemake results/inputs/ID.json)")
    return {id: loaded[id] for id in experiment.inputs}


def _tables(title: str, study: Study, experiment: Experiment, paths: Sequence[Path]) -> dict[str, Path]:
    """Find the files of the tables that an experiment reads, by `<study>/<experiment>`."""
    given = _by_name(title, "table", ((f"{path.parent.name}/{path.stem}", path) for path in paths))
    stems = [path.stem for path in paths]
    given |= {path.stem: path for path in paths if stems.count(path.stem) == 1}
    needed = {table: given.get(table) or given.get(table.rpartition("/")[2]) for table in study.reads(experiment)}
    if absent := [table for table, path in needed.items() if path is None]:
        raise UserError(f"{title}: needs --table for {', '.join(absent)}")
    return {table: path for table, path in needed.items() if path is not None}


def _read(record: "Record") -> Any:
    """Read an input with the reader that the catalogue names, or return the path of its file if it names none."""
    from jouleproof import inputs

    entry = inputs.entry(record.id)
    if not entry.reader:
        return record.path()
    paths = [record.path(name) for name in entry.reads] if entry.reads else [record.path()]
    return inputs.function_of(entry.reader)(*paths)
