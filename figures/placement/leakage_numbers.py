"""Releases of telemetry: numbers that leave a workload in a week, work hosted over that with every reading told, and
the best attacker's gain over guessing (percentage points) on the class, the model, the length of prompts, the class in
a fleet of another mix, and on who a workload is a week later. Means over seeds."""

import pandas as pd

from jouleproof.drawing.style import RELEASE_LABELS

TITLE = "What releases give away"
SOURCES = ["placement/leakage"]
COLUMNS = {
    "kind": "class", "elsewhere": "class, another mix", "model": "model", "length": "prompts", "identity": "who it is",
}  # fmt: skip


def tabulate(leakage: pd.DataFrame) -> pd.DataFrame:
    means = leakage.groupby(["release", "metric"], sort=False)["value"].mean()
    rows = []
    for name in dict.fromkeys(leakage["release"]):
        if (name, "value") in means:
            row = {"release": RELEASE_LABELS.get(name, name), "numbers": f"{means[name, 'numbers']:.0f}",
                   "value": f"{means[name, 'value']:.3f}"}  # fmt: skip
            rows.append({**row, **{label: f"{100 * means[name, key]:+.0f}" for key, label in COLUMNS.items()}})
    return pd.DataFrame(rows)
