"""Energy of a token on GPUs by the mean number of concurrent requests, as ML.ENERGY measured it. Each line is a model
on the fewest GPUs that it was measured on. Blue: dense models in bfloat16, the darker the larger; grey: all others. The
dashed line falls with the exponent fitted to the dense models."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import PALE, VERMILION
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, key

TITLE = "Energy of a token by requests at once"
SOURCES = ["slm_energy/energy_points", "slm_energy/energy_law"]
TASK, DENSE = "lm-arena-chat", "Dense Transformer"
GPUS = ("H100", "B200")


def draw(energy_points: pd.DataFrame, energy_law: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharey=True)
    for axis, gpu in zip(axes, GPUS, strict=True):
        _lines(axis, where(energy_points, metric="joules_per_token", task=TASK, gpu=gpu))
        _slope(axis, where(energy_law, models="dense", gpu=gpu, predictors="active + batch"))
        axis.set(xscale="log", yscale="log", xlabel="mean batch (requests at once)", title=gpu)
    axes[0].set_ylabel("energy of a token (J)")
    colours = colormaps["Blues"]
    handles = [
        key("dense, 8 billion parameters", color=colours(0.45)),
        key("dense, hundreds of billions", color=colours(1.0)),
        key("mixtures of experts, hybrids, 8 bits", color=PALE),
        key("fitted exponent", color=VERMILION, ls="--"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, columnspacing=1, fontsize=7)
    return figure


def _lines(axis: Axes, points: pd.DataFrame) -> None:
    for _, model in points.groupby("model"):
        fewest = where(model, gpus=model["gpus"].min()).sort_values("batch")
        dense = (model["architecture"].iloc[0], model["precision"].iloc[0]) == (DENSE, "bfloat16")
        shade = 0.45 + 0.55 * np.log(model["total_b"].iloc[0] / 8) / np.log(405 / 8)
        colour, order = (colormaps["Blues"](shade), 3) if dense else (PALE, 2)
        axis.plot(fewest["batch"], fewest["value"], color=colour, marker=".", ms=3, lw=0.9, zorder=order)


def _slope(axis: Axes, law: pd.DataFrame) -> None:
    fitted = where(law, metric="exponent_fit").set_index("predictor")["value"]
    batch = np.geomspace(8, 512, 20)
    joules = np.exp(fitted["constant"]) * 8 ** fitted["active"] * batch ** fitted["batch"]
    axis.plot(batch, joules, color=VERMILION, ls="--", zorder=4)
