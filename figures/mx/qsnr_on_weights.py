"""QSNR (signal to quantisation-noise ratio) of the MX formats under the floor rule on the tensors of two real models,
by layer: the line is the median over a layer's matrices, the band spans the worst to the best; only some layers have
marks. Nothing is random here. The weights of SmolLM2 were already rounded to Q4_1 (16 levels per block); those of
MiniLM are unrounded float32. The lines of MXFP8 E5M2 and MXFP6 E3M2 coincide.
"""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.select import under_one_rule, unique, where
from jouleproof.drawing.style import HEIGHT, WIDTH, Look, format_label, format_style

TITLE = "QSNR on real weights and activations"
SOURCES = ["mx/qsnr_on_weights"]


def draw(qsnr: pd.DataFrame) -> Figure:
    table = under_one_rule(qsnr)
    models = unique(table["model"])
    shape: Look = {"figsize": (WIDTH, 1.6 * HEIGHT), "width_ratios": [1.5] + [1] * (len(models) - 1)}
    figure, axes = plt.subplots(2, len(models), sharey=True, sharex="col", squeeze=False, **shape)
    styles = format_style(table["format"])
    sizes = np.linspace(6.5, 3.5, len(styles))  # shrinking marks, so that equal lines all show
    for column, model in zip(axes.T, models, strict=True):
        for axis, tensor in zip(column, ("weight", "activation"), strict=True):
            cell = where(table, model=model, tensor=tensor)
            for (name, look), size in zip(styles.items(), sizes, strict=True):
                layers = where(cell, format=name).groupby("layer")["value"]
                low, middle, high = layers.min(), layers.median(), layers.max()
                axis.fill_between(middle.index, low, high, color=look["color"], alpha=0.13, lw=0)
                marked = {"markevery": max(1, len(middle) // 8), "label": format_label(name)}
                axis.plot(middle.index, middle, ms=size, lw=size / 3.5, **marked, **look)
            rounded = cell["rounded"].iloc[0]
            mark = f" (rounded to {rounded})" if tensor == "weight" and rounded != "no" else ""
            axis.set_title(f"{model}: {tensor}s{mark}")
            axis.xaxis.get_major_locator().set_params(integer=True)
        column[-1].set_xlabel("layer (number)")
    for row in axes:
        row[0].set_ylabel("QSNR (dB)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, title="format", loc="outside right upper")
    return figure
