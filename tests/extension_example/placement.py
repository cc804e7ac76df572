"""Custom parts of placement: a workload profile, a rule that chooses by it, a whole policy, a predictor, a fleet, and
more."""

import numpy as np
import pandas as pd

from jouleproof.power.controllers import Controller
from jouleproof.power.sensors import Sensor
from jouleproof.power.workloads import Fleet
from jouleproof.studies.placement.policy import Policy
from jouleproof.studies.placement.profiles import Information
from jouleproof.studies.placement.releases import Release
from jouleproof.studies.placement.rules import Rule


def _median(readings: np.ndarray, fleet: Fleet) -> np.ndarray:
    return np.median(readings, axis=1, keepdims=True)


MEDIAN = Information(_median, "median of the week")
FLAT = Rule(above_mean=1.0)
MINE = Policy(MEDIAN, FLAT, "median, flat rows")


def largest(profiles: np.ndarray, seen: np.ndarray, fleet: Fleet) -> np.ndarray:
    """Predict that a workload without history needs as much as the largest of those that have one."""
    return np.where(seen[:, None], profiles, profiles[seen].max(axis=0))


WHOLE_KW = Release(
    disclose=lambda readings, fleet, rng: np.ceil(readings.mean(axis=1, keepdims=True) / 1000),
    used=lambda released, fleet: released * 1000,
    numbers=1,
    words="mean in whole kW",
)
HALF = Controller(first=0.9, second=0.95, low=0.5, lower=0.5, high=0.5, acts_s=10, source="halves all clocks")
SLOW = Sensor(every_s=600, window_s=600, words="means of ten minutes")


def fleet(workloads=24, weeks=3, step_s=300):
    """Make three weeks of a daily rhythm, no two workloads alike; four tenants, two of which serve waiting users."""
    time = np.arange(0, weeks * 7 * 24 * 3600, step_s)
    number = np.arange(workloads)[:, None]
    load = (
        0.5 + 0.3 * np.sin(2 * np.pi * (time / 86400 + number / workloads)) + 0.1 * np.sin(time / 3600 * (1 + number))
    )
    return pd.DataFrame(
        {
            "workload": np.repeat([f"w{one}" for one in range(workloads)], len(time)),
            "t_s": np.tile(time, workloads),
            "watts": (2000 + 6000 * load).reshape(-1),
            "kind": np.repeat(["web", "training"] * (workloads // 2), len(time)),
            "tenant": np.repeat([f"t{one % 4}" for one in range(workloads)], len(time)),
            "critical": np.repeat([1, 0] * (workloads // 2), len(time)),
        }
    )
