"""Means over seeds with their intervals, for figures."""

from collections.abc import Sequence

import pandas as pd

from jouleproof.evidence.intervals import mean_interval


def over_seeds(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """value, low and high (95 %) of every combination of the columns `by`, in the order of their first rows."""
    groups = rows.groupby(list(by), sort=False)["value"]
    found = {key: mean_interval(values.to_numpy()) for key, values in groups}
    index = pd.MultiIndex.from_tuples(found) if len(by) > 1 else pd.Index([key[0] for key in found])
    table = pd.DataFrame([(each.value, each.low, each.high) for each in found.values()], index=index)
    table.index.names = list(by)
    return table.set_axis(["value", "low", "high"], axis=1)


def bars(found: pd.DataFrame) -> list[list[float]]:
    """Lengths of error bars, as matplotlib takes them."""
    return [list(found["value"] - found["low"]), list(found["high"] - found["value"])]
