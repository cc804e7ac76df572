"""Work hosted over that with one number per server (the mean), with the same rule, at equal realised risk: margins are
set in hindsight. Left: by number of servers that share a budget; peaks even out in large rows. Right: by how well weeks
repeat, in rows of ten. Means over seeds with 95 % intervals; pale: accepted by the ledger at ten servers."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.palette import GREY
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, information_style, plain_ticks

TITLE = "Where a profile is worth most"
SOURCES = ["placement/hosting", "placement/predictability"]
SHOWN = ("p99", "slots24", "slots168")
RULE, ONE_NUMBER, SIZE = "asynchrony", "mean", 10


def draw(hosting: pd.DataFrame, predictability: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharey=True)
    shown = where(hosting, metric="level_over_mean", rule=RULE, arrivals="grouped", information=SHOWN)
    _lines(left, shown, "row")
    left.set(xscale="log", xlabel="size of a row (servers)", ylabel="work over that with the mean (x)")
    plain_ticks(left.xaxis, shown["row"])
    others = predictability[predictability["information"] != ONE_NUMBER]
    _lines(right, where(others, metric="level_over_mean"), "predictable")
    right.set_xlabel("how far weeks repeat (share)")
    for axis in (left, right):
        axis.axhline(1, color=GREY, lw=0.7)
    accepted(left, "placement.profile_over_mean", (SIZE * 0.85, SIZE * 1.18), "y")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure


def _lines(axis: Axes, rows: pd.DataFrame, across: str) -> None:
    for name, look in information_style(rows["information"]).items():
        line = over_seeds(where(rows, information=name), [across]).sort_index()
        points(axis, line.index, line, ls="-", capsize=2, **look)
