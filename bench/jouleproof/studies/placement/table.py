"""Rows of tables, made from values by metric and the metrics' units."""

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]
Metrics = Mapping[str, tuple[str, str]]  # name to unit and meaning

HOSTED: Metrics = {
    "servers": ("x", "server-time hosted, over what nameplates allow for"),
    "work": ("x", "power above idle, over what the same server-time of the offered workloads draws on average"),
    "risk": ("share", "leaves and five-minute slots over their budget"),
    "turned_away": ("share", "workloads without a place"),
    "stranded": ("share", "of a leaf's budget above the 99.9th percentile of its power"),
    "peak_to_mean": ("x", "peak of a leaf's power, over its mean"),
    "joules_per_work": ("x", "joules per unit of work, over those of the offered workloads"),
}
PLACED: Metrics = {
    **HOSTED,
    "margin": ("x", "factor on the budgets, set in the week before for all fleets together"),
    "over_plain": ("x", "work, over that of best fit with nameplates and no margin"),
    "over_oracle": ("x", "work, over that of an oracle that knows the scored week"),
}


def rows(metrics: Metrics, values: Mapping[str, float], **factors: Any) -> list[Row]:
    return [{**factors, "metric": name, "unit": metrics[name][0], "value": value} for name, value in values.items()]
