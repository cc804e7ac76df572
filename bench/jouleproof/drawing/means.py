"""Means over seeds with their intervals, for figures."""

from collections.abc import Sequence

import pandas as pd

from jouleproof.evidence.intervals import mean_interval


def over_seeds(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The mean (value) and its 95 % interval (low, high) for every combination of the columns `by`, in their order."""
    groups = rows.groupby(list(by), sort=False)["value"]
    means = {key: mean_interval(values.to_numpy()) for key, values in groups}
    index = pd.MultiIndex.from_tuples(means) if len(by) > 1 else pd.Index([key[0] for key in means])
    table = pd.DataFrame([(mean.value, mean.low, mean.high) for mean in means.values()], index=index)
    table.index.names = list(by)
    return table.set_axis(["value", "low", "high"], axis=1)


def bars(means: pd.DataFrame) -> list[list[float]]:
    """Lengths of error bars, below and above, as matplotlib takes them."""
    return [list(means["value"] - means["low"]), list(means["high"] - means["value"])]
