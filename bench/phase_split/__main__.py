"""`python -m bench.phase_split EXPERIMENT --config FILE --input RECORD … --out FILE`, or `simulate` for one case."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import one_line_errors
from bench.experiment import Experiment, Job, command_line
from bench.phase_split.config import PhaseSplitConfig

if TYPE_CHECKING:
    import pandas as pd

    from bench.phase_split.trials import Bench

TRACES = ("azure_conv", "azure_code")


def _bench(job: Job[PhaseSplitConfig]) -> "Bench":
    from bench.inputs import read_trace
    from bench.phase_split.trials import Bench

    traces = {name.removeprefix("azure_"): read_trace(job.inputs[name].path()) for name in TRACES}
    return Bench(traces, job.config.load)


def profile(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """The measured profile."""
    from bench.inputs import read_profile
    from bench.phase_split.experiments.profile import profile_table

    return profile_table(read_profile(job.inputs["splitwise_profile"].path()))


def laws(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Laws fitted on the profile, and how well they fit."""
    from bench.inputs import read_profile
    from bench.phase_split.experiments import profile as room

    return room.laws(read_profile(job.inputs["splitwise_profile"].path()))


def traces(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Lengths and arrivals of the two services' requests."""
    from bench.phase_split.experiments import traces as room

    return room.traces(_bench(job).traces)


def phases(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Both phases of a median request on each accelerator."""
    from bench.phase_split.experiments import phases as room

    return room.phases(_bench(job).traces)


def capacity(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """The most load that the published designs bear."""
    from bench.phase_split.experiments import headlines as room

    return room.capacity(job.config, _bench(job))


def headlines(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """The published ratios, as published and corrected."""
    from bench.phase_split.experiments import headlines as room

    return room.headlines(job.config, _bench(job))


def corrections(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """How each correction alone moves the published ratios."""
    from bench.phase_split.experiments import headlines as room

    return room.corrections(job.config, _bench(job))


def robustness(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Capacity where a cluster serves something else than it was laid out for."""
    from bench.phase_split.experiments import robustness as room

    return room.robustness(job.config, _bench(job))


def latency(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Latencies and energy of the published designs over load."""
    from bench.phase_split.experiments import latency as room

    return room.latency(job.config, _bench(job))


def design_space(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Which pools of Splitwise-HH bear one load."""
    from bench.phase_split.experiments import design_space as room

    return room.design_space(job.config, _bench(job))


def transfer(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """What moving caches adds to a request."""
    from bench.phase_split.experiments import transfer as room

    return room.transfer(job.config, _bench(job))


def simulator_speed(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Simulated requests per second."""
    from bench.phase_split.experiments import simulator_speed as room

    return room.simulator_speed(job.config, _bench(job))


def power_trace(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Power of every machine of a split cluster over an hour."""
    from bench.phase_split.experiments import power_trace as room

    return room.power_trace(job.config, _bench(job))


def beyond(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Chunked prompts, pools that follow the load, newer accelerators and MX formats."""
    from bench.phase_split.experiments import beyond as room

    return room.beyond(job.config, _bench(job))


def active(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Time by the tokens that machines work on at once."""
    from bench.phase_split.experiments import active as room

    return room.active(job.config, _bench(job))


def week(job: Job[PhaseSplitConfig]) -> "pd.DataFrame":
    """Latencies by hour over days of ups and downs."""
    from bench.phase_split.experiments import week as room

    return room.week(job.config, _bench(job))


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
    "active": Experiment(active, inputs=TRACES),
    "week": Experiment(week, inputs=TRACES),
    "power_trace": Experiment(power_trace, inputs=TRACES),
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
        from bench.phase_split.case import run_case

        print(run_case(designs, design, trace, compat, out, power))


if __name__ == "__main__":
    app()
