"""Published policies, described by their information and their rule, in rows of ten servers of the default run: margin
on the budgets from the week before, and with it the work hosted over what nameplates allow for (95 % interval),
realised risk and stranded power; work with a margin set in hindsight, at which all run the same risk; and, with the
margin from the week before, power brakes of a row and minutes for which workloads of low and of high priority are
slowed, in rows replayed at 2 s under a controller. Nameplate: no margin. Oracle: knows the coming week, and its margin
uses up the target risk. Means over seeds."""

import pandas as pd

from jouleproof.drawing.cells import fixed, mean_with_interval
from jouleproof.drawing.select import where

TITLE = "Published policies"
SOURCES = ["placement/policies"]
LABELS = {
    "nameplate": "nameplate",
    "blind": "margin alone, best fit",
    "blind_spread": "margin alone, spread",
    "resource_central": "Resource Central",
    "prediction_based": "prediction-based",
    "coach": "Coach, windows",
    "scattered": "mean week, best fit",
    "smooth_operator": "SmoothOperator",
    "profile": "profile, asynchrony",
    "oracle": "oracle",
}


def tabulate(policies: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(_row(str(name), rows) for name, rows in policies.groupby("policy", sort=False))


def _row(name: str, rows: pd.DataFrame) -> dict[str, str]:
    means = rows.groupby("metric")["value"].mean()
    return {
        "policy": LABELS.get(name, name),
        "margin": fixed(means["margin"], 2),
        "work": mean_with_interval(where(rows, metric="work")["value"], 2),
        "risk (1/1000)": fixed(means["risk"], 1, 1000),
        "stranded (%)": fixed(means["stranded"], 1, 100),
        "work at equal risk": fixed(means.get("level_work"), 2, missing=""),
        "brakes (1/day)": fixed(means["brakes"], 0),
        "low slowed (min/day)": fixed(means["low_slowed"], 0),
        "high slowed (min/day)": fixed(means["high_slowed"], 0),
    }
