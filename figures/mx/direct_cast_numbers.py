"""The direct cast (to a format and back, without training) in numbers, with 95 % intervals over the questions, under
every scale rule that a format was cast under. SmolLM2: perplexity (e to the mean loss), added loss, and KL, the mean
Kullback-Leibler divergence of next-token probabilities from those in float32; added loss and KL are in nats/token, both
against float32 on the same question. MiniLM: the cosine of embeddings to those in float32, and the share of nearest
neighbours that stay the same. "clip only" and "round only" are the two parts of the cast under the floor rule: the
first clips elements beyond the largest value and rounds none; the second keeps these and rounds the others.
For SmolLM2 only activations are cast, because its weights were already rounded to Q4_1 (16 levels per block); for
MiniLM, weights and activations.
"""

import numpy as np
import pandas as pd

from jouleproof.drawing.cells import with_interval
from jouleproof.drawing.points import mean_of
from jouleproof.drawing.select import by_format_and_rule, deciding_cast, where
from jouleproof.drawing.style import format_label
from jouleproof.evidence.intervals import Estimate

TITLE = "Direct cast in numbers"
SOURCES = ["mx/direct_cast_language", "mx/direct_cast_embedding"]


def tabulate(language: pd.DataFrame, embedding: pd.DataFrame) -> pd.DataFrame:
    rows = [_row(where(language, format="float32"), embedding.iloc[:0], "float32", "none")]
    language, embedding = deciding_cast(language), deciding_cast(embedding)
    for name, scale in by_format_and_rule(embedding):
        cast = {"format": name, "scale": scale}
        rows.append(_row(where(language, **cast), where(embedding, **cast), name, scale))
    return pd.DataFrame(rows)


def _row(language: pd.DataFrame, embedding: pd.DataFrame, name: str, scale: str) -> dict[str, str]:
    """Return the table row of one cast. language, embedding: its results."""
    loss = mean_of(language, "tokens", metric="loss")
    perplexity = Estimate(*(float(np.exp(end)) for end in (loss.value, loss.low, loss.high)))
    return {
        "format": format_label(name),
        "scale rule": scale.replace("_", " ").replace("floor ", ""),
        "SmolLM2 perplexity": with_interval(perplexity, 2),
        "added loss (nats/token)": _mean(language, "added_loss", 4, "tokens"),
        "KL (nats/token)": _mean(language, "kl", 4, "tokens"),
        "MiniLM cosine": _mean(embedding, "cosine", 4),
        "neighbours kept (share)": _mean(embedding, "same_neighbour", 2),
    }


def _mean(table: pd.DataFrame, metric: str, digits: int, weight: str | None = None) -> str:
    rows = where(table, metric=metric)
    return with_interval(mean_of(rows, weight), digits) if len(rows) else ""
