"""Transfers of gradients and a KV cache (the keys and values of a text that was read) between two processes. Left and
middle: speed-up over float32, casts included, over links of several rates, one shape per link; the tick (|) on a row
marks the reduction in bytes, the largest speed-up that a slow link can give. Right: the added error, over the RMS of
the float32 result, against the bytes; here a shape is a format, filled for the gradient and hollow for the KV cache.
Colours are formats throughout. The pale bands are the ranges that the ledger accepts: speed-up of MXFP8 E4M3 at 1
Gbit/s, and its bytes. Points are means, bars 95 % intervals over the repeats; errors and bytes are exact.
"""

from typing import Literal

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle
from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.points import mean_of, points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import (
    HEIGHT,
    WIDTH,
    Look,
    format_label,
    format_style,
    key,
    name_rows,
    ordered_formats,
)

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
    middle, right = figure.add_subplot(grid[1], sharey=left), figure.add_subplot(grid[2])
    looks = _formats(wire)
    links = [link for link in unique(wire["link"]) if link != "every"]
    markers = dict(zip(links, LINK_MARKERS * len(links), strict=False))
    for axis, (payload, title) in zip((left, middle), PAYLOADS.items(), strict=True):
        _speedups(axis, where(wire, payload=payload), looks, markers, CLAIMS[payload])
        axis.set(title=title, xlabel="over float32 (x)")
    name_rows(left, list(map(format_label, looks)))
    middle.tick_params(labelleft=False)
    handles: list[Artist] = [key(link, marker=marker, ms=6, mew=1.2, color=INK) for link, marker in markers.items()]
    handles += [key("times fewer bytes", marker="|", ms=9, mew=1.4, color=INK), accepted_handle()]
    above: Look = {"loc": "outside upper left", "alignment": "left", "handletextpad": 0.4, "columnspacing": 1.2}
    figure.legend(handles=handles, title="left and middle: link", ncols=len(handles), **above)
    _errors(right, where(wire, link="every"), looks)
    handles = [key(format_label(name), **look) for name, look in looks.items()]
    for payload, fill in FILLS.items():
        handles.append(key(payload.replace("kv_", "KV "), color=INK, marker="o", fillstyle=fill))
    beside: Look = {"loc": "outside right center", "fontsize": 6.8, "title_fontsize": 7, "handletextpad": 0.2}
    figure.legend(handles=handles, title="right", **beside)
    return figure


def _formats(wire: pd.DataFrame) -> dict[str, Look]:
    """Return all formats but float32, the reference, with bfloat16 first."""
    names = [name for name in ordered_formats(wire["format"]) if name != "float32"]
    looks = format_style(names)
    return {name: looks[name] for name in sorted(names, key=lambda name: name != "bfloat16")}


def _speedups(axis: Axes, table: pd.DataFrame, looks: dict[str, Look], markers: dict[str, str], claim: str) -> None:
    sent = where(table, metric="sent_bytes").set_index("format")["value"]
    timed = where(table, metric="speedup_over_float32")
    asides = [0.6 * (number / max(len(markers) - 1, 1) - 0.5) for number in range(len(markers))]
    claimed = None
    for place, (name, look) in enumerate(looks.items()):
        axis.plot(sent["float32"] / sent[name], place, "|", color=INK, ms=13, mew=1.4)
        for aside, (link, marker) in zip(asides, markers.items(), strict=True):
            mark = {"color": look["color"], "marker": marker, "ms": 5, "mew": 1.2, "elinewidth": 1.1}
            points(axis, mean_of(timed, format=name, link=link), place + aside, **mark)
            claimed = place + aside if (name, link) == CLAIMED else claimed
    axis.axvline(1, color=GREY, lw=0.7)
    axis.set_xlim(left=0)
    if claimed is not None:
        accepted(axis, claim, (claimed - 0.17, claimed + 0.17))


def _errors(axis: Axes, exact: pd.DataFrame, looks: dict[str, Look]) -> None:
    value = exact.set_index(["payload", "format", "metric"])["value"]
    for payload, fill in FILLS.items():
        for name, look in looks.items():
            across, up = (value[payload, name, metric] for metric in ("bytes_over_bfloat16", "relative_error"))
            axis.plot(across, up, fillstyle=fill, lw=0, ms=5.5, **look)
    axis.set(yscale="log", title="what it costs", xlim=(0, None))
    axis.set(xlabel="bytes over bfloat16's (ratio)", ylabel="relative error added (1)")
    accepted(axis, "mx.wire.cost", axis.get_ylim())
