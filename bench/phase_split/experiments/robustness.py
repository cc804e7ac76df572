"""What is left of a cluster's capacity where it serves something that it was not laid out for."""

from dataclasses import replace

import pandas as pd

from bench.phase_split.clusters import FAMILIES, PUBLISHED_POOLS
from bench.phase_split.config import PhaseSplitConfig
from bench.phase_split.trials import VERSIONS, Bench, Setup
from bench.progress import steps
from bench.results import SIMULATED, tidy

OTHER_MODEL = "llama2-70b"


def robustness(config: PhaseSplitConfig, bench: Bench) -> pd.DataFrame:
    """The most load of clusters with the conversation service's pools: serving that service, the coding service, and
    conversation with another model."""
    settings = config.capacity
    step = steps("phase_split robustness", len(VERSIONS) * len(FAMILIES))
    rows = []
    for version, setup in VERSIONS.items():
        cases: dict[str, tuple[Setup, str]] = {
            "its own service": (setup, "conv"),
            "the other service": (setup, "code"),
            "another model": (replace(setup, model=OTHER_MODEL), "conv"),
        }
        for name, pools in PUBLISHED_POOLS["conv"].items():
            design = FAMILIES[name].design(*pools)
            for case, (of_case, service) in cases.items():
                for seed in settings.seeds[:2]:
                    found = bench.most_load(of_case, design, service, seed, settings.precision)
                    rows.append(
                        {
                            "version": version, "case": case, "design": name, "metric": "most_load",
                            "unit": "requests/s", "value": found, "seed": seed,
                        }
                    )  # fmt: skip
            step(f"{version}, {name}")
    return tidy(rows, tier=SIMULATED)
