"""Oversubscription of one row of inference servers under a controller: how many servers can be added before it brakes
or users notice."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.capping import CATCH_UP, PRIORITIES, CappedRow, simulate
from jouleproof.power.time_grid import DAY
from jouleproof.power.traces import pieces_of, samples, textures_of
from jouleproof.power.workloads import KINDS, Fleet, fleet
from jouleproof.progress import steps
from jouleproof.studies.placement.config import OversubscriptionConfig, PlacementConfig
from jouleproof.studies.placement.registry import controllers
from jouleproof.studies.placement.table import Metrics, Row, rows

INFERENCE = ("prompt", "token", "office", "evening", "always")
PROMPT = 0.095 / 0.493  # share of a median coding request on an H100 (Splitwise, table 4; of a conversation, 0.025)
LAWS = {"by_phase": (PROMPT, CATCH_UP), "at_most": (1.0, CATCH_UP), "hasty": (PROMPT, 1.0)}
"""Share of a request's time that a slower clock stretches (the prompt's, as decoding hardly depends on the clock, or
all), and share of the current work done on top to make up for undone work."""
UNDONE = 0.01  # largest share of work left undone at the end: an assumption
TARGETS = {(1, 50): 1.01, (1, 99): 1.05, (0, 50): 1.05, (0, 99): 1.50}  # priority (high: 1), percentile: latency factor
METRICS: Metrics = {
    "brakes_per_day": ("1/d", "brakes of all servers"),
    "peak": ("ratio", "highest sample, over the budget"),
    "lost": ("share", "work left undone at the end"),
    **{f"{word}_slowed": ("share", "time at a slower clock, by priority") for word in PRIORITIES},
    **{f"{word}_slowed_per_day": ("min/d", "the same, in minutes a day") for word in PRIORITIES},
    **{f"{word}_p50": ("x", "median latency, over that at the highest clock, by priority") for word in PRIORITIES},
    **{f"{word}_p99": ("x", "99th percentile of the same") for word in PRIORITIES},
    "most_added": ("share", "added servers up to which nothing brakes, TARGETS hold and at most UNDONE is left undone"),
}


def oversubscription(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Return METRICS by headroom of the row before servers are added, controller, share of servers added (-1: not
    applicable), and law of latency."""
    settings, textures = config.oversubscription, textures_of(power_trace)
    named = controllers(settings.controllers)
    step = steps("placement oversubscription", config.hosting.seeds)
    table: list[Row] = []
    for seed in range(config.hosting.seeds):
        workloads = _inference(settings, seed)
        pieces = pieces_of(workloads, textures)
        base = samples(workloads, np.arange(settings.servers), pieces).max()
        for headroom, (name, controller), (law, (bound, catch_up)) in product(
            settings.headrooms, named.items(), LAWS.items()
        ):
            case = {"headroom": headroom, "controller": name, "latency": law, "seed": seed}
            budget_w, most, holds = float(base / (1 - headroom)), 0.0, True
            for added in settings.added:
                row = np.arange(round(settings.servers * (1 + added)))
                capped = simulate(workloads.of(row), pieces.of(row), budget_w, controller, bound, catch_up)
                table += rows(METRICS, _values(capped, budget_w, settings.days), **case, added=added)
                holds = holds and _bearable(capped)
                most = added if holds else most
            table += rows(METRICS, {"most_added": most}, **case, added=-1.0)
        step(f"seed {seed}")
    return tidy(table, tier=SIMULATED)


def _inference(settings: OversubscriptionConfig, seed: int) -> Fleet:
    """Make inference workloads with the watts of the days from Tuesday on. Half of the tenants have low priority."""
    count = round(settings.servers * (1 + max(settings.added)))
    workloads = fleet(count, 2, seed, kinds={name: KINDS[name] for name in INFERENCE})
    rng = np.random.default_rng([seed, 9])
    critical = rng.random(workloads.tenant.max() + 1) < 0.5
    watts = workloads.watts[:, DAY : DAY + settings.days * DAY].astype(np.float64)
    return replace(workloads, critical=critical[workloads.tenant], watts=watts).of(rng.permutation(count))


def _values(capped: CappedRow, budget_w: float, days: int) -> dict[str, float]:
    values = {
        "brakes_per_day": capped.brakes / days,
        "peak": float(capped.peak_w.max()) / budget_w,
        "lost": capped.lost,
    }
    for priority, word in enumerate(PRIORITIES):
        slowed = capped.slowed(priority)
        values |= {f"{word}_slowed": slowed, f"{word}_slowed_per_day": slowed * 24 * 60}
        values |= {f"{word}_p{percent}": capped.latency_factor(priority, percent) for percent in (50, 99)}
    return values


def _bearable(capped: CappedRow) -> bool:
    return (
        capped.brakes == 0
        and capped.lost <= UNDONE
        and all(capped.latency_factor(priority, percent) <= limit for (priority, percent), limit in TARGETS.items())
    )
