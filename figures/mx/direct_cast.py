"""Cost of a direct cast (to a format and back, without training) of every linear layer, under the scale rules that all
formats were cast under; floor is the rule of the specification, rceil that of NVIDIA. Left: the loss that the cast adds
to a language model on GSM8K questions; only activations are cast if the model's weights were already rounded, because
casting rounded weights would decide nothing. The pale bands are the ranges that the ledger accepts under the floor
rule. Middle: the distance of a sentence encoder's embeddings from those in float32. Right: the share of nearest
neighbours among the questions that change. The left axis is linear around zero, within the limits on its label, and
logarithmic beyond; the middle axis is logarithmic. Points are means, bars 95 % bootstrap intervals over the questions.
"""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle
from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.points import apart, mean_of, points
from jouleproof.drawing.select import deciding_cast, rules_of_all, where
from jouleproof.drawing.style import CAST_CLAIMS, HEIGHT, WIDTH, Look, format_label, format_style, key, name_rows

TITLE = "Direct cast of two real models"
SOURCES = ["mx/direct_cast_language", "mx/direct_cast_embedding"]
LOOKS = (("o", True), ("o", False), ("s", True), ("s", False))  # marker, filled
LINEAR = 0.01  # nats/token
CASTS = {"activations": "activations", "weights": "weights", "both": "weights and activations"}


def draw(language: pd.DataFrame, embedding: pd.DataFrame) -> Figure:
    rules = dict(zip(rules_of_all(embedding), LOOKS, strict=False))
    styles = format_style(embedding["format"])
    size = (WIDTH, 1.3 * HEIGHT)
    figure, (left, middle, right) = plt.subplots(1, 3, sharey=True, figsize=size, width_ratios=[1.35, 1, 1])
    language, embedding = deciding_cast(language), deciding_cast(embedding)
    lost = embedding.assign(value=1 - embedding["value"])
    _points(left, where(language, metric="added_loss"), styles, rules, "tokens")
    _points(middle, where(lost, metric="cosine"), styles, rules)
    _points(right, where(lost, metric="same_neighbour"), styles, rules)
    left.set_xscale("symlog", linthresh=LINEAR, linscale=0.7)
    left.axvline(0, color=GREY, lw=0.7)
    left.set(xlabel=f"added loss, linear within ±{LINEAR:g}\n(nats/token)", ylabel="format")
    for place, name in enumerate(styles):
        if name in CAST_CLAIMS:
            accepted(left, CAST_CLAIMS[name], (place - 0.4, place + 0.4))
    middle.set(xscale="log", xlabel="1 − cosine to float32 (1)")
    right.set(xlabel="neighbours changed (share)", xlim=(-0.01, None))
    name_rows(left, list(map(format_label, styles)), 0.6)
    handles = [
        key(f"{rule} rule", marker=marker, color=INK, mfc=INK if filled else "white")
        for rule, (marker, filled) in rules.items()
    ]
    figure.legend(handles=[*handles, accepted_handle()], loc="outside upper center", ncols=len(handles) + 1)
    return figure


def _points(
    axis: Axes,
    table: pd.DataFrame,
    styles: dict[str, Look],
    rules: dict[str, tuple[str, bool]],
    weight: str | None = None,
) -> None:
    for place, (name, look) in enumerate(styles.items()):
        for number, (rule, (marker, filled)) in enumerate(rules.items()):
            mean = mean_of(table, weight, format=name, scale=rule)
            mark = {"color": look["color"], "marker": marker, "mfc": look["color"] if filled else "white"}
            points(axis, mean, place + apart(number, len(rules), 0.5), ms=5.5, elinewidth=1.1, **mark)
    model, subject, questions = table["model"].iloc[0], table["subject"].iloc[0], table["question"].nunique()
    axis.set_title(f"{model}\n{CASTS.get(subject, subject)}\n{questions} questions", fontsize=7.5)
    axis.grid(axis="y", visible=False)
