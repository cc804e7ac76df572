"""Work hosted over that with one number per server (the mean), same rule, at the same risk run: margins are set in
hindsight. Left: by how many servers share a
budget; in large rows peaks even out by themselves. Right: by how far weeks repeat, in rows of ten. Means over seeds
with 95 % intervals; pale: what the ledger accepts at ten servers."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import GREY
from jouleproof.drawing.style import HEIGHT, INFORMATION_STYLES, OTHER_COLOURS, WIDTH, accepted

TITLE = "Where a profile is worth most"
SOURCES = ["placement/hosting", "placement/predictability"]
SHOWN = ("p99", "slots24", "slots168")
RULE, ONE_NUMBER, SIZE = "asynchrony", "mean", 10


def draw(hosting: pd.DataFrame, predictability: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharey=True)
    chosen = (hosting["metric"] == "level_over_mean") & (hosting["rule"] == RULE) & (hosting["arrivals"] == "grouped")
    shown = hosting[chosen & hosting["information"].isin(SHOWN)]
    _lines(left, shown, "row")
    left.set_xscale("log")
    sizes = sorted(set(shown["row"]))
    left.set_xticks(sizes, [str(size) for size in sizes])
    left.minorticks_off()
    left.set_xlabel("size of a row (servers)")
    left.set_ylabel("work over that with the mean (x)")
    others = predictability[
        (predictability["metric"] == "level_over_mean") & (predictability["information"] != ONE_NUMBER)
    ]
    _lines(right, others, "predictable")
    right.set_xlabel("how far weeks repeat (share)")
    for axis in (left, right):
        axis.axhline(1, color=GREY, lw=0.7)
    accepted(left, "placement.profile_over_mean", (SIZE * 0.85, SIZE * 1.18), "y")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure


def _lines(axis: Axes, rows: pd.DataFrame, across: str) -> None:
    means = over_seeds(rows, ["information", across])
    for number, name in enumerate(dict.fromkeys(rows["information"])):
        line = means.loc[name].sort_index()
        colour, marker, label = INFORMATION_STYLES.get(name, (OTHER_COLOURS[number % len(OTHER_COLOURS)], "o", name))
        axis.errorbar(line.index, line["value"], bars(line), color=colour, marker=marker, label=label, capsize=2)
