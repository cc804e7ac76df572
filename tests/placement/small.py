"""Small fleets and periods, and a power trace like that of a simulated cluster."""

import numpy as np
import pandas as pd

from jouleproof.power.time_grid import WEEK
from jouleproof.power.workloads import Fleet, Stays
from jouleproof.studies.placement.config import FleetConfig, HostingConfig, PlacementConfig
from jouleproof.studies.placement.scenario import Period

CONFIG = PlacementConfig(fleet=FleetConfig(servers=20), hosting=HostingConfig(seeds=2, rows=[4, 10]))


def plain_fleet(watts, nameplate_w=100.0, idle_w=10.0):
    """Make workloads of one kind, each with its own tenant."""
    watts = np.asarray(watts, dtype=float)
    zeros = np.zeros(len(watts), int)
    return Fleet(
        kinds=("batch",),
        **dict.fromkeys(("kind", "model", "length", "offset"), zeros),
        tenant=np.arange(len(watts)),
        critical=zeros == 1,
        watts=watts,
        nameplate_w=nameplate_w,
        idle_w=idle_w,
        most_w=nameplate_w,
    )


def period(watts, first=None, last=None):
    """Make a period in which workloads draw `watts`, (workloads,) or (workloads, slots)."""
    watts = np.asarray(watts, dtype=float)
    if watts.ndim == 1:
        watts = np.repeat(watts[:, None], WEEK, axis=1)
    count, slots = watts.shape
    first, last = np.zeros(count, int) if first is None else first, np.full(count, slots) if last is None else last
    return Period(plain_fleet(watts), Stays(np.asarray(first), np.asarray(last)))


def power_trace(seconds=1200, machines=3, seed=0):
    rng = np.random.default_rng(seed)
    times = np.arange(0, seconds, 2.0)
    rows = []
    for pool, first, level, spread in (("prompt", 0, 2000.0, 4000.0), ("token", 100, 4500.0, 50.0)):
        for machine in range(first, first + machines):
            watts = level + spread * rng.random(len(times))
            rows.append(pd.DataFrame({"pool": pool, "machine": machine, "t_s": times, "value": watts}))
    return pd.concat(rows, ignore_index=True)
