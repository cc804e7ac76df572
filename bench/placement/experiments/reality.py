"""The generated fleet beside what was recorded: how power is distributed, how far weeks repeat, how far peaks
coincide."""

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
SERVERS_PER_PEAK = 10
IDLE = 0.35  # of a recorded machine's power, where CPU use is turned into power


def reality(config: PlacementConfig, paths: Mapping[str, Path]) -> pd.DataFrame:
    """power_quantile: over the highest, by percent of server-time. repeats: correlation of a machine's profile by hour
    of the day with that of the next week, quantiles over machines (percent 25, 50, 75). peaks_apart: sum of machines'
    peaks over the peak of their sum, groups of ten. generated: the fleet at full and at no predictability.
    """
    cdf = read_power_cdf(paths["acme_power"])
    servers = cdf["gpu_server_power_w_seren"].to_numpy()
    use = read_cpu_use(paths["bitbrains_fragments"], paths["bitbrains_tasks"])
    weeks = len(use) // WEEK
    table = use.iloc[: weeks * WEEK].fillna(0.0).to_numpy().T
    active = table[table.mean(axis=1) > 0.005]
    power = IDLE + (1 - IDLE) * active
    rows: list[dict[str, Any]] = []
    acme = np.interp(SHARES, cdf["cdf_percent"], servers) / servers.max()
    rows += [{"data": "Acme servers", "percent": percent, "metric": "power_quantile", "value": value, "tier": CITED}
             for percent, value in zip(SHARES, acme, strict=True)]  # fmt: skip
    rows += _repeats("Bitbrains", active, MEASURED)
    rows += [{"data": "Bitbrains", "percent": 50.0, "metric": "peaks_apart", "value": _apart(each), "tier": MEASURED,
              "repeat": number} for number, each in enumerate((active, power))]  # fmt: skip
    for predictable in config.reality.predictable:
        name = f"generated, {predictable:g} predictable"
        if predictable == config.fleet.predictable:
            own = scene(config.fleet, 0).score.fleet
        else:
            own = fleet(round(config.fleet.servers * config.fleet.offered), 3, 0, Rhythm(predictable=predictable))
        found = np.percentile(own.watts, SHARES) / own.watts.max()
        rows += [{"data": name, "percent": percent, "metric": "power_quantile", "value": value, "tier": SIMULATED}
                 for percent, value in zip(SHARES, found, strict=True)]  # fmt: skip
        rows += _repeats(name, own.watts.astype(np.float64), SIMULATED)
        rows.append(
            {"data": name, "percent": 50.0, "metric": "peaks_apart", "value": _apart(own.watts), "tier": SIMULATED}
        )
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


def _apart(series: np.ndarray) -> float:
    """In groups of ten, the median."""
    groups = [
        series[first : first + SERVERS_PER_PEAK]
        for first in range(0, len(series) - SERVERS_PER_PEAK + 1, SERVERS_PER_PEAK)
    ]
    return float(np.median([group.max(axis=1).sum() / group.sum(axis=0).max() for group in groups]))
