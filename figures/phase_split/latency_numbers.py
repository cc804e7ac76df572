"""Designs under one load, rules corrected, published pools: percentiles of the time to the first token (s), of a
request's mean time between tokens and of single gaps between tokens (ms), energy per request and output token (J) and
mean power (kW) of all machines, idle ones too; means over draws of the requests. The load is the swept one nearest to
40 requests/s. Energy is modelled: the H100's power by phase, host and idle power are assumptions."""

import pandas as pd

from jouleproof.drawing.style import DESIGN_LABELS, SERVICE_LABELS

TITLE = "Latency and energy under one load"
SOURCES = ["phase_split/latency"]
LOAD = 40.0
COLUMNS = {  # factor, digits
    "ttft_p50": ("TTFT P50 (s)", 1.0, 2),
    "ttft_p99": ("TTFT P99 (s)", 1.0, 2),
    "tbt_p50": ("TBT P50 (ms)", 1e3, 0),
    "tbt_p99": ("TBT P99 (ms)", 1e3, 0),
    "gap_p50": ("gap P50 (ms)", 1e3, 0),
    "gap_p99": ("gap P99 (ms)", 1e3, 0),
    "energy_per_request": ("energy (J/request)", 1.0, 0),
    "energy_per_token": ("energy (J/token)", 1.0, 1),
    "mean_power": ("power (kW)", 1e-3, 0),
}


def tabulate(latency: pd.DataFrame) -> pd.DataFrame:
    load = min(latency["load"].unique(), key=lambda swept: abs(swept - LOAD))
    rows = latency[(latency["version"] == "corrected") & (latency["load"] == load)]
    means = rows.groupby(["service", "design", "metric"], sort=False)["value"].mean().unstack("metric")
    return pd.DataFrame(
        [
            {
                "service": SERVICE_LABELS[str(service)],
                "design": DESIGN_LABELS.get(str(design), str(design)),
                "load (requests/s)": f"{load:g}",
                **{
                    label: "–" if pd.isna(row.get(metric)) else f"{factor * row[metric]:.{digits}f}"
                    for metric, (label, factor, digits) in COLUMNS.items()
                },
            }
            for (service, design), row in means.iterrows()
        ]
    )
