"""The time that moving caches between machines adds to requests, whole or layer by layer, by the rate of links."""

import math
from dataclasses import replace

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS
from jouleproof.serving.simulator.evaluation import VERSIONS, Workload
from jouleproof.serving.simulator.simulate import simulate
from jouleproof.studies.phase_split.config import PhaseSplitConfig

DEFAULT_LINK = 0.0  # the default links of each version


def transfer(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return the mean end-to-end latency over that of the same run with infinitely fast links, minus one.

    gbit_per_s: 0 is the default link of each version: 200 GiB/s under published rules, the machines' own
    under corrected ones. If a link is too slow for the load, so that requests wait for memory forever, there is no mean
    and no row.
    """
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.transfer
    step = steps("phase_split transfer", len(settings.rates) * len(VERSIONS))
    rows = []
    for service, rate in settings.rates.items():
        design = FAMILIES["splitwise_hh"].design(*PUBLISHED_POOLS[service]["splitwise_hh"])
        for version, setup in VERSIONS.items():
            for layered in (False, True):
                if version == "published" and layered:
                    continue
                for seed in settings.seeds:
                    requests = workload.requests(setup, service, rate, seed)
                    free = replace(setup.semantics, layered=layered, link_bytes_per_s=math.inf)
                    least = simulate(design, requests, free).e2e_s.mean()
                    for gbit in (DEFAULT_LINK, *settings.gbit_per_s):
                        semantics = replace(free, link_bytes_per_s=gbit * 1e9 / 8 or None)
                        mean_s = simulate(design, requests, semantics).e2e_s.mean()
                        if math.isnan(mean_s):
                            continue
                        rows.append(
                            {
                                "version": version,
                                "service": service,
                                "way": "layers" if layered else "whole",
                                "gbit_per_s": gbit,
                                "metric": "overhead",
                                "unit": "fraction",
                                "value": mean_s / least - 1,
                                "seed": seed,
                            }
                        )
            step(f"{service}, {version}")
    return tidy(rows, tier=SIMULATED)
