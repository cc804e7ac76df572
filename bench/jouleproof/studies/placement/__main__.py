"""`python -m jouleproof.studies.placement EXPERIMENT --config FILE --input RECORD … --result FILE … --out FILE`."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jouleproof.errors import one_line_errors
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.study import Experiment, Job, command_line

if TYPE_CHECKING:
    import pandas as pd

POWER_TRACE = "power_trace"


def sensed(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """One power trace through every sensor."""
    from jouleproof.studies.placement.experiments import precision as room

    return room.sensed(job.config, job.results[POWER_TRACE])


def precision(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Peaks seen by window of time and servers behind a budget."""
    from jouleproof.studies.placement.experiments import precision as room

    return room.precision(job.config, job.results[POWER_TRACE])


def profile_error(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Errors of profiles by sensor and days observed."""
    from jouleproof.studies.placement.experiments import precision as room

    return room.profile_error(job.config, job.results[POWER_TRACE])


def hosting(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Work hosted at one risk, by rule, information and size of rows."""
    from jouleproof.studies.placement.experiments import hosting as room

    return room.hosting(job.config)


def frontier(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Work hosted against risk, by information."""
    from jouleproof.studies.placement.experiments import hosting as room

    return room.frontier(job.config)


def predictability(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Work hosted by how far weeks repeat."""
    from jouleproof.studies.placement.experiments import hosting as room

    return room.predictability(job.config)


def transfer(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """A margin set on one mix of workloads, used on others."""
    from jouleproof.studies.placement.experiments import transfer as room

    return room.transfer(job.config)


def prediction(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Work hosted by what is reckoned with for new workloads."""
    from jouleproof.studies.placement.experiments import prediction as room

    return room.prediction(job.config)


def leakage(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """What releases are worth to a policy and to an attacker."""
    from jouleproof.studies.placement.experiments import leakage as room

    return room.leakage(job.config)


def oversubscription(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Servers added to a row under a controller."""
    from jouleproof.studies.placement.experiments import oversubscription as room

    return room.oversubscription(job.config, job.results[POWER_TRACE])


def processors(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Energy per work by what is chosen by profile."""
    from jouleproof.studies.placement.experiments import processors as room

    return room.processors(job.config)


def policies(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Published policies at one risk."""
    from jouleproof.studies.placement.experiments import policies as room

    return room.policies(job.config, job.results[POWER_TRACE])


def bounds(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Rules against the best that there is, in small cases."""
    from jouleproof.studies.placement.experiments import policies as room

    return room.bounds(job.config)


def reality(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """The generated fleet beside recorded power and CPU use."""
    from jouleproof.studies.placement.experiments import reality as room

    return room.reality(job.config, {name: record.path() for name, record in job.inputs.items()})


def scale(job: Job[PlacementConfig]) -> "pd.DataFrame":
    """Speed of placing and of replays."""
    from jouleproof.studies.placement.experiments import scale as room

    return room.scale(job.config, job.results[POWER_TRACE])


RECORDED = ("acme_power", "bitbrains_fragments", "bitbrains_tasks", "surf_fragments", "surf_tasks")
TRACE = (POWER_TRACE,)


def of_the_fleet(config: PlacementConfig) -> list[Path]:
    return [config.fleet.trace_file] if config.fleet.trace_file else []


def of_reality(config: PlacementConfig) -> list[Path]:
    return [*of_the_fleet(config), *map(Path, config.reality.google)]


EXPERIMENTS: Mapping[str, Experiment[PlacementConfig]] = {
    "sensed": Experiment(sensed, results=TRACE),
    "precision": Experiment(precision, results=TRACE, own=of_the_fleet),
    "profile_error": Experiment(profile_error, results=TRACE, own=of_the_fleet),
    "hosting": Experiment(hosting, own=of_the_fleet),
    "frontier": Experiment(frontier, own=of_the_fleet),
    "predictability": Experiment(predictability),
    "transfer": Experiment(transfer, own=of_the_fleet),
    "prediction": Experiment(prediction, own=of_the_fleet),
    "leakage": Experiment(leakage, own=of_the_fleet),
    "oversubscription": Experiment(oversubscription, results=TRACE),
    "processors": Experiment(processors, own=of_the_fleet),
    "policies": Experiment(policies, results=TRACE, own=of_the_fleet),
    "bounds": Experiment(bounds, own=of_the_fleet),
    "reality": Experiment(reality, inputs=RECORDED, own=of_reality),
    "scale": Experiment(scale, results=TRACE, timed=True),
}

app = command_line("placement", PlacementConfig, EXPERIMENTS)


@app.command()
def telemetry(
    seconds: Annotated[float, typer.Option(help="How long each counter is watched.")] = 2.0,
    every: Annotated[float, typer.Option(help="Seconds between two samples.")] = 0.5,
) -> None:
    """The energy counters that this machine has, and the power that they read."""
    from jouleproof.power.meters import watched

    with one_line_errors():
        for line in watched(seconds, every, time.sleep):
            print(line)


if __name__ == "__main__":
    app()
