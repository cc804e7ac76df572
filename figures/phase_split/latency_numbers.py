"""Designs under one load, rules corrected, published pools: percentiles of the time to the first token (s), of a
request's mean time between tokens and of single gaps between tokens (ms), energy per request and per output token (J)
and mean power (kW) of all machines, idle ones included; means over draws of the requests. The load is the one closest
to 40 requests/s. Energy is modelled: the H100's power by phase, host power and idle power are assumptions."""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import where
from jouleproof.drawing.style import DESIGN_LABELS, SERVICE_LABELS

TITLE = "Latency and energy under one load"
SOURCES = ["phase_split/latency"]
LOAD = 40.0
COLUMNS = {  # digits, factor
    "ttft_p50": ("TTFT P50 (s)", 2, 1.0),
    "ttft_p99": ("TTFT P99 (s)", 2, 1.0),
    "tbt_p50": ("TBT P50 (ms)", 0, 1e3),
    "tbt_p99": ("TBT P99 (ms)", 0, 1e3),
    "gap_p50": ("gap P50 (ms)", 0, 1e3),
    "gap_p99": ("gap P99 (ms)", 0, 1e3),
    "energy_per_request": ("energy (J/request)", 0, 1.0),
    "energy_per_token": ("energy (J/token)", 1, 1.0),
    "mean_power": ("power (kW)", 0, 1e-3),
}


def tabulate(latency: pd.DataFrame) -> pd.DataFrame:
    load = min(latency["load"].unique(), key=lambda swept: abs(swept - LOAD))
    rows = where(latency, version="corrected", load=load)
    means = rows.groupby(["service", "design", "metric"], sort=False)["value"].mean().unstack("metric")
    return pd.DataFrame(
        {
            "service": SERVICE_LABELS[row["service"]],
            "design": DESIGN_LABELS.get(row["design"], row["design"]),
            "load (requests/s)": f"{load:g}",
            **{label: fixed(row.get(metric), digits, factor) for metric, (label, digits, factor) in COLUMNS.items()},
        }
        for _, row in means.reset_index().iterrows()
    )
