"""Processor time of real shapes on one core: of a token in a 256-token prompt and of one written after it, alone and
with the most texts side by side; operations of a written token, and the fewest bytes that must be read for it alone;
all are medians of the rounds. The last column is the processor time of an answer of the length that SmolLM2-135M read
and wrote on GSM8K, alone, as a mean with its 95 % interval. Block formats hold the weights of the layers and were timed
with one text; the head stays float32."""

import pandas as pd

from jouleproof.drawing.cells import spanned
from jouleproof.drawing.points import mean_of
from jouleproof.drawing.select import where
from jouleproof.drawing.style import format_label, shape_label
from jouleproof.evidence.digits import number

TITLE = "Real shapes in numbers"
SOURCES = ["slm_energy/cost"]


def tabulate(cost: pd.DataFrame) -> pd.DataFrame:
    times = where(cost, metric="cpu_ms_per_token")
    pairs = dict.fromkeys(zip(times["model"], times["format"], strict=True))
    return pd.DataFrame([_row(where(cost, model=model), dtype) for model, dtype in pairs])


def _row(cost: pd.DataFrame, dtype: str) -> dict[str, str]:
    def middle(phase: str, batch: int) -> str:
        values = where(cost, metric="cpu_ms_per_token", phase=phase, batch=batch, format=dtype)["value"]
        return number(values.median()) if len(values) else ""

    most = int(where(cost, metric="cpu_ms_per_token", phase="token")["batch"].max())
    answers = where(cost, metric="cpu_s_per_answer", task="exact_match", batch=1, format=dtype)
    written = where(cost, metric="flops_per_token", phase="token")["value"].median()
    read = where(cost, metric="bytes_per_token", phase="token", batch=1, format=dtype)["value"].median()
    return {
        "model": shape_label(cost["model"].iloc[0], str(cost["weights"].iloc[0])),
        "numbers": format_label(dtype),
        "prompt (ms/token)": middle("prompt", 1),
        "alone (ms/token)": middle("token", 1),
        f"{most} side by side (ms/token)": middle("token", most),
        "MFLOP/token": number(written / 1e6),
        "MB/token": number(read / 1e6),
        "GSM8K answer (CPU-s)": spanned(mean_of(answers)) if len(answers) else "",
    }
