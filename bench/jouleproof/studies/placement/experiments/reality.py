"""Validation of the generated fleet against recorded data: the distribution of power, how well weeks and days repeat,
and how far peaks of different machines even out."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import CITED, MEASURED, SIMULATED, tidy
from jouleproof.inputs import read_cpu_use, read_job_use, read_power_domain
from jouleproof.power.time_grid import DAY, SLOT_S, WEEK
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.recorded import recorded
from jouleproof.studies.placement.scenario import offered
from jouleproof.studies.placement.table import Row

SHARES = np.arange(0, 101, 2.0)
QUARTILES = (25.0, 50.0, 75.0)
REPEATS = {1.0: "weeks repeat", 0.5: "half repeats", 0.0: "nothing repeats"}
GOOGLE = "Google power domains"
TOGETHER, DRAWS = 10, 200


def reality(
    config: PlacementConfig,
    acme_power: pd.DataFrame,
    bitbrains_fragments: Path,
    bitbrains_tasks: Path,
    surf_fragments: Path,
    surf_tasks: Path,
) -> pd.DataFrame:
    """Compare recorded with generated data. power_quantile: over the highest power, by percent of the time. repeats,
    next_day: correlation of a machine's profile by hour of the day with that of the next week or the next day.
    evens_out: sum of the peak loads of ten machines on one day, over the peak of their sum. The last three are
    quantiles over machines or draws (percent 25, 50, 75). had: whether data that only the user can provide are present.
    The fleet is generated at full, half and no predictability in the default run.

    A machine of SURF is a job, from its second midnight on. Measurements of Google's that are flagged as bad are
    replaced by those before them. A user's trace, if the fleet is made from one, is listed under its name.
    """
    servers = acme_power["gpu_server_power_w_seren"].to_numpy()
    acme = np.interp(SHARES, acme_power["cdf_percent"], servers) / servers.max()
    rows = _by_percent("Acme servers", "power_quantile", SHARES, acme, CITED)
    domains = [read_power_domain(Path(path)).ffill().bfill() for path in config.reality.google]
    rows.append({"data": GOOGLE, "metric": "had", "value": float(bool(domains)), "tier": CITED})
    if domains:
        power = np.array([domain.to_numpy() / domain.max() for domain in domains if len(domain) == len(domains[0])])
        rows += _powers(GOOGLE, power, CITED) + _repeats(GOOGLE, power, CITED)
    use = read_cpu_use(bitbrains_fragments, bitbrains_tasks)
    table = use.iloc[: len(use) // WEEK * WEEK].fillna(0.0).to_numpy().T
    active = table[table.mean(axis=1) > 0.005]
    rows += _repeats("Bitbrains", active, MEASURED) + _evens_out("Bitbrains", active, MEASURED)
    jobs = read_job_use(surf_fragments, surf_tasks, 2 * DAY * SLOT_S).to_numpy().T
    rows += _repeats("SURF jobs", jobs, MEASURED) + _evens_out("SURF jobs", jobs, MEASURED)
    if config.fleet.trace is not None:
        trace = recorded(config.fleet.trace)
        taken = trace.name in {GOOGLE, *(row["data"] for row in rows)}
        name = f"trace {trace.name}" if taken else trace.name
        rows += _fleet(name, trace.watts, trace.watts.min(), MEASURED)
    for predictable in config.reality.predictable:
        name = f"generated, {REPEATS.get(predictable, f'{predictable:g} repeats')}"
        generated = offered(config.fleet.generated(predictable), 0)
        rows += _fleet(name, generated.watts.astype(np.float64), generated.idle_w, SIMULATED)
    return tidy(({"percent": 0.0, **row} for row in rows), unit="1")


def _fleet(name: str, watts: np.ndarray, idle_w: float, tier: str) -> list[Row]:
    powers = _powers(name, watts, tier)
    return [*powers, *_repeats(name, watts, tier), *_evens_out(name, watts - idle_w, tier)]


def _powers(name: str, watts: np.ndarray, tier: str) -> list[Row]:
    return _by_percent(name, "power_quantile", SHARES, np.percentile(watts, SHARES) / watts.max(), tier)


def _repeats(name: str, series: np.ndarray, tier: str) -> list[Row]:
    """Return correlations of profiles. series: (machines, slots), NaN where a machine is absent; a period in which a
    machine is not present throughout is left out."""
    rows = []
    for metric, period in (("repeats", WEEK), ("next_day", DAY)):
        whole = series.shape[1] // period
        by_hour = series[:, : whole * period].reshape(len(series), whole, period // DAY, 24, DAY // 24)
        profiles = by_hour.mean(axis=(2, 4))
        before, after = profiles[:, :-1].reshape(-1, 24), profiles[:, 1:].reshape(-1, 24)
        vary = (before.std(axis=1) > 0) & (after.std(axis=1) > 0)  # false where NaN
        alike = [np.corrcoef(one, other)[0, 1] for one, other in zip(before[vary], after[vary], strict=True)]
        rows += _quartiles(name, metric, alike, tier)
    return rows


def _evens_out(name: str, load: np.ndarray, tier: str) -> list[Row]:
    """Return how far the peaks of machines even out on their first whole day."""
    days = load[:, : load.shape[1] // DAY * DAY].reshape(len(load), -1, DAY)
    there = days.mean(axis=2) > 0  # false where NaN
    days = days[there.any(axis=1), there.argmax(axis=1)[there.any(axis=1)]]
    if len(days) < TOGETHER:
        return []
    rng = np.random.default_rng([0, 14])
    tens = (days[rng.choice(len(days), TOGETHER, replace=False)] for _ in range(DRAWS))
    return _quartiles(name, "evens_out", [ten.max(axis=1).sum() / ten.sum(axis=0).max() for ten in tens], tier)


def _quartiles(name: str, metric: str, values: list[float], tier: str) -> list[Row]:
    return _by_percent(name, metric, QUARTILES, np.percentile(values, QUARTILES), tier) if values else []


def _by_percent(name: str, metric: str, percents: Iterable[float], values: np.ndarray, tier: str) -> list[Row]:
    return [
        {"data": name, "percent": percent, "metric": metric, "value": value, "tier": tier}
        for percent, value in zip(percents, values, strict=True)
    ]
