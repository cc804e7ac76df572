"""Speed of the simulator on one core, after compilation: Splitwise-HH serving conversation requests, under published
and corrected rules. The published simulator processed about 730 requests/s when it was run for comparison. Medians over
repeats, with the lowest and the highest."""

import pandas as pd

TITLE = "Speed of the simulator"
SOURCES = ["phase_split/simulator_speed"]


def tabulate(simulator_speed: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for version, group in simulator_speed.groupby("version", sort=False):
        row = {"rules": str(version)}
        for metric, values in group.groupby("metric", sort=False)["value"]:
            low, middle, high = values.min() / 1e3, values.median() / 1e3, values.max() / 1e3
            row[f"{metric} (1000/s)"] = f"{middle:.0f} ({low:.0f} to {high:.0f})"
        rows.append(row)
    return pd.DataFrame(rows)
