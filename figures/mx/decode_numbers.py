"""SmolLM2-135M decoding with its linear layers in MX: tokens per second with 95 % intervals, speed over
float32, bytes per token, and how far its teacher-forced logits and next tokens are from those of the model with
fake-quantised weights. A near-tie is a token that differs where the two best logits are closer than 0.01."""

import pandas as pd

from bench.stats import mean_interval
from figures.style import format_label

TITLE = "Decoding with packed weights in numbers"
SOURCES = ["mx/decode"]


def tabulate(decode: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([_row(str(name), table) for name, table in decode.groupby("format", sort=False)])


def _row(name: str, table: pd.DataFrame) -> dict[str, str]:
    values = {metric: rows["value"].to_numpy() for metric, rows in table.groupby("metric")}
    speed, over = (mean_interval(values[metric]) for metric in ("tokens_per_s", "over_float32"))
    row = {
        "format": format_label(name),
        "tokens/s": f"{speed.value:.1f} [{speed.low:.1f}, {speed.high:.1f}]",
        "over float32": f"{over.value:.2f} [{over.low:.2f}, {over.high:.2f}]",
        "MB per token": f"{values['bytes_per_token'][0] / 1e6:.0f}",
        "largest difference": "",
        "same token": "",
        "near-ties": "",
    }
    if "max_difference" in values:
        row["largest difference"] = f"{values['max_difference'][0]:.1e}"
        row["same token"] = f"{values['same_token'][0]:.3f}"
        row["near-ties"] = f"{values['near_ties'][0]:.3f}"
    return row
