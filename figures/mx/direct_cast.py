"""What a direct cast (to a format and back, without training) of every linear layer costs, under the rules for the
shared scale that every format was cast under; floor and rceil are the rules of the specification and of NVIDIA. Left:
the loss that it adds to a language model on GSM8K questions; only activations are cast where the model's weights were
rounded before, since a cast of these decides nothing. The pale bands are the ranges that the ledger accepts under the
floor rule. Middle: the distance of a sentence encoder's embeddings from their float32 selves. Right: the share of
nearest neighbours among the questions that change. The left axis is linear around zero, as far as its label says, and
logarithmic beyond; the middle one is logarithmic. Points are means, bars 95 % bootstrap intervals over the
questions."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.select import deciding_cast, rules_of_all
from jouleproof.drawing.style import (
    CAST_CLAIMS,
    HEIGHT,
    WIDTH,
    accepted,
    accepted_handle,
    format_label,
    format_style,
)
from jouleproof.evidence.intervals import mean_interval

TITLE = "Direct cast of two real models"
SOURCES = ["mx/direct_cast_language", "mx/direct_cast_embedding"]
LOOKS = (("o", True), ("o", False), ("s", True), ("s", False))  # marker, filled
LINEAR = 0.01  # nats/token
CASTS = {"activations": "activations", "weights": "weights", "both": "weights and activations"}


def draw(language: pd.DataFrame, embedding: pd.DataFrame) -> Figure:
    rules = rules_of_all(embedding)[: len(LOOKS)]
    styles = format_style(embedding["format"])
    figure, (left, middle, right) = plt.subplots(
        1, 3, sharey=True, figsize=(WIDTH, 1.3 * HEIGHT), width_ratios=[1.35, 1, 1]
    )
    language, embedding = deciding_cast(language), deciding_cast(embedding)
    _points(left, language[language["metric"] == "added_loss"], styles, rules, "tokens")
    left.set_xscale("symlog", linthresh=LINEAR, linscale=0.7)
    left.axvline(0, color=GREY, lw=0.7)
    left.set_xlabel(f"added loss, linear within ±{LINEAR:g}\n(nats/token)")
    for place, name in enumerate(styles):
        if name in CAST_CLAIMS:
            accepted(left, CAST_CLAIMS[name], (place - 0.4, place + 0.4))
    left.set_ylabel("format")
    _points(middle, _one_minus(embedding, "cosine"), styles, rules)
    middle.set_xscale("log")
    middle.set_xlabel("1 − cosine to float32 (1)")
    _points(right, _one_minus(embedding, "same_neighbour"), styles, rules)
    right.set_xlabel("neighbours changed (share)")
    right.set_xlim(left=-0.01)
    left.set_yticks(range(len(styles)), [format_label(name) for name in styles])
    left.set_ylim(len(styles) - 0.4, -0.6)
    handles: list[Artist] = [
        Line2D([], [], marker=marker, color=INK, mfc=INK if filled else "white", lw=0, label=f"{rule} rule")
        for rule, (marker, filled) in zip(rules, LOOKS, strict=False)
    ]
    handles.append(accepted_handle())
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _one_minus(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    rows = table[table["metric"] == metric]
    return rows.assign(value=1 - rows["value"])


def _points(
    axis: Axes, table: pd.DataFrame, styles: dict[str, dict[str, str]], rules: list[str], weight: str | None = None
) -> None:
    for place, (name, look) in enumerate(styles.items()):
        for number, (rule, (marker, filled)) in enumerate(zip(rules, LOOKS, strict=False)):
            rows = table[(table["format"] == name) & (table["scale"] == rule)]
            mean = mean_interval(rows["value"].to_numpy(), None if weight is None else rows[weight].to_numpy())
            axis.errorbar(
                mean.value,
                place + 0.5 * ((number + 0.5) / len(rules) - 0.5),
                xerr=[[mean.value - mean.low], [mean.high - mean.value]],
                color=look["color"],
                marker=marker,
                ms=5.5,
                mfc=look["color"] if filled else "white",
                elinewidth=1.1,
            )
    model, subject, questions = table["model"].iloc[0], table["subject"].iloc[0], table["question"].nunique()
    axis.set_title(f"{model}\n{CASTS.get(subject, subject)}\n{questions} questions", fontsize=7.5)
    axis.grid(axis="y", visible=False)
