"""Signal to quantisation-noise ratio against bits per element, everything that is shared included, on generated vectors
with a spread of their own. Filled marks: formats of the OCP MX kind in their own block, under the floor rule, with a
line up to the best of the other rules. Hollow squares: casts that are not OCP MX. Points are means over the seeds."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.select import preferred
from figures.style import HEIGHT, WIDTH, format_label, format_style

TITLE = "QSNR against bits per element"
SOURCES = ["mx/error_sources"]
NAMES = {"gaussian": "Gaussian", "laplace": "Laplace", "student_t": "Student-t"}
GREY = "#444444"


def draw(table: pd.DataFrame) -> Figure:
    table = table[(table["metric"] == "qsnr") & (table["rounding"] == "even")]
    distributions = list(dict.fromkeys(table["distribution"]))
    figure, axes = plt.subplots(
        1, len(distributions), sharex=True, sharey=True, squeeze=False, figsize=(WIDTH, 1.3 * HEIGHT)
    )
    ours, others = table[table["ocp_mx"] == "yes"], table[table["ocp_mx"] == "no"]
    styles = format_style(ours["format"])
    letters = {name: chr(ord("a") + number) for number, name in enumerate(dict.fromkeys(others["format"]))}
    for axis, distribution in zip(axes[0], distributions, strict=True):
        for name, look in styles.items():
            _format(axis, ours[(ours["format"] == name) & (ours["distribution"] == distribution)], look)
        for name, letter in letters.items():
            rows = others[(others["format"] == name) & (others["distribution"] == distribution)]
            bits, value = rows["bits"].iloc[0], rows["value"].mean()
            axis.plot(bits, value, marker="s", ms=5, mfc="none", mec=GREY, lw=0, zorder=5)
            axis.annotate(
                letter, (bits, value), (-5, 0), textcoords="offset points", ha="right", va="center", fontsize=7
            )
        axis.set_title(NAMES.get(distribution, distribution))
        axis.margins(x=0.12, y=0.08)
    axes[0][0].set_ylabel("QSNR (dB)")
    for axis in axes[0]:
        axis.set_xlabel("size (bits/element)")
    handles = [
        Line2D([], [], color=look["color"], marker=look["marker"], lw=0, label=format_label(name))
        for name, look in styles.items()
    ]
    handles += [
        Line2D(
            [], [], marker=rf"$\mathrm{{{letter}}}$", color="black", lw=0, ms=4.5, mew=0.2, label=f"{name}, not OCP MX"
        )
        for name, letter in letters.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _format(axis: Axes, rows: pd.DataFrame, look: dict[str, str]) -> None:
    """rows: of one format and distribution, in several blocks under several rules."""
    own = rows[rows["block"] == rows["block"].iloc[0]]
    means = own.groupby("scale", sort=False)["value"].mean()
    value, bits = means[preferred(list(means.index), "floor")], own["bits"].iloc[0]
    axis.plot([bits, bits], [value, max(means)], color=look["color"], lw=1.6, zorder=3)
    axis.plot(bits, value, color=look["color"], marker=look["marker"], ms=5.5, lw=0, zorder=4)
