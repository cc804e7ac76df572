"""The two phases of a request with the median lengths of each service, Llama2-70B, alone on a machine: from laws fitted
to the profile, and as stated by the source (table 4). The ratio is the H100's over the A100's; for the time between
tokens of the coding service the source prints 0.70, but its times give 0.60."""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import unique
from jouleproof.drawing.style import SERVICE_LABELS

TITLE = "A100 against H100, phase by phase"
SOURCES = ["phase_split/phases"]
LABELS = {"ttft": "first token", "tbt": "between tokens", "e2e": "end to end"}


def tabulate(phases: pd.DataFrame) -> pd.DataFrame:
    value = phases.set_index(["service", "metric", "tier", "accelerator"])["value"]
    rows = []
    for service in unique(phases["service"]):
        for metric, label in LABELS.items():
            row = {"service": SERVICE_LABELS[service], "time": label}
            for tier, whose in (("simulated", "here"), ("cited", "stated")):
                a100, h100 = (value[service, metric, tier, name] for name in ("A100", "H100"))
                row |= {f"A100 {whose} (ms)": fixed(a100, 0, 1e3), f"H100 {whose} (ms)": fixed(h100, 0, 1e3)}
                row[f"ratio {whose}"] = fixed(h100 / a100, 2)
            rows.append(row)
    return pd.DataFrame(rows)
