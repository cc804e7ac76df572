"""The generated fleet beside what was recorded (Acme: GPU servers of a cluster for language models; Bitbrains: CPU use
of virtual machines; SURF: CPU use of jobs on a cluster, those of two days and more; Google: power domains, where the
user has them). Top left: power over the highest, by share of the time. Others: how far a machine's profile by hour of
the day is like that of the next week, and of the next day; and, of ten machines on one day, the sum of their peaks over
the peak of their sum. Median and quartiles over machines, or over draws of ten."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLACK, BLUE, BROWN, GREEN, GREY, ORANGE, PURPLE, SKY, SLATE
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "Generated and recorded"
SOURCES = ["placement/reality"]
RECORDED = {
    "Acme servers": BLACK,
    "Bitbrains": BLACK,
    "SURF jobs": GREY,
    "Google power domains": BROWN,
}
OTHERS = (BLUE, SKY, ORANGE, GREEN, PURPLE)
PANELS = {"repeats": "correlation with the next week (1)", "next_day": "correlation with the next day (1)",
          "evens_out": "ten: peaks' sum over sum's peak (x)"}  # fmt: skip


def draw(reality: pd.DataFrame) -> Figure:
    figure, ((left, *first), others) = plt.subplots(2, 2, figsize=(WIDTH, 1.75 * HEIGHT))
    names = list(dict.fromkeys(reality["data"]))
    colours = {**RECORDED, **dict(zip((name for name in names if name not in RECORDED), OTHERS, strict=False))}
    powers = reality[reality["metric"] == "power_quantile"]
    for name, curve in powers.sort_values("percent").groupby("data", sort=False):
        left.plot(curve["percent"], curve["value"], color=colours.get(str(name), BROWN), label=name)
    left.set_xlabel("share of the time (%)")
    left.set_ylabel("power over the highest (1)")
    left.legend(loc="upper left", fontsize=6.3)
    absent = set(reality[(reality["metric"] == "had") & (reality["value"] == 0)]["data"])
    for axis, metric in zip([*first, *others], PANELS, strict=True):
        _quartiles(axis, reality[reality["metric"] == metric], colours, absent if metric == "repeats" else set())
        axis.axvline(1 if metric == "evens_out" else 0, color=GREY, lw=0.7)
        axis.set_xlabel(PANELS[metric])
    return figure


def _quartiles(axis: Axes, rows: pd.DataFrame, colours: dict[str, str], absent: set[str]) -> None:
    names = [name for name in colours if name in {*rows["data"], *absent}]
    for place, name in enumerate(names):
        if name in absent:
            axis.annotate("not at hand", (0.5, place), xycoords=("axes fraction", "data"), ha="center", va="center",
                          fontsize=7, color=SLATE)  # fmt: skip
            continue
        low, middle, high = rows[rows["data"] == name].sort_values("percent")["value"]
        axis.errorbar(middle, place, xerr=[[middle - low], [high - middle]], color=colours[name], marker="o", capsize=3)
    axis.set_yticks(range(len(names)), [name.replace(", ", ",\n").replace(" power ", " power\n") for name in names],
                    fontsize=7)  # fmt: skip
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
