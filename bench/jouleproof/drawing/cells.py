"""Table cells with a fixed number of decimals; evidence.digits formats four significant digits."""

import pandas as pd

from jouleproof.evidence.digits import with_span
from jouleproof.evidence.intervals import Estimate, mean_interval

MISSING = "–"


def fixed(value: float | None, digits: int, factor: float = 1.0, missing: str = MISSING) -> str:
    """Format a number in the unit that `factor` leads to; `missing` if there is none."""
    return missing if value is None or pd.isna(value) else f"{factor * value:.{digits}f}"


def with_interval(estimate: Estimate, digits: int, factor: float = 1.0, sign: str = "-") -> str:
    """Format `value [low, high]`. sign: "+" shows the sign of positive numbers too."""
    ends = (factor * end for end in (estimate.value, estimate.low, estimate.high))
    value, low, high = (f"{end:{sign}.{digits}f}" for end in ends)
    return f"{value} [{low}, {high}]"


def mean_with_interval(values: "pd.Series[float]", digits: int) -> str:
    """Format the mean with its 95 % interval; empty if there are no values."""
    return with_interval(mean_interval(values.to_numpy()), digits) if len(values) else ""


def with_ends(middle: float, values: "pd.Series[float]", digits: int, factor: float = 1.0) -> str:
    """Format a mean or median with the lowest and the highest value, in brackets."""
    return with_interval(Estimate(middle, float(values.min()), float(values.max())), digits, factor)


def spanned(estimate: Estimate) -> str:
    """Format an estimate with its interval, four significant digits each."""
    return with_span(estimate.value, estimate.low, estimate.high)
