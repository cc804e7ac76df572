"""One row of inference servers under a controller: how many more fit before it brakes or users notice."""

from typing import Any

import numpy as np
import pandas as pd

from bench.placement import capping
from bench.placement.capping import Controlled
from bench.placement.config import PlacementConfig
from bench.placement.experiments.precision import samples
from bench.placement.named import controllers
from bench.placement.textures import pieces, textures
from bench.placement.time import DAY
from bench.placement.workloads import KINDS, Fleet, Rhythm, fleet
from bench.progress import steps
from bench.results import SIMULATED, tidy

INFERENCE = ("prompt", "token", "office", "evening", "always")
BOUND_BY_CLOCK = {"by_phase": 0.095 / 0.493, "at_most": 1.0}
"""Share of a request's time that a slower clock stretches: the prompt's, of a median coding request on an H100
(Splitwise, table 4; a conversation's is 0.025), as decoding hardly minds the clock; or all of it."""
TARGETS = {(1, 50): 1.01, (1, 99): 1.05, (0, 50): 1.05, (0, 99): 1.50}  # priority (high: 1), percentile: latency factor


def oversubscription(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """By headroom of the row before servers are added, controller and share added: power brakes a day, latency factors
    by priority (by phase, or at most: bound_by_clock), peak over budget, work lost. most_added: the largest share up to
    which nothing brakes and the latency targets of the source hold.
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
            budget = base / (1 - headroom)
            for name, controller in found.items():
                most, holds = dict.fromkeys(BOUND_BY_CLOCK, 0.0), set(BOUND_BY_CLOCK)
                for added in settings.added:
                    count = round(settings.servers * (1 + added))
                    parts = (textured[0], textured[1][:count], textured[2][:count])
                    done = capping.run(watts[:count], parts, workloads.offset[:count], workloads.critical[:count],
                                       float(budget), workloads.idle_w, controller)  # fmt: skip
                    about = {"headroom": headroom, "controller": name, "added": added, "seed": seed}
                    rows += [{**about, **row} for row in _outcome(done, float(budget), settings.days)]
                    holds = {law for law in holds if _bearable(done, BOUND_BY_CLOCK[law])}
                    most.update(dict.fromkeys(holds, added))
                rows += [{"headroom": headroom, "controller": name, "added": -1.0, "seed": seed, "latency": law,
                          "metric": "most_added", "unit": "share", "value": value}
                         for law, value in most.items()]  # fmt: skip
        step(f"seed {seed}")
    return tidy(({"latency": "-", **row} for row in rows), tier=SIMULATED)


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
    return [
        {"metric": "brakes_per_day", "unit": "1/d", "value": done.brakes / days},
        {"metric": "peak", "unit": "ratio", "value": float(done.peak_w.max()) / budget},
        {"metric": "lost", "unit": "share", "value": done.lost},
        *(
            {"metric": f"{'high' if priority else 'low'}_p{percent}", "unit": "x", "latency": law,
             "value": done.latency_factor(priority, percent, share)}
            for priority, percent in TARGETS
            for law, share in BOUND_BY_CLOCK.items()
        ),
        *(
            {"metric": f"{'high' if priority else 'low'}_slowed", "unit": "share",
             "value": float(done.shares[priority][done.clocks[priority] < 1].sum())}
            for priority in (0, 1)
        ),
    ]  # fmt: skip


def _bearable(done: Controlled, bound_by_clock: float) -> bool:
    return done.brakes == 0 and all(
        done.latency_factor(priority, percent, bound_by_clock) <= limit
        for (priority, percent), limit in TARGETS.items()
    )
