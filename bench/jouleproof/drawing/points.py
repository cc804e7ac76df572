"""Points with intervals computed by this project, never by a plotting library's own resampling."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from jouleproof.drawing.select import where
from jouleproof.evidence.intervals import Estimate, mean_interval

Coordinates = Estimate | Sequence[Estimate] | pd.DataFrame | Any  # Any: plain numbers, which have no interval


def points(axis: Axes, x: Coordinates, y: Coordinates, **look: Any) -> None:
    """Draw points, not joined unless `ls` says so, with a bar over the interval of each estimate.

    x, y: numbers, estimates, or a table of estimates as `over_seeds` makes it. look: as Axes.errorbar takes it.
    """
    (across, across_bars), (up, up_bars) = _with_bars(x), _with_bars(y)
    axis.errorbar(across, up, yerr=up_bars, xerr=across_bars, **{"ls": "", **look})


def estimate_in(values: "pd.Series[float]", metric: str) -> Estimate:
    """Estimate of a metric whose interval's ends the table has as `metric_low` and `metric_high`. values: by metric."""
    return Estimate(*(float(values[f"{metric}{end}"]) for end in ("", "_low", "_high")))


def mean_of(table: pd.DataFrame, weight: str | None = None, **levels: Any) -> Estimate:
    """Mean and 95 % interval of the rows that have these levels. weight: the column that weights a row."""
    rows = where(table, **levels)
    return mean_interval(rows["value"].to_numpy(), None if weight is None else rows[weight].to_numpy())


def mean_ends(values: "pd.Series[float]") -> tuple[float, float]:
    """Ends of the mean's 95 % interval, in the form of a function for seaborn's `errorbar`."""
    mean = mean_interval(values.to_numpy())
    return mean.low, mean.high


def median_and_ends(values: "pd.Series[float]") -> Estimate:
    """Median, minimum and maximum, the range of the bars if only a few rounds were timed."""
    return Estimate(float(values.median()), float(values.min()), float(values.max()))


def over_seeds(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Mean (value) and its 95 % interval (low, high) for every combination of the columns `by`, in their order."""
    groups = rows.groupby(list(by), sort=False)["value"]
    means = {key: mean_interval(values.to_numpy()) for key, values in groups}
    index = pd.MultiIndex.from_tuples(means) if len(by) > 1 else pd.Index([key[0] for key in means])
    table = pd.DataFrame([(mean.value, mean.low, mean.high) for mean in means.values()], index=index)
    table.index.names = list(by)
    return table.set_axis(["value", "low", "high"], axis=1)


def apart(place: int, count: int, width: float) -> float:
    """Offset from the middle of the mark at `place` among `count` marks in a row that share `width`."""
    return width * ((place + 0.5) / count - 0.5)


def _with_bars(coordinates: Coordinates) -> tuple[Any, np.ndarray | None]:
    """Numbers, and the lengths of their bars below and above; no bars for plain numbers."""
    if isinstance(coordinates, Estimate):
        coordinates = [coordinates]
    if isinstance(coordinates, pd.DataFrame):
        values, low, high = (coordinates[name].to_numpy() for name in ("value", "low", "high"))
    elif isinstance(coordinates, list) and coordinates and isinstance(coordinates[0], Estimate):
        ends = [(estimate.value, estimate.low, estimate.high) for estimate in coordinates]
        values, low, high = np.array(ends).T
    else:
        return coordinates, None
    return values, np.array([values - low, high - values])
