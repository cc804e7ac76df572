"""Clusters that were sized for one service and model but serve another, or batch jobs without service levels."""

from dataclasses import replace
from typing import Any

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS
from jouleproof.serving.simulator.evaluation import VERSIONS, Setup, Workload
from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.simulate import simulate
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.searches import capacity_search

OTHER_MODEL = "llama2-70b"
BATCH = "batch jobs"
BATCH_RATE = 200.0  # requests/s, more than any of the clusters sustains


def robustness(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return requests/s of clusters with the conversation service's pools: the highest load that meets all service
    levels for that service, for the coding service, and for conversation with another model; and the rate at which they
    serve batch jobs, which arrive faster than they can be served and have no service level."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    seeds = config.capacity.seeds[:2]
    step = steps("phase_split robustness", len(VERSIONS) * len(FAMILIES))
    rows: list[dict[str, Any]] = []
    for version, setup in VERSIONS.items():
        cases: dict[str, tuple[Setup, str]] = {
            "its own service": (setup, "conv"),
            "the other service": (setup, "code"),
            "another model": (replace(setup, model=OTHER_MODEL), "conv"),
        }
        for name, pools in PUBLISHED_POOLS["conv"].items():
            design = FAMILIES[name].design(*pools)
            factors = {"version": version, "design": name, "price": design.price, "unit": "requests/s"}
            for case, (of_case, service) in cases.items():
                search = capacity_search(config, workload, of_case, service)
                rows += [
                    {
                        **factors,
                        "case": case,
                        "metric": "most_load",
                        "value": search.max_load(design, seed),
                        "seed": seed,
                    }
                    for seed in seeds
                ]
            rows += [
                {
                    **factors,
                    "case": BATCH,
                    "metric": "served",
                    "value": served(workload, setup, design, seed),
                    "seed": seed,
                }
                for seed in seeds
            ]
            step(f"{version}, {name}")
    return tidy(rows, tier=SIMULATED)


def served(workload: Workload, setup: Setup, design: Design, seed: int) -> float:
    """Return the requests/s that finish in the second half of the time in which batch jobs arrive."""
    run = simulate(design, workload.requests(setup, "conv", BATCH_RATE, seed), setup.semantics, setup.model)
    done, end = run.arrival_s + run.e2e_s, workload.load.seconds
    return float(((done >= end / 2) & (done < end)).sum() / (end / 2))
