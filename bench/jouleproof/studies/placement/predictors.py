"""Predictors of the profile of a workload without a history, from those of similar workloads."""

from collections.abc import Callable, Mapping

import numpy as np

from jouleproof.power.workloads import Fleet

Predictor = Callable[[np.ndarray, np.ndarray, Fleet], np.ndarray]
"""Function from (workloads, slots) watts, which workloads have a history, and the fleet, to the profiles of all."""


def nameplate(profiles: np.ndarray, seen: np.ndarray, fleet: Fleet) -> np.ndarray:
    return np.where(seen[:, None], profiles, fleet.nameplate_w)


def fleet_peak(profiles: np.ndarray, seen: np.ndarray, fleet: Fleet) -> np.ndarray:
    """Predict, for every slot, the 95th percentile of the peaks of the workloads with a history."""
    return np.where(seen[:, None], profiles, np.percentile(profiles[seen].max(axis=1), 95))


def fleet_mean(profiles: np.ndarray, seen: np.ndarray, fleet: Fleet) -> np.ndarray:
    return np.where(seen[:, None], profiles, profiles[seen].mean(axis=0))


def class_mean(profiles: np.ndarray, seen: np.ndarray, fleet: Fleet) -> np.ndarray:
    return _mean_of(profiles, seen, fleet.kind, fleet_mean(profiles, seen, fleet))


def tenant_mean(profiles: np.ndarray, seen: np.ndarray, fleet: Fleet) -> np.ndarray:
    """Predict the mean of the tenant's workloads, or that of the class where the tenant is new."""
    return _mean_of(profiles, seen, fleet.tenant, class_mean(profiles, seen, fleet))


def true_profile(profiles: np.ndarray, seen: np.ndarray, fleet: Fleet) -> np.ndarray:
    """Return the true profiles, as if every workload had a history."""
    return profiles


PREDICTORS: Mapping[str, Predictor] = {
    "nameplate": nameplate,
    "fleet_peak": fleet_peak,
    "fleet_mean": fleet_mean,
    "class_mean": class_mean,
    "tenant_mean": tenant_mean,
    "own": true_profile,
}


def _mean_of(profiles: np.ndarray, seen: np.ndarray, group: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    means = otherwise.copy()
    for number in np.unique(group[~seen]):
        alike = seen & (group == number)
        if alike.any():
            means[~seen & (group == number)] = profiles[alike].mean(axis=0)
    return means


def wrong_by(profiles: np.ndarray, seen: np.ndarray, level: float, hours: float, seed: int) -> np.ndarray:
    """Return profiles with errors in those of workloads without a history: a factor drawn from 1 ± level, and a shift
    by up to `hours`."""
    rng = np.random.default_rng([seed, 5])
    count, slots = profiles.shape
    factor = 1 + level * rng.uniform(-1, 1, (count, 1))
    shift = np.round(rng.uniform(-hours, hours, count) * slots / 24).astype(int)
    at = (np.arange(slots)[None, :] - shift[:, None]) % slots
    return np.where(seen[:, None], profiles, np.take_along_axis(profiles, at, axis=1) * factor)
