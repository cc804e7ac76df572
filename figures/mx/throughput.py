"""Speed of casts in GB/s of the float32 side, by library (shape). Fake-quantise: to the format and back to float32 in
one step; quantise: to packed bytes; dequantise: from packed bytes. Filled: all threads; hollow: one thread (this
library only). This library writes into existing memory (`out=`), as does the copy of the same input (dashed; dark: all
threads, pale: one); the other libraries have no such argument and write into new memory. Points are medians over the
passes.
"""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import INK, SILVER
from jouleproof.drawing.select import preferred, where
from jouleproof.drawing.style import (
    HEIGHT,
    LIBRARY_MARKERS,
    WIDTH,
    Look,
    format_label,
    format_style,
    key,
    ordered_formats,
)

TITLE = "Throughput of casts"
SOURCES = ["mx/throughput"]
ASIDE = {"torchao": 0.12, "gfloat": -0.12, "ml_dtypes": 0.0}  # offset in a row, so that no point covers another
PANELS = {"fake_quantize": "fake-quantise", "quantize": "quantise to packed", "dequantize": "dequantise"}


def draw(throughput: pd.DataFrame) -> Figure:
    rates = where(throughput, metric="throughput")
    formats = ordered_formats(name for name in rates["format"] if name != "-")
    figure, axes = plt.subplots(1, 3, sharex=True, sharey=True, figsize=(WIDTH, 1.15 * HEIGHT))
    for axis, (operation, title) in zip(axes, PANELS.items(), strict=True):
        for threads, of_threads in rates.groupby("threads"):
            _panel(axis, of_threads, operation, formats, threads == rates["threads"].max())
        axis.set(title=title, xlabel="float32 side (GB/s)", xscale="log", ylim=(-0.6, len(formats) - 0.4))
    axes[0].set_yticks(range(len(formats)), list(map(format_label, formats)))
    axes[0].invert_yaxis()
    shown = {name: marker for name, marker in LIBRARY_MARKERS.items() if name in set(rates["library"])}
    handles = [key(name, color=INK, marker=marker, ms=6) for name, marker in shown.items()]
    handles.append(key("jouleproof, one thread", color=INK, marker="o", mfc="white", ms=6))
    handles.append(key("copy", color=INK, ls="--", lw=0.9))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), handletextpad=0.4, columnspacing=1.2)
    return figure


def _panel(axis: Axes, rates: pd.DataFrame, operation: str, formats: list[str], full: bool) -> None:
    """Draw the rates for one number of threads. full: whether it is the largest."""
    copy = where(rates, operation="copy", out="given")["value"].median()
    axis.axvline(copy, color=INK if full else SILVER, ls="--", lw=0.9, zorder=1)
    colours = {name: look["color"] for name, look in format_style(formats).items()}
    for library, table in where(rates, operation=operation).groupby("library"):
        given = where(table, out=preferred(list(table["out"]), "given"))
        aside = ASIDE.get(str(library), 0.12 if full else -0.12)
        mark: Look = {"marker": LIBRARY_MARKERS[str(library)], "ms": 5.5, "zorder": 3 if full else 2}
        for name, speed in given.groupby("format")["value"].median().items():
            colour = colours[str(name)]
            axis.plot(speed, formats.index(str(name)) + aside, color=colour, mfc=colour if full else "white", **mark)
