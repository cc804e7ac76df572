"""Releases of telemetry: numbers disclosed of a workload in a week, work hosted over that with every reading disclosed,
and the best attacker's gain over guessing (percentage points) on the class, the model, the prompt length, the class in
a fleet of another mix, and the identity of a workload a week later. Means over seeds."""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.style import RELEASE_LABELS

TITLE = "What releases disclose"
SOURCES = ["placement/leakage"]
COLUMNS = {
    "kind": "class",
    "elsewhere": "class, another mix",
    "model": "model",
    "length": "prompts",
    "identity": "identity",
}


def tabulate(leakage: pd.DataFrame) -> pd.DataFrame:
    means = leakage.groupby(["release", "metric"], sort=False)["value"].mean().unstack("metric", sort=False)
    return pd.DataFrame(
        {
            "release": RELEASE_LABELS.get(str(name), str(name)),
            "numbers": fixed(row["numbers"], 0),
            "value": fixed(row["value"], 3),
            **{label: f"{100 * row[metric]:+.0f}" for metric, label in COLUMNS.items()},
        }
        for name, row in means.dropna(subset="value").iterrows()
    )
