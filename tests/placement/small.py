"""Small fleets and periods, and a power trace of a simulated cluster that is not one."""

import numpy as np
import pandas as pd

from jouleproof.power.time_grid import WEEK
from jouleproof.power.workloads import Fleet, Stays
from jouleproof.studies.placement.config import FleetConfig, HostingConfig, PlacementConfig
from jouleproof.studies.placement.evaluation import Period

CONFIG = PlacementConfig(fleet=FleetConfig(servers=20), hosting=HostingConfig(seeds=2, rows=[4, 10]))


def plain_fleet(watts, nameplate_w=100.0, idle_w=10.0):
    """Workloads of one kind, each of its own tenant."""
    watts = np.asarray(watts, dtype=float)
    count = len(watts)
    zeros = np.zeros(count, int)
    return Fleet(("batch",), zeros, zeros, zeros, np.arange(count), np.zeros(count, bool), zeros, watts, nameplate_w,
                 idle_w, nameplate_w)  # fmt: skip


def period(watts, first=None, last=None, **about):
    """Workloads that draw what `watts`, (workloads,) or (workloads, slots), says, over a week."""
    watts = np.asarray(watts, dtype=float)
    if watts.ndim == 1:
        watts = np.repeat(watts[:, None], WEEK, axis=1)
    count, slots = watts.shape
    stays = Stays(
        np.zeros(count, np.int64) if first is None else np.asarray(first),
        np.full(count, slots) if last is None else np.asarray(last),
    )
    return Period(plain_fleet(watts, **about), watts, stays)


def power_trace(seconds=1200, machines=3, seed=0):
    rng = np.random.default_rng(seed)
    times = np.arange(0, seconds, 2.0)
    rows = [
        pd.DataFrame({"pool": pool, "machine": first + number, "t_s": times,
                      "value": level + spread * rng.random(len(times))})
        for pool, first, level, spread in (("prompt", 0, 2000.0, 4000.0), ("token", 100, 4500.0, 50.0))
        for number in range(machines)
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)
