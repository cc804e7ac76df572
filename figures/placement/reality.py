"""The generated fleet compared with recorded data (Acme: GPU servers of a cluster for language models; Bitbrains: CPU
use of virtual machines; SURF: CPU use of cluster jobs of two days and more; Google: power domains, if the user has
them). Top left: power over the highest, by share of the time. Others: correlation of a machine's profile by hour of the
day with that of the next week and of the next day; and the sum of the peaks of ten machines on one day over the peak of
their sum. Median and quartiles over machines, or over draws of ten."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLACK, BLUE, BROWN, GREEN, GREY, ORANGE, PURPLE, SKY, SLATE
from jouleproof.drawing.points import points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, WIDTH, Look, name_rows
from jouleproof.evidence.intervals import Estimate

TITLE = "Generated and recorded"
SOURCES = ["placement/reality"]
RECORDED = {"Acme servers": BLACK, "Bitbrains": BLACK, "SURF jobs": GREY, "Google power domains": BROWN}
OTHERS = (BLUE, SKY, ORANGE, GREEN, PURPLE)
PANELS = {
    "repeats": ("correlation with the next week (1)", 0),
    "next_day": ("correlation with the next day (1)", 0),
    "evens_out": ("ten: sum of peaks over peak of sum (x)", 1),
}


def draw(reality: pd.DataFrame) -> Figure:
    figure, ((left, *first), others) = plt.subplots(2, 2, figsize=(WIDTH, 1.75 * HEIGHT))
    added = [name for name in unique(reality["data"]) if name not in RECORDED]
    colours = {**RECORDED, **dict(zip(added, OTHERS, strict=False))}
    powers = where(reality, metric="power_quantile").sort_values("percent")
    for name, curve in powers.groupby("data", sort=False):
        left.plot(curve["percent"], curve["value"], color=colours.get(str(name), BROWN), label=name)
    left.set(xlabel="share of the time (%)", ylabel="power over the highest (1)")
    left.legend(loc="upper left", fontsize=6.3)
    absent = set(where(reality, metric="had", value=0)["data"])
    for axis, (metric, (label, reference)) in zip([*first, *others], PANELS.items(), strict=True):
        _quartiles(axis, where(reality, metric=metric), colours, absent if metric == "repeats" else set())
        axis.axvline(reference, color=GREY, lw=0.7)
        axis.set_xlabel(label)
    return figure


def _quartiles(axis: Axes, rows: pd.DataFrame, colours: dict[str, str], absent: set[str]) -> None:
    names = [name for name in colours if name in {*rows["data"], *absent}]
    note: Look = {"xycoords": ("axes fraction", "data"), "ha": "center", "va": "center", "fontsize": 7, "color": SLATE}
    for place, name in enumerate(names):
        if name in absent:
            axis.annotate("not available", (0.5, place), **note)
            continue
        low, middle, high = where(rows, data=name).sort_values("percent")["value"]
        points(axis, Estimate(middle, low, high), place, color=colours[name], marker="o", capsize=3)
    labels = [name.replace(", ", ",\n").replace(" power ", " power\n") for name in names]
    name_rows(axis, labels, fontsize=7)
    axis.grid(axis="y", visible=False)
