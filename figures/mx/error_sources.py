"""Error of a cast against block size, under the floor rule, on Gaussian vectors with a random spread per vector. Left:
QSNR, the signal to quantisation-noise ratio. Right: the share of the noise power in saturated elements, which exceed
the largest value of their block; in a smaller block the largest element is closer to the others, so more of them
saturate. Points are means over the seeds, bars 95 % intervals, most of them too narrow to be visible. The lines of
MXFP8 E5M2 and MXFP6 E3M2 coincide.
"""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import preferred, where
from jouleproof.drawing.style import HEIGHT, WIDTH, Look, format_label, format_style, plain_ticks

TITLE = "Error by block size"
SOURCES = ["mx/error_sources"]


def draw(table: pd.DataFrame) -> Figure:
    table = where(table, distribution=preferred(list(table["distribution"]), "gaussian"))
    table = where(table, ocp_mx="yes", rounding="even", scale=preferred(list(table["scale"]), "floor"))
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 1.05 * HEIGHT))
    styles = format_style(table["format"])
    sizes = np.linspace(8.5, 4.5, len(styles))  # shrinking marks, so that equal lines all show
    for (name, look), size in zip(styles.items(), sizes, strict=True):
        rows, look = where(table, format=name), {**look, "ms": size, "lw": size / 4}
        _line(axes[0], where(rows, metric="qsnr"), {**look, "label": format_label(name)})
        _line(axes[1], where(rows, metric="saturated_noise").assign(value=lambda part: 100 * part["value"]), look)
    for axis, label in zip(axes, ("QSNR (dB)", "noise from saturated elements (%)"), strict=True):
        axis.set_xscale("log", base=2)
        plain_ticks(axis.xaxis, table["block"])
        axis.set(xlabel="block (elements)", ylabel=label)
    figure.legend(loc="outside right upper")
    return figure


def _line(axis: Axes, rows: pd.DataFrame, look: Look) -> None:
    means = over_seeds(rows, ["block"]).sort_index()
    points(axis, means.index, means, ls="-", elinewidth=0.9, **look)
