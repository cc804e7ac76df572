"""QSNR, the signal to quantisation-noise ratio, against bits per element, everything that is shared included, on
generated vectors with a spread of their own. Filled marks: formats of the OCP MX kind in their own block, under the
floor rule, with a line up to the best of the other rules. Hollow squares: casts that are not OCP MX, each with its
name. Points are means over the seeds."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import INK
from jouleproof.drawing.select import preferred
from jouleproof.drawing.style import HEIGHT, NOT_OCP_MX, WIDTH, format_label, format_style

TITLE = "QSNR against bits per element"
SOURCES = ["mx/error_sources"]
NAMES = {"gaussian": "Gaussian", "laplace": "Laplace", "student_t": "Student-t"}


def draw(table: pd.DataFrame) -> Figure:
    table = table[(table["metric"] == "qsnr") & (table["rounding"] == "even")]
    distributions = list(dict.fromkeys(table["distribution"]))
    figure, axes = plt.subplots(
        1, len(distributions), sharex=True, sharey=True, squeeze=False, figsize=(WIDTH, 1.3 * HEIGHT)
    )
    ours, others = table[table["ocp_mx"] == "yes"], table[table["ocp_mx"] == "no"]
    styles = format_style(ours["format"])
    for axis, distribution in zip(axes[0], distributions, strict=True):
        for name, look in styles.items():
            _format(axis, ours[(ours["format"] == name) & (ours["distribution"] == distribution)], look)
        for name in dict.fromkeys(others["format"]):
            rows = others[(others["format"] == name) & (others["distribution"] == distribution)]
            bits, value = rows["bits"].iloc[0], rows["value"].mean()
            axis.plot(bits, value, ms=6, lw=0, zorder=5, **NOT_OCP_MX)
            axis.annotate(
                name, (bits, value), (-3, 4), textcoords="offset points", ha="right", va="bottom", fontsize=6.5
            )
        axis.set_title(NAMES.get(distribution, distribution))
        axis.margins(x=0.18, y=0.1)
    axes[0][0].set_ylabel("QSNR (dB)")
    for axis in axes[0]:
        axis.set_xlabel("size (bits/element)")
    handles = [
        Line2D([], [], color=look["color"], marker=look["marker"], lw=0, label=format_label(name))
        for name, look in styles.items()
    ]
    handles.append(Line2D([], [], lw=0, ms=6, label="not OCP MX, named beside it", **NOT_OCP_MX))
    handles.append(Line2D([], [], color=INK, lw=1.6, label="up to the best other scale rule"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _format(axis: Axes, rows: pd.DataFrame, look: dict[str, str]) -> None:
    """rows: of one format and distribution, in several blocks under several rules."""
    at_block = rows[rows["block"] == rows["block"].iloc[0]]
    means = at_block.groupby("scale", sort=False)["value"].mean()
    value, bits = means[preferred(list(means.index), "floor")], at_block["bits"].iloc[0]
    axis.plot([bits, bits], [value, max(means)], color=look["color"], lw=1.6, zorder=3)
    axis.plot(bits, value, color=look["color"], marker=look["marker"], ms=6.5, lw=0, zorder=4)
