"""Highest load that meets all nine service levels (requests/s), rules corrected, at the power of 40 H100 machines:
mean, lowest and highest over draws of the requests, by way of serving; and the split pools (prompt + token
machines)."""

import pandas as pd

from jouleproof.drawing.cells import with_ends
from jouleproof.drawing.select import where
from jouleproof.drawing.style import ACCELERATOR_LABELS, ARRIVAL_LABELS, SERVICE_LABELS, WAY_STYLES

TITLE = "Ways of serving in numbers"
SOURCES = ["phase_split/beyond"]
CASE = ["accelerator", "stored_as", "service", "arrivals"]


def tabulate(beyond: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(_row(rows) for _, rows in beyond.groupby(CASE, sort=False))


def _row(rows: pd.DataFrame) -> dict[str, str]:
    accelerator, form, service, arrivals = rows[CASE].iloc[0]
    name = ACCELERATOR_LABELS.get(accelerator, accelerator)
    row = {"case": f"{name}, {form}, {SERVICE_LABELS[service]}, {ARRIVAL_LABELS[arrivals]}"}
    for way, (_, label) in WAY_STYLES.items():
        loads = where(rows, way=way)["value"]
        row[label] = with_ends(loads.mean(), loads, 1)
    split = where(rows, way="split").iloc[0]
    return {**row, "pools": f"{split['prompt_machines']} + {split['token_machines']}"}
