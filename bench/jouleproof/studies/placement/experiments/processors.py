"""Energy per unit of work where a policy chooses processor and storage by profile, and where it chooses only the
server."""

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
from jouleproof.studies.placement.scenario import make_scenario
from jouleproof.studies.placement.table import Metrics, Row, rows

WAYS = {"server alone": (False, False), "processor": (True, False), "storage": (False, True), "both": (True, True)}
TB_ON = [f"tb_on_{storage.name.replace(' ', '_')}" for storage in STORAGE]
METRICS: Metrics = {
    "joules_per_work": ("ratio", "over those where neither processor nor storage is chosen by profile"),
    "late": ("share", "of the work that arrives faster than its servers can do it"),
    "storage_share": ("ratio", "power of storage, over that of servers"),
    "work_on_old": ("share", "of the work on the old processor"),
    **dict.fromkeys(TB_ON, ("share", "of the terabytes on that class of storage")),
}


def processors(config: PlacementConfig) -> pd.DataFrame:
    """Return METRICS by what is chosen by profile. Every case hosts the same workloads; empty servers are
    off."""
    table: list[Row] = []
    for seed in range(config.hosting.seeds):
        scenario = make_scenario(config.fleet, seed)
        fleet, week = scenario.fleet, scenario.period()
        before, after = (loads(fleet, watts) for watts in (scenario.readings(), week.fleet.watts))
        mean = after.mean(axis=1)
        wants = needs(fleet.count, seed)
        order = np.argsort(week.stays.first, kind="stable")
        speed, many = OLD.speeds(fleet), old_servers(before, fleet)
        places = (round(config.processors.new * fleet.count), round(config.processors.old * fleet.count))
        base = None
        for way, (by_processor, by_storage) in WAYS.items():
            old = np.empty(fleet.count, bool)
            old[order] = chosen_processors(before[order], fleet.of(order), places, by_processor) == 1
            kept = chosen_storage(wants, by_storage)
            carried = np.where(old, many * speed, 1.0)
            late = np.maximum(after - carried[:, None], 0.0).sum() / after.sum()
            alone = np.ones(fleet.count)
            watts = np.where(old, power(mean, many, speed, OLD), power(mean, alone, alone, NEW))
            storage_w = np.array([storage.watts_per_tb for storage in STORAGE])[kept] * wants.tb
            per_work = float((watts + storage_w).sum() / mean.sum())
            base = base or per_work
            values = {
                "joules_per_work": per_work / base,
                "late": float(late),
                "storage_share": float(storage_w.sum() / watts.sum()),
                "work_on_old": float(mean[old].sum() / mean.sum()),
                **{name: float(wants.tb[kept == number].sum() / wants.tb.sum()) for number, name in enumerate(TB_ON)},
            }
            table += rows(METRICS, values, chosen=way, seed=seed)
    return tidy(table, tier=SIMULATED)
