"""One row of inference servers under a controller: how many more fit before it brakes or users notice."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power import capping
from jouleproof.power.capping import CATCH_UP, Controlled
from jouleproof.power.time_grid import DAY
from jouleproof.power.traces import pieces, samples, textures
from jouleproof.power.workloads import KINDS, Fleet, Rhythm, fleet
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.registry import controllers

INFERENCE = ("prompt", "token", "office", "evening", "always")
PROMPT = 0.095 / 0.493  # of a median coding request's time on an H100 (Splitwise, table 4; a conversation's is 0.025)
LAWS = {"by_phase": (PROMPT, CATCH_UP), "at_most": (1.0, CATCH_UP), "hasty": (PROMPT, 1.0)}
"""Share of a request's time that a slower clock stretches: the prompt's, as decoding hardly minds the clock, or all of
it; and with what share on top undone work is made up."""
UNDONE = 0.01  # share of the work that may be left undone after the days; an assumption
TARGETS = {(1, 50): 1.01, (1, 99): 1.05, (0, 50): 1.05, (0, 99): 1.50}  # priority (high: 1), percentile: latency factor


def oversubscription(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """By headroom of the row before servers are added, controller, share added, and law of latency: power brakes a day,
    latency factors by priority, share of the time and minutes a day that servers are slowed, peak over budget, work
    left undone. most_added: the largest share up to which nothing brakes, the latency targets of the source hold, and
    no more work is left undone than may be.
    """
    settings, known = config.oversubscription, textures(power_trace)
    found = controllers(settings.controllers)
    step = steps("placement oversubscription", config.hosting.seeds)
    rows: list[dict[str, Any]] = []
    for seed in range(config.hosting.seeds):
        workloads = _inference(config, seed)
        begin = DAY  # Tuesday
        watts = workloads.watts[:, begin : begin + settings.days * DAY].astype(np.float64)
        textured = pieces(workloads, KINDS, known)
        base = samples(workloads, watts, np.arange(settings.servers), known).max()
        for headroom in settings.headrooms:
            for (name, controller), (law, (bound, catch_up)) in product(found.items(), LAWS.items()):
                about = {"headroom": headroom, "controller": name, "latency": law, "seed": seed}
                budget, most, holds = float(base / (1 - headroom)), 0.0, True
                for added in settings.added:
                    count = round(settings.servers * (1 + added))
                    parts = (textured[0], textured[1][:count], textured[2][:count])
                    done = capping.run(
                        watts[:count], parts, workloads.offset[:count], workloads.critical[:count], budget,
                        workloads.idle_w, workloads.most_w, controller, bound, catch_up,
                    )  # fmt: skip
                    rows += [{**about, "added": added, **row} for row in _outcome(done, budget, settings.days)]
                    holds = holds and _bearable(done)
                    most = added if holds else most
                rows.append({**about, "added": -1.0, "metric": "most_added", "unit": "share", "value": most})
        step(f"seed {seed}")
    return tidy(rows, tier=SIMULATED)


def _inference(config: PlacementConfig, seed: int) -> Fleet:
    """Half of the tenants are of low priority."""
    settings = config.oversubscription
    count = round(settings.servers * (1 + max(settings.added)))
    kinds = {name: KINDS[name] for name in INFERENCE}
    workloads = fleet(count, 2, seed, Rhythm(), kinds)
    rng = np.random.default_rng([seed, 9])
    critical = rng.random(workloads.tenant.max() + 1) < 0.5
    order = rng.permutation(count)
    return Fleet(**{**vars(workloads), "critical": critical[workloads.tenant]}).of(order)


def _outcome(done: Controlled, budget: float, days: int) -> list[dict[str, Any]]:
    rows = [
        {"metric": "brakes_per_day", "unit": "1/d", "value": done.brakes / days},
        {"metric": "peak", "unit": "ratio", "value": float(done.peak_w.max()) / budget},
        {"metric": "lost", "unit": "share", "value": done.lost},
    ]
    for priority, word in enumerate(("low", "high")):
        slowed = float(done.shares[priority][done.clocks[priority] < 1].sum())
        rows += [{"metric": f"{word}_slowed", "unit": "share", "value": slowed},
                 {"metric": f"{word}_slowed_per_day", "unit": "min/d", "value": slowed * 24 * 60}]  # fmt: skip
        rows += [{"metric": f"{word}_p{percent}", "unit": "x", "value": done.latency_factor(priority, percent)}
                 for percent in (50, 99)]  # fmt: skip
    return rows


def _bearable(done: Controlled) -> bool:
    return (
        done.brakes == 0
        and done.lost <= UNDONE
        and all(done.latency_factor(priority, percent) <= limit for (priority, percent), limit in TARGETS.items())
    )
