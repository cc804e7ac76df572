"""The most load that holds all nine service levels (requests/s), rules corrected, at the power of 40 H100 machines:
mean, lowest and highest over draws of the requests, by way of serving, and the pools of split (prompt + token
machines)."""

import pandas as pd

from figures.phase_split.beyond import ACCELERATORS, ARRIVALS, WAYS
from jouleproof.drawing.style import SERVICE_LABELS

TITLE = "Ways of serving in numbers"
SOURCES = ["phase_split/beyond"]


def tabulate(beyond: pd.DataFrame) -> pd.DataFrame:
    cases = beyond.groupby(["accelerator", "stored_as", "service", "arrivals"], sort=False)
    return pd.DataFrame([_row([str(part) for part in case], rows) for case, rows in cases])


def _row(case: list[str], rows: pd.DataFrame) -> dict[str, str]:
    accelerator, form, service, arrivals = case
    name = ACCELERATORS.get(accelerator, accelerator)
    row = {"case": f"{name}, {form}, {SERVICE_LABELS[service]}, {ARRIVALS[arrivals]}"}
    for way, (_, label) in WAYS.items():
        found = rows[rows["way"] == way]["value"]
        row[label] = f"{found.mean():.1f} [{found.min():.1f}, {found.max():.1f}]"
    split = rows[rows["way"] == "split"].iloc[0]
    return {**row, "pools": f"{split['prompt_machines']} + {split['token_machines']}"}
