"""A given set of workloads divided over a few rows: the highest peak of a row over the least that there is, found by
branch and bound, by rule. Means over seeds; gap: how far the search's own bound was from its result."""

import pandas as pd

from figures.style import RULE_LABELS

TITLE = "How far from the best"
SOURCES = ["placement/bounds"]


def tabulate(bounds: pd.DataFrame) -> pd.DataFrame:
    means = bounds.groupby(["rows", "workloads", "rule", "metric"])["value"].mean()
    rows = []
    for (wide, count), own in means.groupby(level=["rows", "workloads"]):
        row = {"rows": str(wide), "workloads": str(count)}
        for (_, _, rule, metric), value in own.items():
            if metric == "over_least":
                row[RULE_LABELS.get(rule, rule)] = f"{value:.3f}"
        rows.append({**row, "gap of the search": f"{means[wide, count, 'least', 'gap']:.4f}"})
    return pd.DataFrame(rows)
