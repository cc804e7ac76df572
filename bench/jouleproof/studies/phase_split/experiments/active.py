"""Shares of time by the number of tokens that machines work on at once."""

from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS
from jouleproof.serving.simulator.evaluation import VERSIONS, Workload
from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.simulate import simulate
from jouleproof.serving.simulator.workload import poisson_requests
from jouleproof.studies.phase_split.config import PhaseSplitConfig

UP_TO = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 80, 100, 150, 200, 300, 500, 800, 1000, 1500, 2000, 3000, 5000, 10_000)
MACHINE_ALONE = Design("one machine", "together", ("dgx-h100", 1))


def active(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return shares of busy time spent in iterations of at most a given number of tokens: all tokens of a prompt, one
    of a decode.

    Designs: a single H100 machine with each service; Baseline-H100 and Splitwise-HH, with published pools, with the
    conversation service.
    """
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.active
    cases: list[tuple[Design, str, float]] = [(MACHINE_ALONE, service, settings.alone) for service in workload.traces]
    for name in ("baseline_h100", "splitwise_hh"):
        design = FAMILIES[name].design(*PUBLISHED_POOLS["conv"][name])
        cases += [(design, "conv", rate) for rate in settings.rates]
    step = steps("phase_split active", len(VERSIONS) * len(cases))
    rows: list[dict[str, Any]] = []
    for version, setup in VERSIONS.items():
        for design, service, rate in cases:
            requests = poisson_requests(workload.traces[service], rate, settings.seconds, 0, setup.joint)
            run = simulate(design, requests, setup.semantics, setup.model, active=True)
            share = np.cumsum(run.active_s) / run.active_s.sum()
            factors = {"version": version, "design": design.name, "service": service, "load": rate}
            rows += [
                {**factors, "at_most": float(count), "metric": "share_of_time", "unit": "share", "value": share[count]}
                for count in UP_TO
            ]
            step(f"{version}, {design.name}, {service}, {rate:g} requests/s")
    return tidy(rows, tier=SIMULATED)
