"""Highest peak of a row over the lowest possible, found by branch and bound, where a given set of workloads is divided
over a few rows, by rule. Means over seeds; gap: distance of the search's bound from its result."""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import where
from jouleproof.drawing.style import RULE_LABELS, Look

TITLE = "Distance from the optimum"
SOURCES = ["placement/bounds"]


def tabulate(bounds: pd.DataFrame) -> pd.DataFrame:
    means = bounds.groupby(["rows", "workloads", "rule", "metric"])["value"].mean().reset_index()
    rows = []
    for (wide, count), group in means.groupby(["rows", "workloads"]):
        by_rule = where(group, metric="over_least").set_index("rule")["value"]
        over_least: Look = {RULE_LABELS.get(str(rule), str(rule)): fixed(value, 3) for rule, value in by_rule.items()}
        gap = fixed(where(group, metric="gap")["value"].iloc[0], 4)
        rows.append({"rows": str(wide), "workloads": str(count), **over_least, "gap of the search": gap})
    return pd.DataFrame(rows)
