"""The direct cast (to a format and back, without training) in numbers, with 95 % intervals over the questions, under
every scale rule that a format was cast under. SmolLM2: its perplexity (e to the mean loss), the loss added, and KL, the
mean Kullback-Leibler divergence of its next-token probabilities from those in float32, both in nats/token. MiniLM: the
cosine of its embeddings to float32, and the share of nearest neighbours that stay. "clip only" and "round only" are the
two parts of the cast under the floor rule: elements beyond the largest value clipped and none rounded, or these left as
they are and the rest rounded. Of SmolLM2 only activations are cast, since its weights were rounded to Q4_1 (16 levels
per block) before; of MiniLM weights and activations."""

import numpy as np
import pandas as pd

from jouleproof.drawing.select import by_format_and_rule, deciding_cast
from jouleproof.drawing.style import format_label
from jouleproof.evidence.intervals import Estimate, mean_interval

TITLE = "Direct cast in numbers"
SOURCES = ["mx/direct_cast_language", "mx/direct_cast_embedding"]


def tabulate(language: pd.DataFrame, embedding: pd.DataFrame) -> pd.DataFrame:
    base = language[language["format"] == "float32"]
    rows = [_row("float32", "none", perplexity=_perplexity(_mean(base, "float32", "none", "loss", "tokens")))]
    language, embedding = deciding_cast(language), deciding_cast(embedding)
    for name, scale in by_format_and_rule(embedding):
        rows.append(
            _row(
                name,
                scale,
                perplexity=_perplexity(_mean(language, name, scale, "loss", "tokens")),
                added=_interval(_mean(language, name, scale, "added_loss", "tokens"), 4),
                kl=_interval(_mean(language, name, scale, "kl", "tokens"), 4),
                cosine=_interval(_mean(embedding, name, scale, "cosine"), 4),
                same=_interval(_mean(embedding, name, scale, "same_neighbour"), 2),
            )
        )
    return pd.DataFrame(rows)


def _row(
    name: str, scale: str, perplexity: str, added: str = "", kl: str = "", cosine: str = "", same: str = ""
) -> dict[str, str]:
    return {
        "format": format_label(name),
        "scale rule": scale.replace("_", " ").replace("floor ", ""),
        "SmolLM2 perplexity": perplexity,
        "added loss (nats/token)": added,
        "KL (nats/token)": kl,
        "MiniLM cosine": cosine,
        "neighbours kept (share)": same,
    }


def _mean(table: pd.DataFrame, name: str, scale: str, metric: str, weight: str | None = None) -> Estimate:
    rows = table[(table["format"] == name) & (table["scale"] == scale) & (table["metric"] == metric)]
    return mean_interval(rows["value"].to_numpy(), None if weight is None else rows[weight].to_numpy())


def _perplexity(loss: Estimate) -> str:
    return f"{np.exp(loss.value):.2f} [{np.exp(loss.low):.2f}, {np.exp(loss.high):.2f}]"


def _interval(estimate: Estimate, digits: int) -> str:
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
