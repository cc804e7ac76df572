"""SmolLM2-135M decoding one token at a time, on one thread, with its linear layers in MX, beside float32 in the same
engine. Left: speed against the bytes of weights that a token reads (the output head stays float32); formats that read
the same bytes stand side by side. The dashed line is what reading those bytes alone would allow at the rate at which
all threads together sum over a large matrix, an upper limit for one thread. Right: speed over the float32 of the same
round; a tick (|) is what the bytes would allow. The pale band is the range that the ledger accepts for the best format.
Points are means over the rounds, bars their 95 % intervals."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.style import HEIGHT, WIDTH, accepted, accepted_handle, format_label, format_style
from jouleproof.evidence.intervals import Estimate, mean_interval

TITLE = "A language model decoding with packed weights"
SOURCES = ["mx/decode", "mx/matvec"]
APART = 12.0  # MB between formats that read the same bytes


def draw(decode: pd.DataFrame, matvec: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), width_ratios=[1.1, 1])
    read = decode[decode["metric"] == "bytes_per_token"].groupby("format")["value"].first() / 1e6
    styles = format_style(name for name in read.index if name != "float32")
    _speeds(left, decode, read, {**styles, **format_style(["float32"])})
    _reading(left, read, _read_rate(matvec))
    for place, (name, look) in enumerate(styles.items()):
        speedup = _mean(decode, "over_float32", name)
        artist: Any = look
        right.errorbar(speedup.value, place, xerr=_ends(speedup), elinewidth=1.3, ms=6, **artist)
        right.plot(read["float32"] / read[name], place, marker="|", ms=11, color=INK, lw=0)
    right.axvline(1, color=GREY, lw=0.7)
    right.set_yticks(range(len(styles)), [format_label(name) for name in styles])
    right.set_ylim(len(styles) - 0.4, -0.6)
    right.set_xlim(left=0)
    right.set_xlabel("speed over float32 (x)")
    accepted(right, "mx.fetches.decode", (-0.6, len(styles) - 0.4))
    handles = [
        accepted_handle(),
        Line2D([], [], marker="|", ms=9, color=INK, lw=0, label="what the bytes would allow"),
    ]
    right.legend(handles=handles, fontsize=6.5, loc="upper left", bbox_to_anchor=(0, -0.18))
    return figure


def _speeds(axis: Axes, decode: pd.DataFrame, read: pd.Series, styles: dict[str, dict[str, str]]) -> None:
    for name, style in styles.items():
        if name in read:
            alike = [other for other in styles if other in read and read[other] == read[name]]
            aside = APART * (alike.index(name) - (len(alike) - 1) / 2)
            speed, look = _mean(decode, "tokens_per_s", name), {**style, "label": format_label(name)}
            artist: Any = look
            axis.errorbar(read[name] + aside, speed.value, yerr=_ends(speed), elinewidth=1.3, ms=5, lw=0, **artist)


def _reading(axis: Axes, read: pd.Series, rate: float) -> None:
    """rate: bytes per second."""
    megabytes = np.linspace(0.8 * read.min(), 1.1 * read.max(), 100)
    axis.plot(megabytes, rate / 1e6 / megabytes, color=INK, ls="--", lw=0.9, label="reading alone, all threads")
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("weights read per token (MB)")
    axis.set_ylabel("speed (tokens/s)")
    axis.legend(fontsize=6.5, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.18))


def _mean(decode: pd.DataFrame, metric: str, name: str) -> Estimate:
    return mean_interval(decode[(decode["metric"] == metric) & (decode["format"] == name)]["value"].to_numpy())


def _ends(estimate: Estimate) -> list[list[float]]:
    return [[estimate.value - estimate.low], [estimate.high - estimate.value]]


def _read_rate(matvec: pd.DataFrame) -> float:
    """Bytes per second of a sum over the largest matrix."""
    reading = matvec[matvec["format"] == "read"]
    size = reading["rows"] * reading["columns"]
    here = reading[size == size.max()].groupby("metric")["value"]
    return float(here.get_group("weight_bytes").mean() * (1 / here.get_group("time")).mean())
