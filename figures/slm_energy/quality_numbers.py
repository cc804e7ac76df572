"""Scores of every model on every task, with the weights of its linear layers rounded to every format: means over the
items, weighted by bytes for scores per byte, with 95 % intervals (Wilson's for shares of right answers). Formats other
than float32 were tested only on the first items, so compare them with float32 item by item, not with its mean."""

import pandas as pd

from jouleproof.drawing.cells import spanned
from jouleproof.drawing.style import format_label
from jouleproof.evidence.intervals import Estimate, mean_interval, share_interval

TITLE = "Quality in numbers"
SOURCES = ["slm_energy/quality"]
FACTORS = ["model", "rounded", "task", "metric", "format"]


def tabulate(quality: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(_row(rows) for _, rows in quality.groupby(FACTORS, sort=False))


def _row(rows: pd.DataFrame) -> dict[str, str]:
    first = rows.iloc[0]
    return {
        "model": str(first["model"]),
        "rounded before": str(first["rounded"]),
        "task": str(first["task"]),
        "score": f"{first['metric'].replace('_', ' ')} ({first['unit']})",
        "weights": format_label(first["format"]),
        "items": str(len(rows)),
        "mean": spanned(_mean(rows)),
        "a guess": f"{first['chance']:g}" if first["chance"] else "",
    }


def _mean(rows: pd.DataFrame) -> Estimate:
    if rows["unit"].iloc[0] == "share" and rows["value"].isin((0.0, 1.0)).all():
        return share_interval(int(rows["value"].sum()), len(rows))
    return mean_interval(rows["value"].to_numpy(), rows["weight"].to_numpy())
