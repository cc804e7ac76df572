"""Confidence intervals; every estimate of the project is computed here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import t as student_t

CONFIDENCE = 0.95
FEW_UNITS = 8  # a bootstrap of fewer units is too narrow
RESAMPLES = 9_999
SEED = 20_240_926


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; the interval of a constant is that constant."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Estimate":
        """Convert to another unit. factor: above 0."""
        return Estimate(factor * self.value, factor * self.low, factor * self.high)


def mean_interval(
    samples: Sequence[np.ndarray] | np.ndarray,
    weights: np.ndarray | None = None,
    combine: Callable[..., np.ndarray] = np.min,
) -> Estimate:
    """Weighted mean with its interval: bootstrap percentiles, or Student's t if there are few units.

    samples: (units,), or k of them, paired unit by unit, whose k means `combine` (the smallest, the largest) reduces to
    one. The choice is repeated in every resample, and t's k intervals are widened for k comparisons, so the interval
    accounts for it. weights: (units,), resampled with the samples; all 1 by default. If taking the best of many moves
    the interval away from the value, the interval is extended to the value. A single unit, and units that are all
    equal, have no spread: low = value = high.
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
    if stacked.shape[1] < FEW_UNITS:
        low, high = combine(_student_intervals(stacked, weights), axis=0)
        return Estimate(value, min(value, float(low)), max(value, float(high)))
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


def draws_interval(samples: Sequence[np.ndarray] | np.ndarray, combine: Callable[..., np.ndarray] = np.min) -> Estimate:
    """Median of draws of an uncertain number, with the range that holds 95 % of them.

    samples: (draws,), or k of them, paired draw by draw, which `combine` reduces to one. Draws express how well a
    number is known; more of them do not narrow the range, unlike more units of a mean.
    """
    tail = (1 - CONFIDENCE) / 2
    low, value, high = np.quantile(combine(np.atleast_2d(np.asarray(samples)), axis=0), [tail, 0.5, 1 - tail])
    return Estimate(float(value), float(low), float(high))


def share_interval(right: int, asked: int) -> Estimate:
    """Share of `asked` questions with Wilson's interval, which has a width even if none or all are right."""
    interval = binomtest(right, asked).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(right / asked, float(interval.low), float(interval.high))


def _student_intervals(samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Compute (k, 2) intervals from (k, units) samples, at a confidence at which all k hold simultaneously."""
    k, units = samples.shape
    shares = weights / weights.sum()
    means = (samples * shares).sum(axis=1)
    errors = np.sqrt((np.square(samples - means[:, None]) * np.square(shares)).sum(axis=1) * units / (units - 1))
    reach = student_t.ppf(1 - (1 - CONFIDENCE) / (2 * k), units - 1) * errors
    return np.stack([means - reach, means + reach], axis=1)
