"""SmolLM2-135M decoding one token at a time, on one thread, with its linear layers in MX: tokens per second, and speed
over the float32 of the same round in times, means over the rounds with 95 % intervals; and megabytes of weights read
per token. The last three columns compare it with the model whose weights were fake-quantised (cast to the format and
back to float32), fed the same text: the largest difference of a logit, the share of next tokens that are the same, and
the share of near-ties, tokens that differ where the two best logits are closer than 0.01."""

import pandas as pd

from jouleproof.drawing.style import format_label
from jouleproof.evidence.intervals import mean_interval

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
        "over float32 (x)": f"{over.value:.2f} [{over.low:.2f}, {over.high:.2f}]",
        "MB per token": f"{values['bytes_per_token'][0] / 1e6:.0f}",
        "largest difference": "",
        "same token (share)": "",
        "near-ties (share)": "",
    }
    if "max_difference" in values:
        row["largest difference"] = f"{values['max_difference'][0]:.1e}"
        row["same token (share)"] = f"{values['same_token'][0]:.3f}"
        row["near-ties (share)"] = f"{values['near_ties'][0]:.3f}"
    return row
