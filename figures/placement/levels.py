"""A tree of power from one chip to the hall, its rows divided into racks of a quarter more than their share, workloads
placed by the mean with the margin that is set for rows: budget, highest sample of 2 s over it, share of five-minute
slots over it, highest mean of five minutes over the highest sample, and peak over the sum of the peaks one level below.
A chip is a share of its server; its budget is the most that it can draw. Means over nodes and seeds."""

import pandas as pd

TITLE = "From one chip to the hall"
SOURCES = ["placement/precision"]
LEVELS = ("chip", "server", "rack", "row", "hall")
FIVE_MINUTES = 300


def tabulate(precision: pd.DataFrame) -> pd.DataFrame:
    levels = precision[precision["metric"].str.startswith("level_")]
    means = levels[levels["metric"] != "level_seen"].groupby(["level", "metric"])["value"].mean()
    seen = levels[levels["metric"] == "level_seen"].groupby(["level", "window_s"])["value"].mean()
    rows = []
    for level in LEVELS:
        below = means.get((level, "level_of_parts"))
        rows.append(
            {
                "level": level, "looked at": f"{means[level, 'level_nodes']:.0f}",
                "budget (kW)": f"{means[level, 'level_budget'] / 1000:,.1f}",
                "peak over budget": f"{means[level, 'level_peak']:.2f}",
                "over budget (1/1000)": f"{1000 * means[level, 'level_over']:.1f}",
                "seen in 5 min": f"{seen[level, FIVE_MINUTES]:.2f}" if (level, FIVE_MINUTES) in seen else "",
                "over peaks below": "" if below is None else f"{below:.2f}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
