"""Both phases of SmolLM2-135M on this machine. Left, one thread: the rate of each iteration over its operations per
byte read; the lines are the machine's rates of matrix products and of reading memory, measured in the same rounds.
Right: rates as shares of the ceiling that limits the phase, for the longest prompt and the token of a single text, on
one thread and on two. Pale: the range in which the ledger accepts the claims. Medians; bars from the lowest to the
highest round."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.palette import GREEN, GREY, INK, ORANGE
from jouleproof.drawing.points import median_and_ends, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, Look

TITLE = "Both phases under the roofline"
SOURCES = ["phase_split/roofline"]
PHASES = {
    "prompt": (ORANGE, "s", "prompt, tokens of one text"),
    "token": (GREEN, "o", "token, texts of a batch"),
}
SHARES = {"prompt": ("over_compute", "FLOP/s over\nproducts"), "token": ("over_memory", "bytes/s over\nreading")}
TOP = 1.1  # of the pale band
CLAIMS = {"prompt": "phase_split.prompt_compute_bound", "token": "phase_split.token_memory_bound"}


def draw(roofline: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), width_ratios=(1.7, 1))
    _roof(left, where(roofline, threads=1))
    _shares(right, roofline)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def _roof(axis: Axes, rows: pd.DataFrame) -> None:
    ceilings = where(rows, phase="machine").groupby("metric")["value"].median()
    products, reading = ceilings["flop_rate"] / 1e9, ceilings["read_rate"] / 1e9
    intensity = np.geomspace(0.2, 400, 200)
    axis.plot(intensity, np.minimum(products, intensity * reading), color=GREY, lw=1.3)
    axis.text(300, products * 1.06, "matrix products", ha="right", va="bottom", fontsize=7)
    axis.text(0.21, 0.21 * reading * 2.2, "reading memory", fontsize=7, rotation=52)
    small: Look = {"textcoords": "offset points", "fontsize": 6.5, "ha": "center", "color": INK}
    for phase, (colour, marker, label) in PHASES.items():
        medians = where(rows, phase=phase).groupby(["size", "metric"])["value"].median().unstack()
        across, up = medians["intensity"], medians["flop_rate"] / 1e9
        axis.plot(across, up, color=colour, marker=marker, label=label)
        for size in medians.index:
            axis.annotate(f"{size}", (across[size], up[size]), xytext=(0, -9), **small)
    axis.set(xscale="log", yscale="log", title="one thread")
    axis.set(xlabel="operations per byte read (FLOP/B)", ylabel="reached (GFLOP/s)")
    axis.set_ylim(0.6 * axis.get_ylim()[0], 2.2 * products)  # room for the sizes below the lowest points


def _shares(axis: Axes, roofline: pd.DataFrame) -> None:
    ticks: dict[float, str] = {}
    highest = TOP
    axis.set_ylim(0, TOP)
    for first, (phase, (metric, label)) in zip((0.0, 2.6), SHARES.items(), strict=True):
        shares = where(roofline, phase=phase, metric=metric)
        size = shares["size"].max() if phase == "prompt" else shares["size"].min()
        by_threads = where(shares, size=size).groupby("threads")["value"]
        for place, (threads, values) in enumerate(by_threads):
            share, hatch = median_and_ends(values), "" if threads == 1 else "////"
            axis.bar(first + place, share.value, 0.7, color=PHASES[phase][0], hatch=hatch, edgecolor="white", lw=0)
            points(axis, first + place, share, color=INK, lw=1)
            ticks[first + place] = "one\nthread" if threads == 1 else "two\nthreads"
            highest = max(highest, share.high)
        last = first + len(by_threads) - 1
        axis.set_ylim(0, TOP)
        accepted(axis, CLAIMS[phase], (first - 0.5, last + 0.5), "y")
        above: Look = {"ha": "center", "va": "bottom", "fontsize": 6.5, "transform": axis.get_xaxis_transform()}
        axis.text((first + last) / 2, 1.02, f"{phase} {size}\n{label}", **above)
    axis.axhline(1, color=GREY, lw=0.7)
    axis.set_xticks(list(ticks), list(ticks.values()))
    axis.set(ylabel="over the ceiling (share)", ylim=(0, highest * 1.05), yticks=[0, 0.25, 0.5, 0.75, 1.0])
