"""Each lever alone, and last after the three others: the share of a request's joules and of provisioned power that it
leaves. A lever that leaves more after the others than alone overlaps with them. Right: joint saving over the product of
the single savings, as factors, by pair of levers and for all four; pale: the range that the ledger accepts for all
four. Medians over draws; whiskers hold 95 %."""

from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.levers import LEVERS, MEASURES, alone_or_last, estimate_of, first_plain
from jouleproof.drawing.palette import BLACK, GREY, INK
from jouleproof.drawing.points import points
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "Each lever alone and after the others, and whether their savings multiply"
SOURCES = ["joint/levers"]
SHORT = {name: label for name, (_, _, label) in LEVERS.items()}
STYLES = {"joules": (BLACK, "o"), "megawatts": (GREY, "D")}
ORDERS = {"alone": (True, 0.12), "after the others": (False, -0.12)}  # filled, shift


def draw(levers: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 1.05 * HEIGHT), width_ratios=(1, 1, 1.15))
    rows = first_plain(levers)
    for axis, (measure, title) in zip(axes, MEASURES.items(), strict=False):
        _levers(axis, rows, measure)
        axis.set_title(title)
    axes[1].sharey(axes[0])
    axes[1].tick_params(labelleft=False)
    _overlaps(axes[2], rows)
    handles = [*axes[0].get_legend_handles_labels()[0], *axes[2].get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure


def _levers(axis: Axes, rows: pd.DataFrame, measure: str) -> None:
    for order, (filled, shift) in ORDERS.items():
        for place, (name, (colour, *_)) in enumerate(reversed(LEVERS.items())):
            left = alone_or_last(rows, measure, name, order == "alone").times(100)
            points(axis, left, place + shift, color=colour, marker="o", mfc=colour if filled else "white", capsize=2)
        axis.plot([], [], color=INK, marker="o", mfc=INK if filled else "white", ls="", label=order)
    axis.axvline(100, color=GREY, lw=0.7)
    axis.set_yticks(range(len(LEVERS)), [SHORT[name] for name in reversed(LEVERS)])
    axis.set_xlabel("share left (%)")


def _overlaps(axis: Axes, rows: pd.DataFrame) -> None:
    sets = [*combinations(LEVERS, 2), tuple(LEVERS)]
    places = np.arange(len(sets))[::-1]
    for shift, (measure, (colour, marker)) in zip((0.12, -0.12), STYLES.items(), strict=True):
        overlaps = [estimate_of(rows, f"{measure}_overlap", "+".join(levers)) for levers in sets]
        points(axis, overlaps, places + shift, color=colour, marker=marker, capsize=2, label=MEASURES[measure])
    axis.axvline(1, color=GREY, lw=0.7)
    names = [" and ".join(SHORT[name] for name in pair) if len(pair) == 2 else "all four" for pair in sets]
    axis.set_yticks(places, names, fontsize=6.5)
    axis.set_ylim(-0.5, len(sets) - 0.5)
    accepted(axis, "joint.levers_multiply", (-0.5, 0.5))
    axis.set(title="do they multiply?", xlabel="joint saving over product (x)")
