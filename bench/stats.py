"""Intervals: the one bootstrap that every estimate goes through."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap as scipy_bootstrap

CONFIDENCE = 0.95
RESAMPLES = 9_999
SEED = 20_240_926


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; the interval of a constant is that constant."""

    value: float
    low: float
    high: float


def mean_interval(
    samples: Sequence[np.ndarray] | np.ndarray,
    weights: np.ndarray | None = None,
    combine: Callable[..., np.ndarray] = np.min,
) -> Estimate:
    """Weighted mean with its percentile-bootstrap interval, units of resampling along the last axis.

    samples: (units,), or k of them, paired unit by unit, whose k means `combine` reduces to one (the best of k):
        the choice is made anew in every resample, so the interval pays for it.
    weights: (units,), resampled with the samples; all 1 where left out.
    The interval reaches to the value where the best of many draws it away. A single unit, and units that are all
    alike, have no spread: low = value = high.
    """
    stacked = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    weights = np.ones(stacked.shape[1]) if weights is None else np.asarray(weights, dtype=np.float64)

    def statistic(*arrays: np.ndarray, axis: int = -1) -> np.ndarray:
        *values, weight = arrays
        total = weight.sum(axis=axis)
        return combine([(value * weight).sum(axis=axis) / total for value in values], axis=0)

    value = float(statistic(*stacked, weights))
    if (stacked == stacked[:, :1]).all():
        return Estimate(value, value, value)
    interval = scipy_bootstrap(
        (*stacked, weights),
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=1_000,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Estimate(value, min(value, float(interval.low)), max(value, float(interval.high)))
