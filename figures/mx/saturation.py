"""Whether saturated outliers cost MXFP8 E4M3 its accuracy, and whether MXFP6 E2M3 beats it: differences between two
casts of one model on the same questions, weighted by tokens for SmolLM2, with 95 % intervals; positive means that the
first cast is worse. The rules floor and rceil differ only in blocks that saturate, to which rceil gives the next scale.
"round only" is floor without clipping: elements that would saturate stay exact. Saturated: elements of SmolLM2's
float32 activations beyond the largest value of their block under floor, in percent. KL: mean Kullback-Leibler
divergence of next-token probabilities from those in float32. SmolLM2: activations are cast (its weights were already
rounded); MiniLM: weights and activations, unrounded. Empty cells: the cast is not configured.
"""

import pandas as pd

from jouleproof.drawing.cells import with_interval
from jouleproof.drawing.points import mean_of
from jouleproof.drawing.select import deciding_cast, unique, where
from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "What saturation costs"
SOURCES = ["mx/direct_cast_language", "mx/direct_cast_embedding"]
WIDE, NARROW = "mxfp8_e4m3", "mxfp6_e2m3"
WITHIN = (("floor", "rceil"), ("floor", "floor_round_only"), ("rceil", "floor_round_only"))

Cast = tuple[str, str]  # format, scale


def tabulate(language: pd.DataFrame, embedding: pd.DataFrame) -> pd.DataFrame:
    language, embedding = deciding_cast(language), deciding_cast(embedding)
    available = set(zip(embedding["format"], embedding["scale"], strict=True))
    pairs = [((name, a), (name, b)) for name in ordered_formats(embedding["format"]) for a, b in WITHIN]
    pairs += [((WIDE, scale), (NARROW, scale)) for scale in unique(embedding["scale"])]
    distance = where(embedding, metric="cosine")
    distance = distance.assign(value=1 - distance["value"])
    loss, divergence, beyond = (where(language, metric=name) for name in ("added_loss", "kl", "saturated_elements"))
    return pd.DataFrame(
        {
            "format": format_label(first[0]),
            "difference": _name(first, second),
            "saturated (%)": _saturated(beyond, first[0]) if (first[1], second[1]) == WITHIN[0] else "",
            "SmolLM2 added loss (nats/token)": _difference(loss, first, second, 4, "tokens"),
            "SmolLM2 KL (nats/token)": _difference(divergence, first, second, 4, "tokens"),
            "MiniLM 1 − cosine": _difference(distance, first, second, 5),
        }
        for first, second in pairs
        if {first, second} <= available or (first[1], second[1]) == WITHIN[0]
    )


def _name(first: Cast, second: Cast) -> str:
    of_one, of_two = ((cast[1].replace("_", " ").replace("floor ", "")) for cast in (first, second))
    return f"{of_one} − {of_two}" if first[0] == second[0] else f"{of_one} − {format_label(second[0])} {of_two}"


def _difference(table: pd.DataFrame, first: Cast, second: Cast, digits: int, weight: str | None = None) -> str:
    """Return the difference between two casts. table: rows of one metric."""
    one, two = (
        where(table, format=name, scale=scale).set_index("question").sort_index() for name, scale in (first, second)
    )
    if one.empty or two.empty:
        return ""
    return with_interval(mean_of(one.assign(value=one["value"] - two["value"]), weight), digits, sign="+")


def _saturated(table: pd.DataFrame, name: str) -> str:
    rows = where(table, format=name, scale="floor").sort_values("question")
    return with_interval(mean_of(rows, "tokens"), 2, 100) if len(rows) else ""
