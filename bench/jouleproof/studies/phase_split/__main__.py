"""`python -m jouleproof.studies.phase_split EXPERIMENT --config FILE --input RECORD … --out FILE`, `simulate` for one case,
or `serve` for one run of the engine."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jouleproof.errors import UserError, one_line_errors
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.study import Experiment, Job, command_line

if TYPE_CHECKING:
    import pandas as pd

    from jouleproof.models.decoder import Decoder
    from jouleproof.serving.simulator.capacity import Bench

TRACES = ("azure_conv", "azure_code")


class Mode(StrEnum):
    """Whole prompts first on every worker, prompts in chunks beside decodes, or workers for each phase."""

    MIXED = "mixed"
    CHUNKED = "chunked"
    SPLIT = "split"


class Way(StrEnum):
    """Through memory that workers share, or over sockets."""

    MEMORY = "memory"
    GLOO = "gloo"


def _bench(job: Job[PhaseSplitConfig]) -> "Bench":
    from jouleproof.inputs import read_trace
    from jouleproof.serving.simulator.capacity import Bench

    traces = {name.removeprefix("azure_"): read_trace(job.inputs[name].path()) for name in TRACES}
    return Bench(traces, job.config.load)


def profile(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """The measured profile."""
    from jouleproof.inputs import read_profile
    from jouleproof.studies.phase_split.experiments.profile import profile_table

    return profile_table(read_profile(job.inputs["splitwise_profile"].path()))


def laws(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Laws fitted on the profile, and how well they fit."""
    from jouleproof.inputs import read_profile
    from jouleproof.studies.phase_split.experiments import profile as room

    return room.laws(read_profile(job.inputs["splitwise_profile"].path()))


