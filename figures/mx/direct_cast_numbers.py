"""The direct cast in numbers, with 95 % intervals over the questions: for SmolLM2 its perplexity, added loss and KL
divergence from float32, both in nats/token; for MiniLM the cosine of its embeddings to float32 and the share of
nearest neighbours that stay. SmolLM2's weights were rounded to Q4_1 before, so only its rows with activations alone
can decide anything."""

import numpy as np
import pandas as pd

from bench.stats import Estimate, mean_interval
from figures.select import under_one_rule
from figures.style import format_label, ordered_formats

TITLE = "Direct cast in numbers"
SOURCES = ["mx/direct_cast_language", "mx/direct_cast_embedding"]


def tabulate(language: pd.DataFrame, embedding: pd.DataFrame) -> pd.DataFrame:
    language, embedding = under_one_rule(language), under_one_rule(embedding)
    reference = language[(language["format"] == "float32") & (language["metric"] == "loss")]
    base = mean_interval(reference["value"].to_numpy(), reference["tokens"].to_numpy())
    rows = [_row("float32", "none", perplexity=_perplexity(base))]
    for name in ordered_formats(embedding["format"]):
        for subject in ("activations", "weights", "both"):
            rows.append(
                _row(
                    name,
                    subject,
                    perplexity=_perplexity(_mean(language, name, subject, "loss", "tokens")),
                    added=_interval(_mean(language, name, subject, "added_loss", "tokens"), 4),
                    kl=_interval(_mean(language, name, subject, "kl", "tokens"), 4),
                    cosine=_interval(_mean(embedding, name, subject, "cosine"), 4),
                    same=_interval(_mean(embedding, name, subject, "same_neighbour"), 2),
                )
            )
    return pd.DataFrame(rows)


def _row(
    name: str, subject: str, perplexity: str, added: str = "", kl: str = "", cosine: str = "", same: str = ""
) -> dict[str, str]:
    return {
        "format": format_label(name),
        "cast": subject,
        "SmolLM2 perplexity": perplexity,
        "added loss": added,
        "KL": kl,
        "MiniLM cosine": cosine,
        "neighbours kept": same,
    }


def _mean(table: pd.DataFrame, name: str, subject: str, metric: str, weight: str | None = None) -> Estimate:
    rows = table[(table["format"] == name) & (table["subject"] == subject) & (table["metric"] == metric)]
    return mean_interval(rows["value"].to_numpy(), None if weight is None else rows[weight].to_numpy())


def _perplexity(loss: Estimate) -> str:
    return f"{np.exp(loss.value):.2f} [{np.exp(loss.low):.2f}, {np.exp(loss.high):.2f}]"


def _interval(found: Estimate, digits: int) -> str:
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"
