"""The generated fleet beside what was recorded: how power is distributed, and how far weeks repeat."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.inputs import read_cpu_use, read_power_cdf
from bench.placement.config import PlacementConfig
from bench.placement.profiles import by_slot
from bench.placement.scenes import scene
from bench.placement.time import WEEK
from bench.placement.workloads import Rhythm, fleet
from bench.results import CITED, MEASURED, SIMULATED, tidy

SHARES = np.arange(0, 101, 2.0)
REPEATS = {1.0: "weeks repeat", 0.5: "half repeats", 0.0: "nothing repeats"}


def reality(config: PlacementConfig, paths: Mapping[str, Path]) -> pd.DataFrame:
    """power_quantile: over the highest, by percent of server-time. repeats: correlation of a machine's profile by hour
    of the day with that of the next week, quantiles over machines (percent 25, 50, 75). generated: the
    fleet at full, half and no predictability in the default run.
    """
    cdf = read_power_cdf(paths["acme_power"])
    servers = cdf["gpu_server_power_w_seren"].to_numpy()
    use = read_cpu_use(paths["bitbrains_fragments"], paths["bitbrains_tasks"])
    weeks = len(use) // WEEK
    table = use.iloc[: weeks * WEEK].fillna(0.0).to_numpy().T
    active = table[table.mean(axis=1) > 0.005]
    rows: list[dict[str, Any]] = []
    acme = np.interp(SHARES, cdf["cdf_percent"], servers) / servers.max()
    rows += [{"data": "Acme servers", "percent": percent, "metric": "power_quantile", "value": value, "tier": CITED}
             for percent, value in zip(SHARES, acme, strict=True)]  # fmt: skip
    rows += _repeats("Bitbrains", active, MEASURED)
    for predictable in config.reality.predictable:
        name = f"generated, {REPEATS.get(predictable, f'{predictable:g} repeats')}"
        if predictable == config.fleet.predictable:
            own = scene(config.fleet, 0).score.fleet
        else:
            own = fleet(round(config.fleet.servers * config.fleet.offered), 3, 0, Rhythm(predictable=predictable))
        found = np.percentile(own.watts, SHARES) / own.watts.max()
        rows += [{"data": name, "percent": percent, "metric": "power_quantile", "value": value, "tier": SIMULATED}
                 for percent, value in zip(SHARES, found, strict=True)]  # fmt: skip
        rows += _repeats(name, own.watts.astype(np.float64), SIMULATED)
    return tidy(rows, unit="1")


def _repeats(name: str, series: np.ndarray, tier: str) -> list[dict[str, Any]]:
    weeks = series.shape[1] // WEEK
    profiles = [by_slot(series[:, week * WEEK : (week + 1) * WEEK], 24).mean(axis=2) for week in range(weeks)]
    found = [
        np.corrcoef(one, other)[0, 1]
        for before, after in pairwise(profiles)
        for one, other in zip(before, after, strict=True)
        if one.std() > 0 and other.std() > 0
    ]
    return [
        {"data": name, "percent": percent, "metric": "repeats", "value": np.percentile(found, percent), "tier": tier}
        for percent in (25.0, 50.0, 75.0)
    ]
