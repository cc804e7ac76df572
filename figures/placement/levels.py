"""A power domain tree from one chip to the hall, with rows divided into racks of a quarter more than their share, and
workloads placed by the mean with the margin that is set for rows: budget, highest sample of 2 s over it, share of
five-minute slots over it, highest five-minute mean over the highest sample, and peak over the sum of the peaks one
level below. A chip is an assumed share of its server; its budget is its highest power. Means over nodes and seeds."""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import where

TITLE = "From one chip to the hall"
SOURCES = ["placement/precision"]
LEVELS = ("chip", "server", "rack", "row", "hall")
FIVE_MINUTES = 300


def tabulate(precision: pd.DataFrame) -> pd.DataFrame:
    means = precision[precision["metric"] != "level_seen"].groupby(["level", "metric"])["value"].mean()
    seen = where(precision, metric="level_seen", window_s=FIVE_MINUTES).groupby("level")["value"].mean()
    return pd.DataFrame(
        {
            "level": level,
            "examined": fixed(means[level, "level_nodes"], 0),
            "budget (kW)": f"{means[level, 'level_budget'] / 1000:,.1f}",
            "peak over budget": fixed(means[level, "level_peak"], 2),
            "over budget (1/1000)": fixed(means[level, "level_over"], 1, 1000),
            "seen in 5 min": fixed(seen.get(level), 2, missing=""),
            "over peaks below": fixed(means.get((level, "level_of_parts")), 2, missing=""),
        }
        for level in LEVELS
    )
