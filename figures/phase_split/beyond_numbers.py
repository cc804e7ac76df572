"""The most load that holds all nine service levels (requests/s), rules corrected, at the power of 40 H100 machines:
mean, lowest and highest over draws of the requests, by way of serving, and the pools of split (prompt + token
machines)."""

import pandas as pd

from jouleproof.drawing.style import ACCELERATOR_LABELS, ARRIVAL_LABELS, SERVICE_LABELS, WAY_STYLES

TITLE = "Ways of serving in numbers"
SOURCES = ["phase_split/beyond"]


def tabulate(beyond: pd.DataFrame) -> pd.DataFrame:
    cases = beyond.groupby(["accelerator", "stored_as", "service", "arrivals"], sort=False)
    return pd.DataFrame([_row([str(part) for part in case], rows) for case, rows in cases])


def _row(case: list[str], rows: pd.DataFrame) -> dict[str, str]:
    accelerator, form, service, arrivals = case
    name = ACCELERATOR_LABELS.get(accelerator, accelerator)
    row = {"case": f"{name}, {form}, {SERVICE_LABELS[service]}, {ARRIVAL_LABELS[arrivals]}"}
    for way, (_, label) in WAY_STYLES.items():
        loads = rows[rows["way"] == way]["value"]
        row[label] = f"{loads.mean():.1f} [{loads.min():.1f}, {loads.max():.1f}]"
    split = rows[rows["way"] == "split"].iloc[0]
    return {**row, "pools": f"{split['prompt_machines']} + {split['token_machines']}"}
