"""Decoding with SmolLM2-135M, one token at a time on one thread, with linear layers in MX: tokens per second, and speed
over float32 in the same round (a ratio), means over the rounds with 95 % intervals; and megabytes of weights read per
token. The last three columns compare each format, on the same text, with the model whose weights were fake-quantised
(cast to the format and back to float32): the largest difference of a logit, the share of next tokens that are the same,
and the share of near-ties, tokens that differ where the two best logits are closer than 0.01.
"""

import pandas as pd

from jouleproof.drawing.cells import fixed, with_interval
from jouleproof.drawing.points import mean_of
from jouleproof.drawing.style import format_label

TITLE = "Decoding with packed weights in numbers"
SOURCES = ["mx/decode"]


def tabulate(decode: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(_row(str(name), rows) for name, rows in decode.groupby("format", sort=False))


def _row(name: str, rows: pd.DataFrame) -> dict[str, str]:
    first = rows.groupby("metric")["value"].first()
    difference = first.get("max_difference")
    return {
        "format": format_label(name),
        "tokens/s": with_interval(mean_of(rows, metric="tokens_per_s"), 1),
        "over float32 (x)": with_interval(mean_of(rows, metric="over_float32"), 2),
        "MB per token": fixed(first["bytes_per_token"] / 1e6, 0),
        "largest difference": "" if difference is None else f"{difference:.1e}",
        "same token (share)": fixed(first.get("same_token"), 3, missing=""),
        "near-ties (share)": fixed(first.get("near_ties"), 3, missing=""),
    }
