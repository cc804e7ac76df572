"""How fast casts are, in GB/s of float32 input: this library, other libraries, and a plain copy into memory that is
there (the dashed line), with all threads (full) and with one (hollow). Points are medians over the passes."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.style import HEIGHT, LIBRARY_STYLES, WIDTH, format_label, ordered_formats

TITLE = "Throughput of casts"
SOURCES = ["mx/throughput"]
PANELS = {"fake_quantize": "fake-quantise", "quantize": "quantise to packed", "dequantize": "dequantise"}


def draw(throughput: pd.DataFrame) -> Figure:
    rates = throughput[throughput["metric"] == "throughput"]
    formats = ordered_formats(name for name in rates["format"] if name != "-")
    counts = sorted(set(rates["threads"]))
    figure, axes = plt.subplots(1, 3, sharex=True, sharey=True, figsize=(WIDTH, 1.15 * HEIGHT))
    for axis, (operation, title) in zip(axes, PANELS.items(), strict=True):
        _panel(axis, rates, operation, formats, counts)
        axis.set_title(title)
        axis.set_xlabel("float32 input (GB/s)")
    axes[0].set_yticks(range(len(formats)), [format_label(name) for name in formats])
    axes[0].invert_yaxis()
    present = [library for library in LIBRARY_STYLES if library in set(rates["library"])]
    handles = [
        Line2D([], [], lw=0, color=LIBRARY_STYLES[name][0], marker=LIBRARY_STYLES[name][1], label=name)
        for name in present
        if name != "torch"
    ]
    handles.append(Line2D([], [], color="#444444", ls="--", lw=0.9, label="copy"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


def _panel(axis: Axes, rates: pd.DataFrame, operation: str, formats: list[str], counts: list[int]) -> None:
    for count in counts:
        here = rates[rates["threads"] == count]
        copy = here[(here["operation"] == "copy") & (here["out"] == "given")]["value"].median()
        full = count == counts[-1]
        axis.axvline(copy, color="#444444" if full else "#AAAAAA", ls="--", lw=0.9, zorder=1)
        rows = here[here["operation"] == operation]
        for library, table in rows.groupby("library"):
            best = table.groupby(["format", "out"])["value"].median().groupby("format").max()
            colour, marker = LIBRARY_STYLES[str(library)]
            axis.plot(
                best.to_numpy(),
                [formats.index(str(name)) for name in best.index],
                lw=0,
                color=colour,
                marker=marker,
                markerfacecolor=colour if full else "white",
                zorder=3 if full else 2,
            )
    axis.set_xscale("log")
    axis.set_ylim(-0.6, len(formats) - 0.4)
