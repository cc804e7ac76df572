"""Decoding with SmolLM2-135M, one token at a time on one thread, with linear layers in MX, compared with float32 in the
same engine. Left: speed against the bytes of weights that are read per token (the output head stays float32); formats
that read the same bytes are drawn side by side. The dashed line is an upper limit for one thread: the speed if only
those bytes were read, at the rate at which all threads together sum over a large matrix. Right: speed over float32 in
the same round; a tick (|) marks what the bytes would allow. The pale band is the range that the ledger accepts for the
best format. Points are means over the rounds, bars their 95 % intervals; the ledger's interval also accounts for the
choice of the best format.
"""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle
from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.points import mean_of, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import BELOW, HEIGHT, WIDTH, format_label, format_style, key, name_rows, plain_log

TITLE = "A language model decoding with packed weights"
SOURCES = ["mx/decode", "mx/matvec"]
APART = 12.0  # MB between formats that read the same bytes


def draw(decode: pd.DataFrame, matvec: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), width_ratios=[1.1, 1])
    read = where(decode, metric="bytes_per_token").groupby("format")["value"].first() / 1e6
    _speeds(left, decode, read)
    _reading(left, read, _read_rate(matvec))
    formats = format_style(name for name in read.index if name != "float32")
    for place, (name, look) in enumerate(formats.items()):
        points(right, mean_of(decode, metric="over_float32", format=name), place, elinewidth=1.3, ms=6, **look)
        right.plot(read["float32"] / read[name], place, marker="|", ms=11, color=INK, lw=0)
    right.axvline(1, color=GREY, lw=0.7)
    name_rows(right, list(map(format_label, formats)), 0.6)
    right.set(xlim=(0, None), xlabel="speed over float32 (x)")
    accepted(right, "mx.fetches.decode", right.get_ylim())
    handles = [accepted_handle(), key("what the bytes would allow", marker="|", ms=9, color=INK)]
    right.legend(handles=handles, **BELOW)
    return figure


def _speeds(axis: Axes, decode: pd.DataFrame, read: "pd.Series[float]") -> None:
    for name, look in format_style(read.index).items():
        alike = [other for other in format_style(read.index) if read[other] == read[name]]
        across = read[name] + APART * (alike.index(name) - (len(alike) - 1) / 2)
        speed = mean_of(decode, metric="tokens_per_s", format=name)
        points(axis, across, speed, elinewidth=1.3, ms=5, label=format_label(name), **look)


def _reading(axis: Axes, read: "pd.Series[float]", rate: float) -> None:
    """Draw the speed that reading alone would allow. rate: bytes per second."""
    megabytes = np.linspace(0.8 * read.min(), 1.1 * read.max(), 100)
    axis.plot(megabytes, rate / 1e6 / megabytes, color=INK, ls="--", lw=0.9, label="reading alone, all threads")
    plain_log(axis.yaxis)
    axis.set(xlabel="weights read per token (MB)", ylabel="speed (tokens/s)")
    axis.legend(ncols=2, **BELOW)


def _read_rate(matvec: pd.DataFrame) -> float:
    """Return the rate of a sum over the largest matrix, in bytes per second."""
    reading = where(matvec, format="read")
    size = reading["rows"] * reading["columns"]
    here = reading[size == size.max()].groupby("metric")["value"]
    return float(here.get_group("weight_bytes").mean() * (1 / here.get_group("time")).mean())
