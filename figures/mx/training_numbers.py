"""Final training loss on held-out text, and its difference from float32 of the same seed, both in nats/byte, with 95 %
intervals over the seeds (Student's t). Trained tokens: bytes that each model saw. The model runs under its own recipe,
so the difference includes both training and use.
"""

import pandas as pd

from jouleproof.drawing.cells import mean_with_interval
from jouleproof.drawing.select import where
from jouleproof.drawing.style import recipe_style

TITLE = "Training in MX formats, in numbers"
SOURCES = ["mx/training"]


def tabulate(training: pd.DataFrame) -> pd.DataFrame:
    sizes = training.groupby("metric")["value"].first()
    losses = where(training, metric="loss")
    rows = []
    for name, look in recipe_style(losses["recipe"]).items():
        loss = where(losses, recipe=name)["value"]
        added = where(training, recipe=name, metric="added_loss")["value"]
        rows.append(
            {
                "recipe": look["label"],
                "seeds": str(len(loss)),
                "parameters": f"{sizes['parameters']:,.0f}",
                "trained tokens (bytes)": f"{sizes['trained_tokens']:,.0f}",
                "loss (nats/byte)": mean_with_interval(loss, 4),
                "difference to float32 (nats/byte)": mean_with_interval(added, 4),
            }
        )
    return pd.DataFrame(rows)
