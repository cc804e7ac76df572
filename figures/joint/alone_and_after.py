"""Each lever alone, and last, after the three others: what it leaves of a request's joules and of provisioned power.
Where a lever leaves more after the others than alone, it and they save the same thing twice. Right: joint saving over
the product of the single savings, as factors, by pair of levers and for all four; pale: what the ledger accepts of all
four. Medians over draws, whiskers hold 95 %."""

from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.levers import LEVERS, MEASURES, alone_or_last, estimate_of, first_plain
from jouleproof.drawing.style import HEIGHT, WIDTH, accepted

TITLE = "Each lever alone and after the others, and whether their savings multiply"
SOURCES = ["joint/levers"]
SHORT = {name: label for name, (_, _, label) in LEVERS.items()}
STYLES = {"joules": ("#000000", "o"), "megawatts": ("#8A8A8A", "D")}
ORDERS = {"alone": ("black", 0.12), "after the others": ("white", -0.12)}


def draw(levers: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 1.05 * HEIGHT), width_ratios=(1, 1, 1.15))
    rows = first_plain(levers)
    for axis, (measure, title) in zip(axes, MEASURES.items(), strict=False):
        _levers(axis, rows, measure)
        axis.set_title(title)
    axes[1].sharey(axes[0])
    axes[1].tick_params(labelleft=False)
    _overlaps(axes[2], rows)
    axes[2].set_title("do they multiply?")
    handles = [axes[0].get_legend_handles_labels(), axes[2].get_legend_handles_labels()]
    figure.legend([*handles[0][0], *handles[1][0]], [*handles[0][1], *handles[1][1]], loc="outside upper left", ncols=4)
    return figure


def _levers(axis: Axes, rows: pd.DataFrame, measure: str) -> None:
    for order, (face, shift) in ORDERS.items():
        estimates = [alone_or_last(rows, measure, name, order == "alone") for name in LEVERS]
        places = np.arange(len(LEVERS))[::-1] + shift
        for place, estimate, (colour, *_) in zip(places, estimates, LEVERS.values(), strict=True):
            filled = colour if face == "black" else "white"
            ends = [[100 * (estimate.value - estimate.low)], [100 * (estimate.high - estimate.value)]]
            axis.errorbar(100 * estimate.value, place, xerr=ends, color=colour, marker="o",
                          markerfacecolor=filled, ls="", capsize=2)  # fmt: skip
        axis.plot([], [], color="#444444", marker="o", ls="", label=order,
                  markerfacecolor="#444444" if face == "black" else "white")  # fmt: skip
    axis.axvline(100, color="#888888", lw=0.7)
    axis.set_yticks(np.arange(len(LEVERS))[::-1], [SHORT[name] for name in LEVERS])
    axis.set_xlabel("what it leaves (%)")


def _overlaps(axis: Axes, rows: pd.DataFrame) -> None:
    sets = [*combinations(LEVERS, 2), tuple(LEVERS)]
    places = np.arange(len(sets))[::-1]
    for shift, (measure, (colour, marker)) in zip((0.12, -0.12), STYLES.items(), strict=True):
        estimates = [estimate_of(rows, f"{measure}_overlap", "+".join(levers)) for levers in sets]
        value, low, high = (np.array([getattr(at, end) for at in estimates]) for end in ("value", "low", "high"))
        axis.errorbar(value, places + shift, xerr=[value - low, high - value], color=colour, marker=marker, ls="",
                      capsize=2, label=MEASURES[measure])  # fmt: skip
    axis.axvline(1, color="#888888", lw=0.7)
    names = [" and ".join(SHORT[name] for name in pair) if len(pair) == 2 else "all four" for pair in sets]
    axis.set_yticks(places, names, fontsize=6.5)
    axis.set_ylim(-0.5, len(sets) - 0.5)
    accepted(axis, "joint.levers_multiply", (-0.5, 0.5))
    axis.set_xlabel("joint saving over product (x)")
