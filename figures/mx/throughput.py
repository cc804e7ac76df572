"""Speed of casts in GB/s of the float32 side, by library (shape). Fake-quantise: to the format and back to float32 in
one step; quantise: to packed bytes; dequantise: from these. Filled: all threads; hollow: one thread (this library
alone). This library writes into memory that is there (`out=`), as does the copy of the same input (dashed; dark: all
threads, pale: one); the other libraries take no such argument and write into new memory. Points are medians over the
passes."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import INK, SILVER
from jouleproof.drawing.select import preferred
from jouleproof.drawing.style import HEIGHT, LIBRARY_MARKERS, WIDTH, format_label, format_style, ordered_formats

TITLE = "Throughput of casts"
SOURCES = ["mx/throughput"]
GREY = INK
ASIDE = {"torchao": 0.12, "gfloat": -0.12, "ml_dtypes": 0.0}  # of a row, so that no point covers another
PANELS = {"fake_quantize": "fake-quantise", "quantize": "quantise to packed", "dequantize": "dequantise"}


def draw(throughput: pd.DataFrame) -> Figure:
    rates = throughput[throughput["metric"] == "throughput"]
    formats = ordered_formats(name for name in rates["format"] if name != "-")
    counts = sorted(set(rates["threads"]))
    figure, axes = plt.subplots(1, 3, sharex=True, sharey=True, figsize=(WIDTH, 1.15 * HEIGHT))
    for axis, (operation, title) in zip(axes, PANELS.items(), strict=True):
        _panel(axis, rates, operation, formats, counts)
        axis.set_title(title)
        axis.set_xlabel("float32 side (GB/s)")
    axes[0].set_yticks(range(len(formats)), [format_label(name) for name in formats])
    axes[0].invert_yaxis()
    handles = [
        Line2D([], [], lw=0, color=GREY, marker=marker, ms=6, label=name)
        for name, marker in LIBRARY_MARKERS.items()
        if name in set(rates["library"])
    ]
    handles.append(Line2D([], [], lw=0, color=GREY, marker="o", mfc="white", ms=6, label="jouleproof, one thread"))
    handles.append(Line2D([], [], color=GREY, ls="--", lw=0.9, label="copy"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), handletextpad=0.4, columnspacing=1.2)
    return figure


def _panel(axis: Axes, rates: pd.DataFrame, operation: str, formats: list[str], counts: list[int]) -> None:
    colours = format_style(formats)
    for count in counts:
        here = rates[rates["threads"] == count]
        copy = here[(here["operation"] == "copy") & (here["out"] == "given")]["value"].median()
        full = count == counts[-1]
        axis.axvline(copy, color=GREY if full else SILVER, ls="--", lw=0.9, zorder=1)
        rows = here[here["operation"] == operation]
        for library, table in rows.groupby("library"):
            out = preferred(list(table["out"]), "given")
            for name, speed in table[table["out"] == out].groupby("format")["value"].median().items():
                axis.plot(
                    speed,
                    formats.index(str(name)) + ASIDE.get(str(library), 0.12 if full else -0.12),
                    color=colours[str(name)]["color"],
                    marker=LIBRARY_MARKERS[str(library)],
                    ms=5.5,
                    markerfacecolor=colours[str(name)]["color"] if full else "white",
                    zorder=3 if full else 2,
                )
    axis.set_xscale("log")
    axis.set_ylim(-0.6, len(formats) - 0.4)
