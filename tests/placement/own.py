"""A researcher's own information, rule, predictor, release, controller, sensor and policy, named in a config."""

import numpy as np

from bench.placement.controllers import Controller
from bench.placement.policies import Policy
from bench.placement.profiles import Information
from bench.placement.releases import Release
from bench.placement.rules import Rule
from bench.placement.sensors import Sensor


def _median(readings, fleet):
    return np.median(readings, axis=1, keepdims=True)


def largest(profiles, seen, fleet):
    """Of all that have a history."""
    return np.where(seen[:, None], profiles, profiles[seen].max(axis=0))


MEDIAN = Information(_median, "median of the week")
FLAT = Rule(above_mean=1.0)
WHOLE_KW = Release(
    let_out=lambda readings, fleet, rng: np.ceil(readings.mean(axis=1, keepdims=True) / 1000),
    used=lambda released, fleet: released * 1000,
    numbers=1,
    words="mean in whole kW",
)
HALF = Controller(0.9, 0.95, 0.5, 0.5, 0.5, 0.05, 2, 10, "halves all clocks")
SLOW = Sensor(600, 600, "means of ten minutes")
MINE = Policy(MEDIAN, FLAT, "median, flat rows")
