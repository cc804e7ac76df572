"""The command `jouleproof`. Each subcommand imports what it needs when it runs: a job starts in a fraction of a second,
and pins its threads before any numerical library is loaded."""

import json
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from jouleproof.cli.claims import app as claims
from jouleproof.cli.commands import Commands
from jouleproof.cli.inputs import app as inputs
from jouleproof.cli.serving import app as serving
from jouleproof.errors import UserError, one_line_errors
from jouleproof.paths import home_expanded

app = Commands(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Test claims about the efficiency of AI. `snakemake` runs everything; these commands run its parts.",
)
app.add_typer(inputs, name="inputs", help="Inputs: list them, or find and record one.")
app.add_typer(claims, name="claims", help="Verdicts: judge, show, check, accept.")
app.add_typer(serving, name="serving", help="The serving simulator and the serving engine, on your files.")

StudyName = Annotated[str, typer.Argument(help="A built-in study, or the package of a custom one.")]
ExperimentName = Annotated[str, typer.Argument(help="One of its experiments; `jouleproof list` shows them.")]
Config = Annotated[str, typer.Option(help="Knobs that differ from their defaults: JSON, or a file of JSON or YAML.")]
Tables = Annotated[list[Path], typer.Option("--table", help="Tables of other experiments (parquet).")]
Checkpoints = Annotated[list[Path], typer.Option("--checkpoint", help="Trained models that it reads.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]


@app.command("list")
def list_experiments(study: Annotated[str, typer.Argument(help="One study; by default, all.")] = "") -> None:
    """Print every experiment: its study, its name, whether it is timed, what it reads, and its function."""
    with one_line_errors():
        from jouleproof.study import built_in_studies, find_study

        for listed in [find_study(study)] if study else built_in_studies():
            print(f"{listed.name}: {listed.title}")
            for name, experiment in listed.experiments.items():
                reads = [*experiment.inputs, *listed.reads(experiment)]
                timed = "timed" if experiment.timed else ""
                print(f"  {name:<24} {timed:<6} {experiment.function:<44} {', '.join(reads)}".rstrip())


@app.command()
def run(
    study: StudyName,
    experiment: ExperimentName,
    out: Out,
    config: Config = "{}",
    input: Annotated[list[Path], typer.Option(help="Records of inputs (JSON).")] = [],  # noqa: B006
    table: Tables = [],  # noqa: B006
    checkpoint: Checkpoints = [],  # noqa: B006
) -> None:
    """Run one experiment and write its table (parquet), with its provenance next to it."""
    with one_line_errors():
        from jouleproof.job import run as run_experiment
        from jouleproof.study import find_study

        run_experiment(find_study(study), experiment, _knobs(config), input, table, checkpoint, out)


@app.command()
def train(
    study: StudyName,
    function: Annotated[
        str, typer.Argument(help="The function that trains it: module:function in the study's package.")
    ],
    name: Annotated[str, typer.Argument(help="The name of the checkpoint.")],
    out: Out,
    config: Config = "{}",
    table: Tables = [],  # noqa: B006
    checkpoint: Checkpoints = [],  # noqa: B006
) -> None:
    """Train a model that several experiments read."""
    with one_line_errors():
        from jouleproof.job import train as train_checkpoint
        from jouleproof.study import find_study

        train_checkpoint(find_study(study), function, name, _knobs(config), table, checkpoint, out)


@app.command()
def knobs(
    study: StudyName,
    experiment: Annotated[str, typer.Argument(help="One of its experiments; by default, all.")] = "",
    config: Config = "{}",
) -> None:
    """Print every knob that an experiment reads: key, value, range, and meaning with its unit."""
    with one_line_errors():
        from jouleproof.knobs import fields_of, rows
        from jouleproof.study import find_study

        chosen = find_study(study)
        if experiment and experiment not in chosen.experiments:
            raise UserError(chosen.no_experiment(experiment))
        read = set(fields_of(chosen.config, chosen.experiments[experiment].knobs if experiment else None))
        for key, value, allowed, meaning in rows(chosen.all_knobs(_knobs(config))):
            if key.partition(".")[0] in read:
                print(f"{chosen.name}.{key}{f' = {value}' if value else ''}{f'  ({allowed})' if allowed else ''}")
                if meaning:
                    print(f"    {meaning}")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Config files, as `snakemake --configfile` takes them.")],
) -> None:
    """Check config files as the pipeline would, and say in which line a file is not YAML."""
    with one_line_errors():
        from jouleproof.settings import read_config, read_settings

        settings = read_settings({"size": "default", **read_config(files)}, os.environ)
        print(f"{', '.join(map(str, files))}: a config of size {settings.size}")


@app.command()
def meters(
    meter: Annotated[str, typer.Option(help="auto, rapl, nvml, none, or package.module:object.")] = "auto",
    seconds: Annotated[float, typer.Option(help="Seconds for which each counter is watched.")] = 2.0,
    every: Annotated[float, typer.Option(help="Seconds between two samples.")] = 0.5,
) -> None:
    """Print which energy counters this machine has, and what is modelled instead."""
    with one_line_errors():
        from jouleproof.studies.slm_energy.config import PowerConfig
        from jouleproof.studies.slm_energy.meter_report import describe

        for line in describe(meter, PowerConfig(), seconds, every, time.sleep):
            print(line)


@app.command()
def draw(
    names: Annotated[list[str], typer.Argument(help="<study>/<figure>, one or more.")],
    results: Annotated[Path, typer.Option(help="Folder of the tables and of the output.")] = Path("results"),
    figures: Annotated[Path, typer.Option(help="Folder of the built-in studies' figures.")] = Path("figures"),
    study: Annotated[list[str], typer.Option(help="The package of a custom study.")] = [],  # noqa: B006
) -> None:
    """Draw figures and tables from the tables of experiments, in one process."""
    with one_line_errors():
        from jouleproof.drawing.draw import draw_all
        from jouleproof.drawing.registry import folders_in, registry
        from jouleproof.study import find_study

        added = {one.name: one.figures for one in map(find_study, study)}
        draw_all(names, registry({**folders_in(figures), **added}), results)


@app.command()
def cost(
    results: Annotated[Path, typer.Argument(help="The folder of a finished run.")] = Path("results"),
    nodes: Annotated[list[int], typer.Option(help="Nodes of a cluster; repeatable.")] = [1, 2, 8],  # noqa: B006
    cores: Annotated[list[int], typer.Option(help="Cores of each node; repeatable.")] = [1, 2, 16],  # noqa: B006
) -> None:
    """Print what a run cost, and how long it would take on a cluster."""
    with one_line_errors():
        from jouleproof.evidence.cost import report, tasks_of
        from jouleproof.study import built_in_studies, tables_read

        tasks = tasks_of(results, tables_read(built_in_studies()))
        if not tasks:
            raise UserError(f"cost: no provenance of a run in {results}; run `snakemake` first")
        for option, least in (("nodes", min(nodes)), ("cores", min(cores))):
            if least < 1:
                raise UserError(f"cost: --{option} must be at least 1, got {least}")
        print(report(tasks, nodes, cores))


def _knobs(config: str) -> str:
    """Read the knobs as JSON, from a JSON text or from a file of JSON or YAML. Raises UserError if they are neither."""
    if config.lstrip().startswith("{"):
        return config
    path = home_expanded(Path(config))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"config: {path} cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if path.suffix == ".json":
        return text
    import yaml

    try:
        return json.dumps(yaml.safe_load(text))
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise UserError(f"config: {path} is not valid YAML ({' '.join(str(error).split()):.200})") from error
