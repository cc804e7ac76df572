"""Processor time of a token on one core with one engine. Left: written with the given number of texts side by side,
each 256 tokens long (lines), and read in a prompt (marks at the left edge). Filled marks: float32; open marks:
bfloat16. The larger model has random weights, which take the same time. Right: written alone with the real weights in
each format, against the fewest bytes that must be read; the head stays float32 in block formats. Values are medians of
the rounds; bars span minimum to maximum."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from jouleproof.drawing.palette import BLUE, GREEN, INK, VERMILION
from jouleproof.drawing.points import median_and_ends, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, Look, format_label, format_style, plain_log, shape_label

TITLE = "What a token costs"
SOURCES = ["slm_energy/cost"]
LOOKS = ((BLUE, "o"), (VERMILION, "s"), (INK, "^"), (GREEN, "D"))
FILLS = {"float32": "full", "bfloat16": "none"}
PROMPT_AT = 0.6  # left of the smallest batch
BELOW: Look = {"fontsize": 6.5, "loc": "upper center", "bbox_to_anchor": (0.5, -0.2)}  # the legends


def draw(cost: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.45 * HEIGHT), width_ratios=[1.25, 1])
    _side_by_side(left, where(cost, metric="cpu_ms_per_token", format=FILLS))
    _by_format(right, where(cost, weights="real", phase="token", batch=1))
    return figure


def _side_by_side(axis: Axes, times: pd.DataFrame) -> None:
    by_model = times.groupby(["model", "weights"], sort=False)
    for (colour, marker), ((model, weights), of_model) in zip(LOOKS, by_model, strict=False):
        for dtype, rows in of_model.groupby("format", sort=False):
            look = {"color": colour, "marker": marker, "fillstyle": FILLS[str(dtype)], "capsize": 2}
            read, written = (
                {batch: median_and_ends(values) for batch, values in where(rows, phase=phase).groupby("batch")["value"]}
                for phase in ("prompt", "token")
            )
            label = f"{shape_label(str(model), str(weights))}, {dtype}"
            points(axis, list(written), list(written.values()), ls="-", label=label, **look)
            points(axis, [PROMPT_AT] * len(read), list(read.values()), **look)
    axis.set_xscale("log")
    plain_log(axis.yaxis)
    batches = sorted(set(where(times, phase="token")["batch"]))
    axis.set_xticks([PROMPT_AT, *batches], ["prompt", *map(str, batches)])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set(xlabel="texts side by side (1)", ylabel="CPU time of a token (ms)")
    axis.legend(**BELOW)


def _by_format(axis: Axes, rows: pd.DataFrame) -> None:
    read = where(rows, metric="bytes_per_token").groupby("format")["value"].first() / 1e6
    times = where(rows, metric="cpu_ms_per_token")
    for name, look in format_style(set(times["format"]) & set(read.index)).items():
        spread = median_and_ends(where(times, format=name)["value"])
        points(axis, read[name], spread, capsize=2, label=format_label(name), **look)
    axis.set(xlim=(0, None), ylim=(0, None))
    axis.set(xlabel="least read for a token (MB)", ylabel="CPU time of a token alone (ms)")
    axis.legend(ncols=2, **BELOW)
