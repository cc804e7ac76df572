"""Processor time of real shapes on one core: of a token of a prompt of 256 and of one written after it, alone and with
the most texts side by side; operations of a token that is written, and the least bytes that it has to read alone;
medians of the rounds. Beside it the processor time of an answer of the length that SmolLM2-135M read and wrote on
GSM8K, alone, mean with its 95 % interval. Block formats hold the weights of the layers, and were timed alone; the head
stays float32."""

import pandas as pd

from jouleproof.drawing.style import format_label, shape_label
from jouleproof.evidence.digits import number, with_span
from jouleproof.evidence.intervals import mean_interval

TITLE = "Real shapes in numbers"
SOURCES = ["slm_energy/cost"]


def tabulate(cost: pd.DataFrame) -> pd.DataFrame:
    times = cost[cost["metric"] == "cpu_ms_per_token"]
    pairs = dict.fromkeys(zip(times["model"], times["format"], strict=True))
    return pd.DataFrame([_row(cost, model, dtype) for model, dtype in pairs])


def _row(cost: pd.DataFrame, model: str, dtype: str) -> dict[str, str]:
    times = cost[cost["model"] == model]

    def middle(metric: str, phase: str, batch: int, name: str) -> str:
        rows = times[(times["metric"] == metric) & (times["phase"] == phase) & (times["batch"] == batch)]
        values = rows[rows["format"] == name]["value"]
        return number(values.median()) if len(values) else ""

    most = int(times[times["phase"] == "token"]["batch"].max())
    answers = times[(times["metric"] == "cpu_s_per_answer") & (times["task"] == "exact_match") & (times["batch"] == 1)]
    values = answers[answers["format"] == dtype]["value"].to_numpy()
    mean = mean_interval(values) if len(values) else None
    written = times[(times["metric"] == "flops_per_token") & (times["phase"] == "token")]["value"].median()
    read = times[(times["metric"] == "bytes_per_token") & (times["phase"] == "token") & (times["batch"] == 1)]
    return {
        "model": shape_label(model, str(times["weights"].iloc[0])),
        "numbers": format_label(dtype),
        "prompt (ms/token)": middle("cpu_ms_per_token", "prompt", 1, dtype),
        "alone (ms/token)": middle("cpu_ms_per_token", "token", 1, dtype),
        f"{most} side by side (ms/token)": middle("cpu_ms_per_token", "token", most, dtype),
        "MFLOP/token": number(written / 1e6),
        "MB/token": number(read[read["format"] == dtype]["value"].median() / 1e6),
        "GSM8K answer (CPU-s)": with_span(mean.value, mean.low, mean.high) if mean else "",
    }
