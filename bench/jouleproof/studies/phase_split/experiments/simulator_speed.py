"""Speed of the simulator."""

import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.measure.clocks import Stopwatch
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS
from jouleproof.serving.simulator.evaluation import VERSIONS, Workload
from jouleproof.serving.simulator.simulate import simulate
from jouleproof.serving.simulator.workload import poisson_requests
from jouleproof.studies.phase_split.config import PhaseSplitConfig


def simulator_speed(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Measure simulated requests, events and iterations per second on one core, after compilation, for Splitwise-HH and
    the conversation service."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.speed
    design = FAMILIES["splitwise_hh"].design(*PUBLISHED_POOLS["conv"]["splitwise_hh"])
    rows = []
    for version, setup in VERSIONS.items():
        requests = poisson_requests(workload.traces["conv"], settings.rate, settings.seconds, 0, setup.joint)
        simulate(design, requests, setup.semantics)
        for repeat in range(settings.repeats):
            watch = Stopwatch()
            run = simulate(design, requests, setup.semantics)
            seconds = watch.wall_s()
            for metric, count in (("requests", len(requests)), ("events", run.events), ("iterations", run.iterations)):
                rows.append(
                    {"version": version, "metric": metric, "unit": "1/s", "value": count / seconds, "repeat": repeat}
                )
    return tidy(rows, tier=MEASURED)