def traces(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Lengths and arrivals of the two services' requests."""
    from jouleproof.studies.phase_split.experiments import traces as room

    return room.traces(_bench(job).traces)


def phases(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Both phases of a median request on each accelerator."""
    from jouleproof.studies.phase_split.experiments import phases as room

    return room.phases(_bench(job).traces)


def capacity(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """The most load that the published designs bear."""
    from jouleproof.studies.phase_split.experiments import headlines as room

    return room.capacity(job.config, _bench(job))


def headlines(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """The published ratios, as published and corrected."""
    from jouleproof.studies.phase_split.experiments import headlines as room

    return room.headlines(job.config, _bench(job))


def corrections(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """How each correction alone moves the published ratios."""
    from jouleproof.studies.phase_split.experiments import headlines as room

    return room.corrections(job.config, _bench(job))


def robustness(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Capacity where a cluster serves something else than it was laid out for."""
    from jouleproof.studies.phase_split.experiments import robustness as room

    return room.robustness(job.config, _bench(job))


def latency(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Latencies and energy of the published designs over load."""
    from jouleproof.studies.phase_split.experiments import latency as room

    return room.latency(job.config, _bench(job))


def design_space(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Which pools of Splitwise-HH bear one load."""
    from jouleproof.studies.phase_split.experiments import design_space as room

    return room.design_space(job.config, _bench(job))


def transfer(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """What moving caches adds to a request."""
    from jouleproof.studies.phase_split.experiments import transfer as room

    return room.transfer(job.config, _bench(job))


def simulator_speed(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Simulated requests per second."""
    from jouleproof.studies.phase_split.experiments import simulator_speed as room

    return room.simulator_speed(job.config, _bench(job))


def power_trace(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Power of every machine of a split cluster over an hour."""
    from jouleproof.studies.phase_split.experiments import power_trace as room

    return room.power_trace(job.config, _bench(job))


def beyond(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Chunked prompts, pools that follow the load, newer accelerators and MX formats."""
    from jouleproof.studies.phase_split.experiments import beyond as room

    return room.beyond(job.config, _bench(job))


def service_energy(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Joules and provisioned power of one service, by format and way of serving, whole and in part."""
    from jouleproof.studies.phase_split.experiments import service_energy as room

    return room.service_energy(job.config, _bench(job))


def active(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Time by the tokens that machines work on at once."""
    from jouleproof.studies.phase_split.experiments import active as room

    return room.active(job.config, _bench(job))


def week(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Latencies by hour over days of ups and downs."""
    from jouleproof.studies.phase_split.experiments import week as room

    return room.week(job.config, _bench(job))


def _decoder(job: Job[PhaseSplitConfig], layers: int) -> "tuple[Decoder, list[int]]":
    """The model to serve, and tokens to ask it with."""
    from jouleproof.inputs import read_gsm8k
    from jouleproof.models.decoder import first_layers, random_decoder
    from jouleproof.models.smollm2 import load_smollm2
    from jouleproof.serving.engine.traffic import text

    model = load_smollm2(job.inputs["smollm2_135m"].path())
    words = text(read_gsm8k(job.inputs["gsm8k_test"].path()), model.tokens)
    random = job.config.engine.model == "random"
    network = random_decoder(model.network.shape, seed=0) if random else model.network
    return first_layers(network, layers), words


def serving(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """A small engine under load, phases mixed and split, and what the simulator predicts of it."""
    from jouleproof.studies.phase_split.experiments import serving as room

    decoder, words = _decoder(job, job.config.engine.layers)
    return room.serving(job.config, _bench(job).traces[job.config.serving.service], words, decoder)


def moves(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Caches that move between two processes: way, format, all at once or by layer."""
    from jouleproof.studies.phase_split.experiments import moves as room

    return room.moves(job.config, *_decoder(job, job.config.engine.layers))


def roofline(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Both phases against what this machine computes and reads at most."""
    from jouleproof.studies.phase_split.experiments import roofline as room

    return room.roofline(job.config, _decoder(job, job.config.roofline.layers)[0])


MODEL = ("gsm8k_test", "smollm2_135m")

EXPERIMENTS: Mapping[str, Experiment[PhaseSplitConfig]] = {
    "profile": Experiment(profile, inputs=("splitwise_profile",)),
    "laws": Experiment(laws, inputs=("splitwise_profile",)),
    "traces": Experiment(traces, inputs=TRACES),
    "phases": Experiment(phases, inputs=TRACES),
    "capacity": Experiment(capacity, inputs=TRACES),
    "headlines": Experiment(headlines, inputs=TRACES),
    "corrections": Experiment(corrections, inputs=TRACES),
    "robustness": Experiment(robustness, inputs=TRACES),
    "latency": Experiment(latency, inputs=TRACES),
    "design_space": Experiment(design_space, inputs=TRACES),
    "transfer": Experiment(transfer, inputs=TRACES),
    "simulator_speed": Experiment(simulator_speed, inputs=TRACES, timed=True),
    "beyond": Experiment(beyond, inputs=TRACES),
    "service_energy": Experiment(service_energy, inputs=TRACES),
    "active": Experiment(active, inputs=TRACES),
    "week": Experiment(week, inputs=TRACES),
    "power_trace": Experiment(power_trace, inputs=TRACES),
    "serving": Experiment(serving, inputs=(*TRACES, *MODEL), timed=True),
    "moves": Experiment(moves, inputs=MODEL, timed=True),
    "roofline": Experiment(roofline, inputs=MODEL, timed=True),
}

app = command_line("phase_split", PhaseSplitConfig, EXPERIMENTS)


@app.command()
def simulate(
    designs: Annotated[Path, typer.Option(help="Designs (JSON), as in tests/phase_split/reference/clusters.json.")],
    design: Annotated[str, typer.Option(help="The name of one of them.")],
    trace: Annotated[Path, typer.Option(help="Requests (CSV), as in tests/phase_split/reference.")],
    out: Annotated[Path, typer.Option(help="Where a row per request goes (parquet).")],
    compat: Annotated[bool, typer.Option("--compat", help="As the published simulator, mistakes included.")] = False,
    power: Annotated[Path | None, typer.Option(help="Where power by machine and 2 s goes (parquet).")] = None,
) -> None:
    """One case from files: prints its latencies."""
    with one_line_errors():
        from jouleproof.serving.simulator.case import run_case

        print(run_case(designs, design, trace, compat, out, power))


@app.command()
def serve(
    mode: Annotated[Mode, typer.Option(help="How workers share the two phases.")],
    config: Annotated[Path, typer.Option(help="The study's config (JSON), as in results/config/phase_split.json.")],
    out: Annotated[Path, typer.Option(help="Where a row per request goes (parquet).")],
    input: Annotated[list[Path], typer.Option(help="Records of inputs (JSON); others are looked for.")] = [],  # noqa: B006
    load: Annotated[float, typer.Option(min=0.01, help="Share of what the prompt workers can take.")] = 0.5,
    way: Annotated[Way, typer.Option(help="How caches move, where the phases are split.")] = Way.MEMORY,
    by_layer: Annotated[bool, typer.Option("--by-layer", help="Each layer as soon as it is there.")] = False,
    form: Annotated[str, typer.Option(help="What caches move as: float32, bfloat16 or a block format.")] = "float32",
    seed: Annotated[int, typer.Option(min=0, help="Of the requests.")] = 0,
) -> None:
    """Serve requests for real on this machine: prints their latencies."""
    with one_line_errors():
        from jouleproof import inputs
        from jouleproof.formats.codecs import codec
        from jouleproof.serving.engine import serve as room
        from jouleproof.serving.engine.transport import Move
        from jouleproof.study import read_config

        try:
            codec(form)
        except ValueError as error:
            raise UserError(f"serve: --form: {error}") from error
        settings = read_config(config, PhaseSplitConfig)
        records = {record.id: record for record in map(inputs.load, input)}
        print(room.run(settings, records, mode.value, load, Move(way.value, by_layer, form), seed, out))


if __name__ == "__main__":
    app()
