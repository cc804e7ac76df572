"""What a direct cast of every linear layer costs, without training. Left: the loss that it adds to a language model on
GSM8K questions; where the model's weights were rounded before, casts of these are pale and decide nothing. Middle: the
distance of a sentence encoder's embeddings from their float32 selves. Right: the share of nearest neighbours among the
questions that change. Points are means, bars 95 % bootstrap intervals over the questions."""

from collections.abc import Callable

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.stats import Estimate, mean_interval
from figures.select import under_one_rule
from figures.style import HEIGHT, WIDTH, format_label, format_style

TITLE = "Direct cast of two real models"
SOURCES = ["mx/direct_cast_language", "mx/direct_cast_embedding"]
SUBJECTS = {"activations": ("o", "activations"), "weights": ("s", "weights"), "both": ("D", "both")}


def draw(language: pd.DataFrame, embedding: pd.DataFrame) -> Figure:
    language, embedding = under_one_rule(language), under_one_rule(embedding)
    figure, (left, middle, right) = plt.subplots(
        1, 3, sharey=True, figsize=(WIDTH, 1.2 * HEIGHT), width_ratios=[1.35, 1, 1]
    )
    styles = format_style(embedding["format"])
    pale = {"weights", "both"} if language["rounded"].iloc[0] != "no" else set()
    added = language[language["metric"] == "added_loss"]
    _points(left, added, styles, lambda rows: mean_interval(rows["value"].to_numpy(), rows["tokens"].to_numpy()), pale)
    left.set_xscale("symlog", linthresh=0.01, linscale=0.7)
    left.axvline(0, color="#888888", lw=0.7)
    left.set_title(f"{language['model'].iloc[0]}, {added['question'].nunique()} questions")
    left.set_xlabel("added loss (nats/token)")
    _points(
        middle, _one_minus(embedding, "cosine"), styles, lambda rows: mean_interval(rows["value"].to_numpy()), set()
    )
    middle.set_xscale("log")
    middle.set_xlabel("1 − cosine to float32 (1)")
    _points(
        right,
        _one_minus(embedding, "same_neighbour"),
        styles,
        lambda rows: mean_interval(rows["value"].to_numpy()),
        set(),
    )
    right.set_xlabel("neighbours changed (share)")
    right.set_xlim(left=-0.01)
    for axis in (middle, right):
        axis.set_title(f"{embedding['model'].iloc[0]}\n{embedding['question'].nunique()} questions")
    left.set_yticks(range(len(styles)), [format_label(name) for name in styles])
    left.invert_yaxis()
    handles = [Line2D([], [], marker=marker, color="#444444", lw=0, label=label) for marker, label in SUBJECTS.values()]
    figure.legend(handles=handles, title="cast", loc="outside upper right", ncols=3)
    return figure


def _one_minus(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    rows = table[table["metric"] == metric]
    return rows.assign(value=1 - rows["value"])


def _points(
    axis: Axes,
    table: pd.DataFrame,
    styles: dict[str, dict[str, str]],
    estimate: Callable[[pd.DataFrame], Estimate],
    pale: set[str],
) -> None:
    for place, (name, look) in enumerate(styles.items()):
        for offset, (subject, (marker, _)) in zip((-0.25, 0, 0.25), SUBJECTS.items(), strict=True):
            found = estimate(table[(table["format"] == name) & (table["subject"] == subject)])
            axis.errorbar(
                found.value,
                place + offset,
                xerr=[[found.value - found.low], [found.high - found.value]],
                color=look["color"],
                marker=marker,
                ms=4,
                alpha=0.45 if subject in pale else 1.0,
                elinewidth=1.1,
            )
