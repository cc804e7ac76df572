"""Gradients and a KV cache between two processes. Left and middle: how much sooner they arrive than in float32, casts
included, over links of several rates; the tick on each row is how many times fewer bytes are sent, the most that a
slow link can give. Right: the error that this adds, against the bytes. Points are means, bars 95 % intervals over the
repeats; errors and bytes are exact."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.stats import mean_interval
from figures.style import HEIGHT, WIDTH, format_label, format_style, ordered_formats

TITLE = "Fewer bytes on the wire"
SOURCES = ["mx/wire"]
PAYLOADS = {"gradient": "gradient all-reduce", "kv_cache": "KV cache move"}
FILLS: dict[str, Literal["full", "none"]] = {"gradient": "full", "kv_cache": "none"}
LINK_MARKERS = ("o", "s", "D", "^", "v", "P")


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
        axis.set_title(PAYLOADS[payload])
        axis.set_xlabel("over float32 (x)")
    left.set_yticks(range(len(names)), [format_label(name) for name in names])
    speeds[1].tick_params(labelleft=False)
    handles = [Line2D([], [], marker=marker, color="#444444", lw=0, label=link) for link, marker in markers.items()]
    handles.append(
        Line2D([], [], marker="|", ms=9, mew=1.4, color="black", lw=0, label="fewer bytes, the limit of slow links")
    )
    figure.legend(
        handles=handles, title="speed-up by link", loc="outside upper left", ncols=len(handles), alignment="left"
    )
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
    spread = [0.6 * (number / max(len(markers) - 1, 1) - 0.5) for number in range(len(markers))]
    for place, name in enumerate(names):
        axis.plot(sent["float32"] / sent[name], place, "|", color="black", ms=13, mew=1.4)
        for offset, (link, marker) in zip(spread, markers.items(), strict=True):
            rows = timed[(timed["format"] == name) & (timed["link"] == link)]
            found = mean_interval(rows["value"].to_numpy())
            axis.errorbar(
                found.value,
                place + offset,
                xerr=[[found.value - found.low], [found.high - found.value]],
                color=styles[name]["color"],
                marker=marker,
                ms=4,
                elinewidth=1.1,
            )
    axis.axvline(1, color="#888888", lw=0.7)
    axis.set_xlim(left=0)
    axis.set_ylim(len(names) - 0.5, -0.5)


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
    handles = [
        Line2D([], [], color=styles[name]["color"], marker=styles[name]["marker"], lw=0, label=format_label(name))
        for name in names
    ]
    handles += [
        Line2D([], [], color="#444444", marker="o", fillstyle=fill, lw=0, label=payload.replace("kv_", "KV "))
        for payload, fill in FILLS.items()
    ]
    axis.figure.legend(handles=handles, loc="outside right center", fontsize=6.8, handletextpad=0.2)
