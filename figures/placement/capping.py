"""One row of inference servers with servers added (the share nearest to 0.3 of those tried), at the largest headroom:
brakes a day, minutes a day for which a server of low and of high priority is slowed, 99th percentile of the latency
factor, work left undone at the end, and the most servers that could be added, by controller and by the share of a
request's time that scales with the clock. Double pace: undone work is made up for as fast as new work is done. Means
over seeds."""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import unique, where

TITLE = "Capping by priority"
SOURCES = ["placement/oversubscription"]
ADDED = 0.3
CONTROLLERS = {"none": "brake alone", "polca": "POLCA", "three_band": "three bands"}
LAWS = {"by_phase": "prompt", "at_most": "all", "hasty": "prompt, double pace"}


def tabulate(oversubscription: pd.DataFrame) -> pd.DataFrame:
    roomiest = where(oversubscription, headroom=oversubscription["headroom"].max())
    tried = set(roomiest[roomiest["added"] >= 0]["added"])
    nearest = min(tried, key=lambda share: abs(share - ADDED))
    means = roomiest.groupby(["controller", "latency", "added", "metric"], sort=False)["value"].mean()
    rows = []
    for controller, law in unique(zip(roomiest["controller"], roomiest["latency"], strict=True)):
        row = means[controller, law, nearest]
        rows.append(
            {
                "controller": CONTROLLERS.get(controller, controller),
                "scales with clock": LAWS.get(law, law),
                "most added (%)": fixed(means[controller, law, -1.0, "most_added"], 0, 100),
                "brakes (1/day)": fixed(row["brakes_per_day"], 1),
                "low slowed (min/day)": fixed(row["low_slowed_per_day"], 0),
                "high slowed (min/day)": fixed(row["high_slowed_per_day"], 0),
                "low P99 (x)": fixed(row["low_p99"], 2),
                "high P99 (x)": fixed(row["high_p99"], 2),
                "undone (%)": fixed(row["lost"], 1, 100),
            }
        )
    return pd.DataFrame(rows)
