"""Gradients and a KV cache (the keys and values of a text that was read) between two processes. Left and middle: how
much sooner they arrive than in float32, casts included, over links of several rates, one shape for each; the tick (|)
on a row is how many times fewer bytes are sent, the most that a slow link can give. Right: the error that this adds,
over the RMS of the float32 result, against the bytes; here a shape is a format, filled for the gradient and hollow for
the KV cache. Colours are formats throughout. The pale bands are the ranges that the ledger accepts: speed-up of MXFP8
E4M3 at 1 Gbit/s, and its bytes. Points are means, bars 95 % intervals over the repeats; errors and bytes are exact."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.style import (
    HEIGHT,
    WIDTH,
    accepted,
    accepted_handle,
    format_label,
    format_style,
    ordered_formats,
)
from jouleproof.evidence.intervals import mean_interval

TITLE = "Fewer bytes on the wire"
SOURCES = ["mx/wire"]
CLAIMS = {"gradient": "mx.wire.allreduce", "kv_cache": "mx.wire.kv_cache"}
CLAIMED = ("mxfp8_e4m3", "1 Gbit/s")  # format, link
PAYLOADS = {"gradient": "gradient all-reduce", "kv_cache": "KV cache move"}
FILLS: dict[str, Literal["full", "none"]] = {"gradient": "full", "kv_cache": "none"}
LINK_MARKERS = ("h", "*", "x", "+", "1", "2")  # no format has these


def draw(wire: pd.DataFrame) -> Figure:
    figure = plt.figure(figsize=(WIDTH, 1.15 * HEIGHT))
    grid = figure.add_gridspec(1, 3, width_ratios=[1, 1, 1.15])
    left = figure.add_subplot(grid[0])
    speeds = [left, figure.add_subplot(grid[1], sharey=left)]
    error = figure.add_subplot(grid[2])
    names = formats_of(wire)
    styles = format_style(names)
    links = [link for link in dict.fromkeys(wire["link"]) if link != "every"]
    markers = dict(zip(links, LINK_MARKERS * len(links), strict=False))
    for axis, payload in zip(speeds, PAYLOADS, strict=True):
        _speedups(axis, wire[wire["payload"] == payload], names, styles, markers)
        if CLAIMED[0] in names and CLAIMED[1] in links:
            middle = names.index(CLAIMED[0]) + _aside(len(links))[links.index(CLAIMED[1])]
            accepted(axis, CLAIMS[payload], (middle - 0.17, middle + 0.17))
        axis.set_title(PAYLOADS[payload])
        axis.set_xlabel("over float32 (x)")
    left.set_yticks(range(len(names)), [format_label(name) for name in names])
    speeds[1].tick_params(labelleft=False)
    handles: list[Artist] = [
        Line2D([], [], marker=marker, ms=6, mew=1.2, color=INK, lw=0, label=link) for link, marker in markers.items()
    ]
    handles.append(Line2D([], [], marker="|", ms=9, mew=1.4, color=INK, lw=0, label="times fewer bytes"))
    handles.append(accepted_handle())
    figure.legend(
        handles=handles, title="left and middle: link", loc="outside upper left", ncols=len(handles), alignment="left",
        handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip
    _errors(error, wire, names, styles)
    return figure


def formats_of(wire: pd.DataFrame) -> list[str]:
    """All but float32, which the others are held against; bfloat16 first."""
    names = [name for name in ordered_formats(wire["format"]) if name != "float32"]
    return sorted(names, key=lambda name: name != "bfloat16")


def _speedups(
    axis: Axes,
    table: pd.DataFrame,
    names: list[str],
    styles: Mapping[str, Mapping[str, str]],
    markers: Mapping[str, str],
) -> None:
    sent = table[table["metric"] == "sent_bytes"].set_index("format")["value"]
    timed = table[table["metric"] == "speedup_over_float32"]
    for place, name in enumerate(names):
        axis.plot(sent["float32"] / sent[name], place, "|", color=INK, ms=13, mew=1.4)
        for offset, (link, marker) in zip(_aside(len(markers)), markers.items(), strict=True):
            rows = timed[(timed["format"] == name) & (timed["link"] == link)]
            speedup = mean_interval(rows["value"].to_numpy())
            axis.errorbar(
                speedup.value,
                place + offset,
                xerr=[[speedup.value - speedup.low], [speedup.high - speedup.value]],
                color=styles[name]["color"],
                marker=marker,
                ms=5,
                mew=1.2,
                elinewidth=1.1,
            )
    axis.axvline(1, color=GREY, lw=0.7)
    axis.set_xlim(left=0)
    axis.set_ylim(len(names) - 0.5, -0.5)


def _aside(count: int) -> list[float]:
    """Where the links lie, off the middle of a row."""
    return [0.6 * (number / max(count - 1, 1) - 0.5) for number in range(count)]


def _errors(axis: Axes, wire: pd.DataFrame, names: list[str], styles: Mapping[str, Mapping[str, str]]) -> None:
    exact = wire[wire["link"] == "every"].set_index(["payload", "format", "metric"])["value"]
    for payload, fill in FILLS.items():
        for name in names:
            axis.plot(
                exact[payload, name, "bytes_over_bfloat16"],
                exact[payload, name, "relative_error"],
                color=styles[name]["color"],
                marker=styles[name]["marker"],
                fillstyle=fill,
                lw=0,
                ms=5.5,
            )
    axis.set_yscale("log")
    axis.set_title("what it costs")
    axis.set_xlabel("bytes over bfloat16's (ratio)")
    axis.set_ylabel("relative error added (1)")
    axis.set_xlim(left=0)
    accepted(axis, "mx.wire.cost", axis.get_ylim())
    handles = [
        Line2D([], [], color=styles[name]["color"], marker=styles[name]["marker"], lw=0, label=format_label(name))
        for name in names
    ]
    handles += [
        Line2D([], [], color=INK, marker="o", fillstyle=fill, lw=0, label=payload.replace("kv_", "KV "))
        for payload, fill in FILLS.items()
    ]
    axis.figure.legend(
        handles=handles, title="right", loc="outside right center", fontsize=6.8, title_fontsize=7, handletextpad=0.2
    )
