"""Requests served by two real processes on two cores: the share of gaps between tokens (above) and of times to the
first token (below) that exceed a time. Load: share of the prompt worker's capacity. Solid: measured, pooled over the
repeats, with the same requests in every mode. Dashed: this project's simulator on the same requests, fitted to half of
the measured iteration shapes. A curve ends where too few samples lie beyond it."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from jouleproof.drawing.palette import GREY
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, MODE_STYLES, WIDTH, key, plain_log

TITLE = "Mixed, chunked and split phases on a real engine"
SOURCES = ["phase_split/serving"]
PANELS = {"gap_s": "gap between tokens (ms)", "ttft_s": "time to the first token (ms)"}
LINES = {"pooled": "-", "predicted": "--"}


def draw(serving: pd.DataFrame) -> Figure:
    loads = sorted(set(serving["load"]) - {0.0})
    size = (WIDTH, 1.7 * HEIGHT)
    figure, axes = plt.subplots(len(PANELS), len(loads), figsize=size, sharex="row", sharey="row", squeeze=False)
    for row, (metric, label) in zip(axes, PANELS.items(), strict=True):
        for axis, load in zip(row, loads, strict=True):
            _curves(axis, where(serving, metric=metric, load=load))
            axis.set_xlabel(label)
        row[0].set_ylabel("share that is longer")
    for axis, load in zip(axes[0], loads, strict=True):
        axis.set_title(f"load {load:.0%}")
    handles = [key(label, color=colour) for colour, label in MODE_STYLES.values()]
    handles += [key("measured", color=GREY, ls="-"), key("simulated", color=GREY, ls="--")]
    figure.legend(handles=handles, loc="outside upper left", ncols=5, columnspacing=1.0, handletextpad=0.5)
    return figure


def _curves(axis: Axes, rows: pd.DataFrame) -> None:
    for mode, (colour, _) in MODE_STYLES.items():
        for over, line in LINES.items():
            curve = where(rows, mode=mode, over=over).sort_values("quantile")
            axis.plot(1e3 * curve["value"], 1 - curve["quantile"], color=colour, ls=line, lw=1.2)
    plain_log(axis.xaxis)
    axis.set_yscale("log")
    axis.set_yticks([1, 0.1, 0.01], ["100 %", "10 %", "1 %"])
    axis.yaxis.set_minor_formatter(NullFormatter())
