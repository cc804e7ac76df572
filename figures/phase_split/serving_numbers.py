"""Latencies (ms) of requests served for real, measured and predicted by the simulator, with the error of the
prediction (%): time to the first token (TTFT), gap between two tokens (TBT) and end to end (E2E), pooled over the
repeats. Modes: mixed, both workers do both phases, whole prompts first; chunked, prompts in chunks beside the
decodes; split. A 99th percentile is printed from 200 samples on, that of the time to the first token from 500 on."""

import pandas as pd

from jouleproof.drawing.style import MODE_STYLES

TITLE = "Measured and predicted latencies"
SOURCES = ["phase_split/serving"]
METRICS = {"ttft_s": "TTFT", "gap_s": "TBT", "e2e_s": "E2E"}
LEVELS = (0.5, 0.9, 0.99)
MISSING = "–"


def tabulate(serving: pd.DataFrame) -> pd.DataFrame:
    values = (
        serving.set_index(["over", "mode", "load", "metric", "quantile"])["value"].groupby(level=[0, 1, 2, 3, 4]).mean()
    )
    loads = sorted(set(serving["load"]) - {0.0})
    return pd.DataFrame(
        [_row(values, mode, load, metric) for load in loads for metric in METRICS for mode in MODE_STYLES]
    )


def _row(values: "pd.Series[float]", mode: str, load: float, metric: str) -> dict[str, str]:
    row = {"load": f"{load:.0%}", "latency": METRICS[metric], "mode": mode}
    for level in LEVELS:
        measured = values.get(("pooled", mode, load, metric, level))
        predicted = values.get(("predicted", mode, load, metric, level))
        error = values.get(("predicted", mode, load, f"{metric.removesuffix('_s')}_error", level))
        row[f"P{100 * level:g} measured"] = _cell(measured, 1e3, "{:.0f}")
        row[f"P{100 * level:g} predicted"] = _cell(predicted if measured is not None else None, 1e3, "{:.0f}")
        row[f"error P{100 * level:g} (%)"] = _cell(error, 100, "{:+z.0f}")
    return row


def _cell(value: float | None, factor: float, form: str) -> str:
    return MISSING if value is None else form.format(factor * value)
