"""Power efficiency against energy efficiency. Left: work hosted over what nameplates allow for, and joules per unit of
that work over those of the offered workloads, by the policy's information (asynchrony, grouped arrivals): more work is
hosted, at hardly any change in its energy. Right: joules per work where the policy also chooses processor and storage
by profile; pale: accepted by the ledger. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.palette import BLUE, GREY, VERMILION
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import preferred, where
from jouleproof.drawing.style import HEIGHT, INFORMATION_STYLES, WIDTH

TITLE = "Power is not energy"
SOURCES = ["placement/hosting", "placement/processors"]
RULE, SIZE = "asynchrony", 10
METRICS = {"work": (BLUE, "o", "work hosted", 0.12), "joules_per_work": (VERMILION, "D", "joules per work", -0.12)}
LABELS = {**{name: label for name, (_, _, label) in INFORMATION_STYLES.items()}, "plain": "nameplate, no margin"}


def draw(hosting: pd.DataFrame, processors: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), width_ratios=(1.5, 1))
    size = preferred(sorted(set(hosting["row"])), SIZE)
    rows = where(hosting, arrivals="grouped", row=size)
    _hosted(left, rows[(rows["rule"] == RULE) | (rows["information"] == "plain")])
    _chosen(right, over_seeds(where(processors, metric="joules_per_work"), ["chosen"]))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def _hosted(axis: Axes, rows: pd.DataFrame) -> None:
    for metric, (colour, marker, label, shift) in METRICS.items():
        means = over_seeds(where(rows, metric=metric), ["information"])
        places = [place + shift for place in range(len(means))]
        points(axis, means, places, color=colour, marker=marker, capsize=2, label=label)
    axis.set_yticks(range(len(means)), [LABELS.get(name, name) for name in means.index], fontsize=7)
    axis.axvline(1, color=GREY, lw=0.7)
    axis.set(xlabel="over nameplates' work, over offered joules (x)", ylabel="information on the power")


def _chosen(axis: Axes, saved: pd.DataFrame) -> None:
    """Draw the savings. saved: joules per work, by what is chosen."""
    points(axis, range(len(saved)), saved, color=BLUE, marker="o", capsize=2)
    axis.set_xticks(range(len(saved)), [name.replace(" ", "\n") for name in saved.index], fontsize=6.5)
    axis.set(xlim=(-0.5, len(saved) - 0.5), ylim=(0.9, 1.02))
    accepted(axis, "placement.processors_and_storage", axis.get_xlim(), "y")
    axis.set(xlabel="chosen by profile", ylabel="joules per work (x)")
