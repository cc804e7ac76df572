"""Laws fitted to the published profile: mean errors over its cells of linear interpolation between the medians of a
prompt's time, and of the decode law, whose terms are a constant, a time per sequence, a time per sequence above 16, and
a time per token of context."""

import pandas as pd

from jouleproof.drawing.cells import fixed

TITLE = "Laws fitted to the profile"
SOURCES = ["phase_split/laws"]
COLUMNS = {  # digits, factor
    "prompt_error": ("prompt error (%)", 1, 100),
    "decode_error": ("decode error (%)", 1, 100),
    "decode_constant": ("constant (ms)", 1, 1e3),
    "decode_each": ("sequence (ms)", 3, 1e3),
    "decode_above": ("above 16 (ms)", 3, 1e3),
    "decode_context": ("context token (µs)", 3, 1e6),
}


def tabulate(laws: pd.DataFrame) -> pd.DataFrame:
    fitted = laws[laws["metric"].isin(COLUMNS)]
    table = fitted.pivot(index=["model", "hardware", "tensor_parallel"], columns="metric", values="value")
    return pd.DataFrame(
        {
            "model": row["model"],
            "accelerator": row["hardware"],
            "tensor parallel": str(row["tensor_parallel"]),
            **{label: fixed(row[metric], digits, factor) for metric, (label, digits, factor) in COLUMNS.items()},
        }
        for _, row in table.reset_index().iterrows()
    )
