"""Processor time of a token on one core of one engine. Left: written, with so many texts side by side, each 256 tokens
long (lines), and read in a prompt (marks at the left edge). Full marks: float32; open marks: bfloat16. The larger
model's weights are drawn at random, which takes the same time. Right: written alone by the real weights in each format,
against the least bytes that it has to read; the head stays float32 in block formats. Medians of the rounds; bars reach
from the least to the most."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, ScalarFormatter

from jouleproof.drawing.palette import BLUE, GREEN, INK, VERMILION
from jouleproof.drawing.style import HEIGHT, WIDTH, format_label, format_style, shape_label

TITLE = "What a token costs"
SOURCES = ["slm_energy/cost"]
LOOKS = ((BLUE, "o"), (VERMILION, "s"), (INK, "^"), (GREEN, "D"))
FILLS = {"float32": "full", "bfloat16": "none"}
PROMPT_AT = 0.6  # left of the smallest batch


def draw(cost: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.45 * HEIGHT), width_ratios=[1.25, 1])
    times = cost[cost["metric"] == "cpu_ms_per_token"]
    _side_by_side(left, times[times["format"].isin(FILLS)])
    tokens = cost[(cost["weights"] == "real") & (cost["phase"] == "token") & (cost["batch"] == 1)]
    _by_format(right, tokens)
    return figure


def _side_by_side(axis: Axes, times: pd.DataFrame) -> None:
    by_model = times.groupby(["model", "weights"], sort=False)
    for (colour, marker), ((model, weights), of_model) in zip(LOOKS, by_model, strict=False):
        named = shape_label(str(model), str(weights))
        for dtype, rows in of_model.groupby("format", sort=False):
            for phase, line in rows.groupby("phase"):
                spread = line.groupby("batch")["value"].agg(["median", "min", "max"])
                across = spread.index if phase == "token" else [PROMPT_AT]
                ends = [spread["median"] - spread["min"], spread["max"] - spread["median"]]
                axis.errorbar(across, spread["median"], ends, color=colour, marker=marker, fillstyle=FILLS[str(dtype)],
                              capsize=2, ls="-" if phase == "token" else "",
                              label=f"{named}, {dtype}" if phase == "token" else None)  # fmt: skip
    axis.set_xscale("log")
    axis.set_yscale("log")
    batches = sorted(times[times["phase"] == "token"]["batch"].unique())
    axis.set_xticks([PROMPT_AT, *batches], ["prompt", *map(str, batches)])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("texts side by side (1)")
    axis.set_ylabel("CPU time of a token (ms)")
    axis.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.2))


def _by_format(axis: Axes, rows: pd.DataFrame) -> None:
    read = rows[rows["metric"] == "bytes_per_token"].groupby("format")["value"].first() / 1e6
    times = rows[rows["metric"] == "cpu_ms_per_token"].groupby("format")["value"].agg(["median", "min", "max"])
    for name, look in format_style(set(times.index) & set(read.index)).items():
        spread = times.loc[name]
        ends = [[spread["median"] - spread["min"]], [spread["max"] - spread["median"]]]
        axis.errorbar(read[name], spread["median"], ends, color=look["color"], marker=look["marker"], ls="", capsize=2,
                      label=format_label(name))  # fmt: skip
    axis.set_xlim(0)
    axis.set_ylim(0)
    axis.set_xlabel("read for a token, at least (MB)")
    axis.set_ylabel("CPU time of a token alone (ms)")
    axis.legend(fontsize=6.5, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2))
