"""Energy per work where a policy chooses processor and storage by profile, and where it chooses the server alone."""

from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.hardware_selection import (
    NEW,
    OLD,
    STORAGE,
    chosen_processors,
    chosen_storage,
    loads,
    needs,
    old_servers,
    power,
)
from jouleproof.studies.placement.scenarios import scene

WAYS = {"server alone": (False, False), "processor": (True, False), "storage": (False, True), "both": (True, True)}


def processors(config: PlacementConfig) -> pd.DataFrame:
    """By what is chosen by profile: joules per work, over those where neither is; shares of work on the old processor
    and of terabytes on each class of storage. The same workloads are all hosted each time; empty servers are off. late:
    work that comes faster than its servers can do it, a share.
    """
    rows: list[dict[str, Any]] = []
    for seed in range(config.hosting.seeds):
        about = scene(config.fleet, seed)
        fleet = about.score.fleet
        before, after = (loads(fleet, watts) for watts in (about.seen[1], about.score.watts))
        wants = needs(fleet.count, seed)
        order = np.argsort(about.score.stays.first, kind="stable")
        speed, many = OLD.speeds(fleet), old_servers(before, fleet)
        places = tuple(round(each * fleet.count) for each in (config.processors.new, config.processors.old))
        base = None
        for way, (by_processor, by_storage) in WAYS.items():
            old = np.empty(fleet.count, int)
            old[order] = chosen_processors(before[order], fleet.of(order), (places[0], places[1]), by_processor)
            kept = chosen_storage(wants, by_storage)
            mean = after.mean(axis=1)
            carried = np.where(old == 1, many * speed, 1.0)
            late = np.maximum(after - carried[:, None], 0.0).sum() / after.sum()
            watts = np.where(
                old == 1, power(mean, many, speed, OLD), power(mean, np.ones(fleet.count), np.ones(fleet.count), NEW)
            )
            storage_w = np.array([each.watts_per_tb for each in STORAGE])[kept] * wants.tb
            per_work = float((watts + storage_w).sum() / mean.sum())
            base = base or per_work
            values = {
                "joules_per_work": per_work / base, "late": float(late),
                "storage_share": float(storage_w.sum() / watts.sum()),
                "work_on_old": float(mean[old == 1].sum() / mean.sum()),
                **{f"tb_on_{each.name.replace(' ', '_')}": float(wants.tb[kept == number].sum() / wants.tb.sum())
                   for number, each in enumerate(STORAGE)},
            }  # fmt: skip
            rows += [
                {"chosen": way, "metric": metric, "value": value, "seed": seed} for metric, value in values.items()
            ]
    return tidy(rows, unit="ratio", tier=SIMULATED)
