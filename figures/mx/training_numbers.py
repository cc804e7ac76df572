"""Loss at the end of training on text held out, and its difference to float32 of the same seed, both in nats/byte, with
95 % intervals over the seeds (Student's t). Trained tokens: bytes that each model saw. The model runs under its own
recipe, so the difference is that of training and of use."""

import pandas as pd

from jouleproof.drawing.style import recipe_style
from jouleproof.evidence.intervals import Estimate, mean_interval

TITLE = "Training in MX formats, in numbers"
SOURCES = ["mx/training"]


def tabulate(training: pd.DataFrame) -> pd.DataFrame:
    sizes = training.groupby("metric")["value"].first()
    rows = []
    for name, look in recipe_style(training[training["metric"] == "loss"]["recipe"]).items():
        here = training[training["recipe"] == name]
        loss, added = (here[here["metric"] == metric]["value"].to_numpy() for metric in ("loss", "added_loss"))
        rows.append(
            {
                "recipe": look["label"],
                "seeds": str(len(loss)),
                "parameters": f"{sizes['parameters']:,.0f}",
                "trained tokens (bytes)": f"{sizes['trained_tokens']:,.0f}",
                "loss (nats/byte)": _interval(mean_interval(loss)),
                "difference to float32 (nats/byte)": _interval(mean_interval(added)) if len(added) else "",
            }
        )
    return pd.DataFrame(rows)


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"
