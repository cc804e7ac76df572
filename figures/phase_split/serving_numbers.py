"""Latencies (ms) of requests served by a real engine, measured and predicted by the simulator, with the error of the
prediction (%): time to the first token (TTFT), gap between two tokens (TBT) and end to end (E2E), pooled over the
repeats. Modes: mixed, both workers do both phases, whole prompts first; chunked, prompts in chunks with decodes; split.
A 99th percentile needs 200 samples, that of the time to the first token 500."""

import pandas as pd

from jouleproof.drawing.cells import MISSING, fixed
from jouleproof.drawing.style import MODE_STYLES

TITLE = "Measured and predicted latencies"
SOURCES = ["phase_split/serving"]
METRICS = {"ttft_s": "TTFT", "gap_s": "TBT", "e2e_s": "E2E"}
LEVELS = (0.5, 0.9, 0.99)
CASE = ["over", "mode", "load", "metric", "quantile"]


def tabulate(serving: pd.DataFrame) -> pd.DataFrame:
    values = serving.groupby(CASE)["value"].mean()
    loads = sorted(set(serving["load"]) - {0.0})
    return pd.DataFrame(
        _row(values, mode, load, metric) for load in loads for metric in METRICS for mode in MODE_STYLES
    )


def _row(values: "pd.Series[float]", mode: str, load: float, metric: str) -> dict[str, str]:
    row = {"load": f"{load:.0%}", "latency": METRICS[metric], "mode": mode}
    for level in LEVELS:
        measured = values.get(("pooled", mode, load, metric, level))
        predicted = values.get(("predicted", mode, load, metric, level))
        error = values.get(("predicted", mode, load, f"{metric.removesuffix('_s')}_error", level))
        row[f"P{100 * level:g} measured"] = fixed(measured, 0, 1e3)
        row[f"P{100 * level:g} predicted"] = fixed(None if measured is None else predicted, 0, 1e3)
        row[f"error P{100 * level:g} (%)"] = MISSING if error is None else f"{100 * error:+z.0f}"
    return row
