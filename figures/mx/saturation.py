"""Whether outliers that saturate cost MXFP8 E4M3 its accuracy, and whether MXFP6 E2M3 beats it: differences between two
casts of one model on the same questions, weighted by tokens for SmolLM2, with 95 % intervals; positive means that the
first is worse. The rules floor and rceil differ only in blocks that saturate, to which rceil gives the next scale.
"round only" is floor with what would saturate left exact. Saturated: elements of SmolLM2's float32 activations beyond
the largest value of their block under floor, in percent. KL: mean Kullback-Leibler divergence of the next-token
probabilities from those in float32. SmolLM2: activations cast (its weights were rounded before); MiniLM: weights and
activations, unrounded. A cell is empty where a cast was not made."""

import pandas as pd

from jouleproof.drawing.select import deciding_cast
from jouleproof.drawing.style import format_label, ordered_formats
from jouleproof.evidence.intervals import mean_interval

TITLE = "What saturation costs"
SOURCES = ["mx/direct_cast_language", "mx/direct_cast_embedding"]
WIDE, NARROW = "mxfp8_e4m3", "mxfp6_e2m3"
WITHIN = (("floor", "rceil"), ("floor", "floor_round_only"), ("rceil", "floor_round_only"))

Cast = tuple[str, str]  # format, scale


def tabulate(language: pd.DataFrame, embedding: pd.DataFrame) -> pd.DataFrame:
    language, embedding = deciding_cast(language), deciding_cast(embedding)
    distance = embedding[embedding["metric"] == "cosine"]
    distance = distance.assign(value=1 - distance["value"], metric="distance")
    made = set(zip(embedding["format"], embedding["scale"], strict=True))
    pairs = [((name, a), (name, b)) for name in ordered_formats(embedding["format"]) for a, b in WITHIN]
    pairs += [((WIDE, scale), (NARROW, scale)) for scale in dict.fromkeys(embedding["scale"])]
    return pd.DataFrame(
        [
            {
                "format": format_label(first[0]),
                "difference": _name(first, second),
                "saturated (%)": _saturated(language, first[0]) if (first[1], second[1]) == WITHIN[0] else "",
                "SmolLM2 added loss (nats/token)": _difference(language, "added_loss", first, second, "tokens"),
                "SmolLM2 KL (nats/token)": _difference(language, "kl", first, second, "tokens"),
                "MiniLM 1 − cosine": _difference(distance, "distance", first, second, digits=5),
            }
            for first, second in pairs
            if {first, second} <= made or (first[1], second[1]) == WITHIN[0]
        ]
    )


def _name(first: Cast, second: Cast) -> str:
    of_one, of_two = ((cast[1].replace("_", " ").replace("floor ", "")) for cast in (first, second))
    return f"{of_one} − {of_two}" if first[0] == second[0] else f"{of_one} − {format_label(second[0])} {of_two}"


def _rows(table: pd.DataFrame, metric: str, cast: Cast) -> pd.DataFrame:
    rows = table[(table["metric"] == metric) & (table["format"] == cast[0]) & (table["scale"] == cast[1])]
    return rows.set_index("question").sort_index()


def _difference(
    table: pd.DataFrame, metric: str, first: Cast, second: Cast, weight: str | None = None, digits: int = 4
) -> str:
    one, two = _rows(table, metric, first), _rows(table, metric, second)
    if one.empty or two.empty:
        return ""
    mean = mean_interval((one["value"] - two["value"]).to_numpy(), None if weight is None else one[weight].to_numpy())
    return f"{mean.value:+.{digits}f} [{mean.low:+.{digits}f}, {mean.high:+.{digits}f}]"


def _saturated(table: pd.DataFrame, name: str) -> str:
    rows = _rows(table, "saturated_elements", (name, "floor"))
    if rows.empty:
        return ""
    mean = mean_interval(rows["value"].to_numpy(), rows["tokens"].to_numpy())
    return f"{100 * mean.value:.2f} [{100 * mean.low:.2f}, {100 * mean.high:.2f}]"
