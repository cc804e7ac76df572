"""QSNR, the signal to quantisation-noise ratio, against bits per element including shared scales, on generated vectors
with a random spread per vector. Filled marks: formats of the OCP MX kind with their defined block size, under the floor
rule; a line leads up to the best of the other rules. Hollow squares, with their names: casts that are not OCP MX.
Points are means over the seeds.
"""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import INK
from jouleproof.drawing.select import preferred, unique, where
from jouleproof.drawing.style import DISTRIBUTIONS, HEIGHT, NOT_OCP_MX, WIDTH, Look, format_label, format_style, key

TITLE = "QSNR against bits per element"
SOURCES = ["mx/error_sources"]


def draw(table: pd.DataFrame) -> Figure:
    table = where(table, metric="qsnr", rounding="even")
    distributions = unique(table["distribution"])
    size = (WIDTH, 1.3 * HEIGHT)
    figure, axes = plt.subplots(1, len(distributions), sharex=True, sharey=True, squeeze=False, figsize=size)
    ours, others = where(table, ocp_mx="yes"), where(table, ocp_mx="no")
    styles = format_style(ours["format"])
    beside = {"textcoords": "offset points", "ha": "right", "va": "bottom", "fontsize": 6.5}
    for axis, distribution in zip(axes[0], distributions, strict=True):
        for name, look in styles.items():
            _format(axis, where(ours, format=name, distribution=distribution), look)
        for name in unique(others["format"]):
            rows = where(others, format=name, distribution=distribution)
            bits, value = rows["bits"].iloc[0], rows["value"].mean()
            axis.plot(bits, value, ms=6, lw=0, zorder=5, **NOT_OCP_MX)
            axis.annotate(name, (bits, value), (-3, 4), **beside)
        axis.set(title=DISTRIBUTIONS.get(distribution, distribution), xlabel="size (bits/element)")
        axis.margins(x=0.18, y=0.1)
    axes[0][0].set_ylabel("QSNR (dB)")
    handles = [key(format_label(name), **look) for name, look in styles.items()]
    handles.append(key("not OCP MX, with names", ms=6, **NOT_OCP_MX))
    handles.append(key("up to the best other scale rule", color=INK, lw=1.6))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _format(axis: Axes, rows: pd.DataFrame, look: Look) -> None:
    """Draw one format. rows: its results on one distribution, for several block sizes and rules."""
    at_block = where(rows, block=rows["block"].iloc[0])
    means = at_block.groupby("scale", sort=False)["value"].mean()
    value, bits = means[preferred(list(means.index), "floor")], at_block["bits"].iloc[0]
    axis.plot([bits, bits], [value, max(means)], color=look["color"], lw=1.6, zorder=3)
    axis.plot(bits, value, ms=6.5, lw=0, zorder=4, **look)
