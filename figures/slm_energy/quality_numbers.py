"""What every model was asked, weights of its linear layers rounded to every format: means over the items, weighted by
bytes where a score is of bytes, with 95 % intervals; shares of right answers with Wilson's. Formats other than float32
were asked the first of its items alone, so their means are not to be held against its mean but item by item."""

import pandas as pd

from jouleproof.drawing.style import format_label
from jouleproof.evidence.digits import with_span
from jouleproof.evidence.intervals import Estimate, mean_interval, share_interval

TITLE = "Quality in numbers"
SOURCES = ["slm_energy/quality"]
FACTORS = ["model", "rounded", "task", "metric", "format"]


def tabulate(quality: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([_row(own) for _, own in quality.groupby(FACTORS, sort=False)])


def _row(own: pd.DataFrame) -> dict[str, str]:
    about, found, chance = own.iloc[0], _mean(own), float(own["chance"].iloc[0])
    return {
        "model": str(about["model"]),
        "rounded before": str(about["rounded"]),
        "task": str(about["task"]),
        "score": f"{about['metric'].replace('_', ' ')} ({about['unit']})",
        "weights": format_label(about["format"]),
        "items": str(len(own)),
        "mean": with_span(found.value, found.low, found.high),
        "a guess": f"{chance:g}" if chance else "",
    }


def _mean(own: pd.DataFrame) -> Estimate:
    if own["unit"].iloc[0] == "share" and own["value"].isin((0.0, 1.0)).all():
        return share_interval(int(own["value"].sum()), len(own))
    return mean_interval(own["value"].to_numpy(), own["weight"].to_numpy())
