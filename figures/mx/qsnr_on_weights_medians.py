"""Median QSNR (signal to quantisation-noise ratio) in dB over all layers and matrices of two real models, under the
floor rule, with its lowest and highest value. Nothing is random here: a value belongs to one matrix, or to the distinct
inputs of one layer over the same questions. The weights of SmolLM2 were already rounded to Q4_1 (16 levels per block);
those of MiniLM are unrounded float32.
"""

import pandas as pd

from jouleproof.drawing.select import under_one_rule, unique, where
from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "QSNR on real tensors, in numbers"
SOURCES = ["mx/qsnr_on_weights"]


def tabulate(qsnr: pd.DataFrame) -> pd.DataFrame:
    table = under_one_rule(qsnr)
    columns = unique(zip(table["model"], table["tensor"], strict=True))
    rows = []
    for name in ordered_formats(table["format"]):
        row = {"format": format_label(name)}
        for model, tensor in columns:
            values = where(table, format=name, model=model, tensor=tensor)["value"]
            row[f"{model} {tensor}s"] = f"{values.median():.2f} ({values.min():.2f} to {values.max():.2f})"
        rows.append(row)
    return pd.DataFrame(rows)
