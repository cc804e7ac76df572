"""Requests served for real by two processes on two cores: the share of gaps between tokens (above) and of times to
the first token (below) that are longer than a time, at each load, a share of what the prompt worker can read.
Solid: measured, pooled over the repeats, the same requests in every mode. Dashed: the simulator of this project,
fitted on half of the measured shapes of an iteration, on the same requests. A curve ends where too few samples lie
beyond it."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from jouleproof.drawing.style import HEIGHT, MODE_STYLES, WIDTH

TITLE = "Phases mixed and split, served for real"
SOURCES = ["phase_split/serving"]
PANELS = {"gap_s": "gap between tokens (ms)", "ttft_s": "time to the first token (ms)"}
LINES = {"pooled": "-", "predicted": "--"}


def draw(serving: pd.DataFrame) -> Figure:
    loads = sorted(set(serving["load"]) - {0.0})
    figure, axes = plt.subplots(
        len(PANELS), len(loads), figsize=(WIDTH, 1.7 * HEIGHT), sharex="row", sharey="row", squeeze=False
    )
    for row, (metric, label) in zip(axes, PANELS.items(), strict=True):
        for axis, load in zip(row, loads, strict=True):
            _curves(axis, serving[(serving["metric"] == metric) & (serving["load"] == load)])
            axis.set_xlabel(label)
        row[0].set_ylabel("share that is longer")
    for axis, load in zip(axes[0], loads, strict=True):
        axis.set_title(f"load {load:.0%}")
    handles = [Line2D([], [], color=colour, label=label) for colour, label in MODE_STYLES.values()]
    handles += [Line2D([], [], color="#777777", ls="-", label="measured"),
                Line2D([], [], color="#777777", ls="--", label="simulated")]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=5, columnspacing=1.0, handletextpad=0.5)
    return figure


def _curves(axis: Axes, rows: pd.DataFrame) -> None:
    for mode, (colour, _) in MODE_STYLES.items():
        for over, line in LINES.items():
            curve = rows[(rows["mode"] == mode) & (rows["over"] == over)].sort_values("quantile")
            axis.plot(1e3 * curve["value"], 1 - curve["quantile"], color=colour, ls=line, lw=1.2)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_yticks([1, 0.1, 0.01], ["100 %", "10 %", "1 %"])
    axis.yaxis.set_minor_formatter(NullFormatter())
