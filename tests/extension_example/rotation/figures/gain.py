"""The reduction of a cast's noise by a rotation of each block, by the size of the block's outlier."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing import style

TITLE = "Rotation before a cast"
SOURCES = ["rotation/gain"]


def draw(gain: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots()
    means = gain.groupby(["format", "outlier"])["value"].mean()
    for name, look in style.format_style(gain["format"]).items():
        axis.plot(means[name].index, means[name], label=style.format_label(name), **look)
    axis.axhline(0, color="#444444", lw=0.8, ls=":")
    axis.set(xlabel="size of one element over the others", ylabel="gain (dB)", xscale="log")
    axis.legend()
    return figure
