"""Laws fitted on the published profile: mean errors over its cells of straight lines between the medians of a prompt's
time, and of the decode law: a constant, a part for each sequence, a part for each above 16, and one for each token of
context."""

import pandas as pd

TITLE = "Laws fitted on the profile"
SOURCES = ["phase_split/laws"]


def tabulate(laws: pd.DataFrame) -> pd.DataFrame:
    keys = ["model", "hardware", "tensor_parallel"]
    fitted = laws[laws["metric"].str.startswith("decode_") | (laws["metric"] == "prompt_error")]
    table = fitted.pivot(index=keys, columns="metric", values="value").reset_index()
    return pd.DataFrame(
        {
            "model": table["model"],
            "accelerator": table["hardware"],
            "tensor parallel": table["tensor_parallel"].astype(str),
            "prompt error (%)": [f"{100 * value:.1f}" for value in table["prompt_error"]],
            "decode error (%)": [f"{100 * value:.1f}" for value in table["decode_error"]],
            "constant (ms)": [f"{1e3 * value:.1f}" for value in table["decode_constant"]],
            "sequence (ms)": [f"{1e3 * value:.3f}" for value in table["decode_each"]],
            "above 16 (ms)": [f"{1e3 * value:.3f}" for value in table["decode_above"]],
            "context token (µs)": [f"{1e6 * value:.3f}" for value in table["decode_context"]],
        }
    )
