"""How the error of a cast depends on the size of the block, under the floor rule on the Gaussian with a spread of its
own for each vector. Left: QSNR, the signal to quantisation-noise ratio. Right: the share of the noise power that
saturated elements carry, those beyond the largest value of their block; a smaller block has its largest element nearer
to the rest, and more of these saturate. Points are means over the seeds, bars 95 % intervals, most of them too narrow
to be seen. The lines of MXFP8 E5M2 and MXFP6 E3M2 fall together."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.select import preferred
from jouleproof.drawing.style import HEIGHT, WIDTH, format_label, format_style
from jouleproof.evidence.intervals import mean_interval

TITLE = "Error by block size"
SOURCES = ["mx/error_sources"]


def draw(table: pd.DataFrame) -> Figure:
    table = table[table["distribution"] == preferred(list(table["distribution"]), "gaussian")]
    table = table[(table["ocp_mx"] == "yes") & (table["rounding"] == "even")]
    table = table[table["scale"] == preferred(list(table["scale"]), "floor")]
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.05 * HEIGHT))
    styles = format_style(table["format"])
    sizes = np.linspace(8.5, 4.5, len(styles))  # the last drawn is the smallest, so that none of equal lines is hidden
    for (name, look), size in zip(styles.items(), sizes, strict=True):
        rows, look = table[table["format"] == name], {**look, "ms": size, "lw": size / 4}
        _line(left, rows[rows["metric"] == "qsnr"], look, format_label(name))
        _line(right, rows[rows["metric"] == "saturated_noise"].assign(value=lambda part: 100 * part["value"]), look)
    for axis in (left, right):
        blocks = sorted(set(table["block"]))
        axis.set_xscale("log", base=2)
        axis.set_xticks(blocks, [str(block) for block in blocks])
        axis.minorticks_off()
        axis.set_xlabel("block (elements)")
    left.set_ylabel("QSNR (dB)")
    right.set_ylabel("noise from saturated elements (%)")
    figure.legend(loc="outside right upper")
    return figure


def _line(axis: Axes, rows: pd.DataFrame, look: Mapping[str, Any], label: str | None = None) -> None:
    blocks = sorted(set(rows["block"]))
    means = [mean_interval(rows[rows["block"] == block]["value"].to_numpy()) for block in blocks]
    ends = [[mean.value - mean.low for mean in means], [mean.high - mean.value for mean in means]]
    axis.errorbar(blocks, [mean.value for mean in means], ends, **look, label=label, elinewidth=0.9)
