"""The levers one after another on one service (the Azure conversation hour, Llama2-70B on H100 machines, whole prompts
before decodes): the share left of the plain system's joules per request, and of the power that must be provisioned for
a million requests an hour. Bars: medians over draws of all uncertain quantities; whiskers hold 95 % of the draws.
Coloured: what the lever saves of the share left by those before it. Pale: the range that the ledger accepts for all
together."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.levers import LEVERS, MEASURES, estimate_of, first_plain
from jouleproof.drawing.palette import ASH
from jouleproof.drawing.points import points
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "The levers together, one after another"
SOURCES = ["joint/levers"]


def draw(levers: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharey=True)
    rows = first_plain(levers)
    for axis, (measure, title) in zip(axes, MEASURES.items(), strict=True):
        _waterfall(axis, rows, measure)
        plain = estimate_of(rows, measure, "none")
        size = f"{plain.value:,.0f} J" if measure == "joules" else f"{plain.value:.2f} MW for a million requests/h"
        axis.set_title(f"{title}\nplain: {size}")
    accepted(axes[0], "joint.parts_add_up", axes[0].get_xlim(), "y", 0.01)
    axes[0].set_ylabel("of the plain system (%)")
    return figure


def _waterfall(axis: Axes, rows: pd.DataFrame, measure: str) -> None:
    before, labels = 100.0, ["plain"]
    axis.bar(0, before, color=ASH, width=0.7)
    axis.text(0, 2, "100", ha="center", fontsize=7)
    for place, (name, (colour, label, _)) in enumerate(LEVERS.items(), 1):
        left = estimate_of(rows, f"{measure}_ratio", "+".join(list(LEVERS)[:place])).times(100)
        axis.bar(place, left.value, color=ASH, width=0.7)
        axis.bar(place, before - left.value, bottom=left.value, color=colour, width=0.7)
        points(axis, place, left, color="black", lw=0.9, capsize=2)
        axis.text(place, 2, f"{left.value:.0f}", ha="center", fontsize=7)
        labels.append(f"+ {label}" if name != "mx" else label)
        before = left.value
    axis.set_xticks(range(len(labels)), labels, fontsize=6.5)
    axis.set_ylim(0, 104)
    axis.grid(axis="x", visible=False)
