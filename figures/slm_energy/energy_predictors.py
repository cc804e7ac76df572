"""Predictors of the energy of a token, over all models of ML.ENERGY's chat task. Left and middle: measured against
predicted, from active parameters and batch (left) and from all parameters too (middle); open marks are mixtures of
experts. Right: explained share of the variance of the logarithm, with 95 % intervals from resampled models; the pale
band is the range that the ledger accepts for the first two."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle
from jouleproof.drawing.palette import BLUE, GREY, INK, VERMILION
from jouleproof.drawing.points import points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, key
from jouleproof.evidence.intervals import draws_interval

TITLE = "What predicts the energy of a token"
SOURCES = ["slm_energy/energy_points", "slm_energy/energy_law"]
TASK, MIXTURE = "lm-arena-chat", "MoE"
COLUMNS = {"active": "active_b", "total": "total_b", "batch": "batch"}
PREDICTORS = {
    "active": "active\nparameters",
    "active + batch": "and batch",
    "active + total + batch": "and all\nparameters",
}
TITLES = {"active + batch": "active parameters and batch", "active + total + batch": "… and all parameters"}
OTHERS_STYLE: Mapping[str, Any] = {"color": BLUE, "marker": "D", "ls": "", "ms": 2.8}
MIXTURE_STYLE: Mapping[str, Any] = {"color": VERMILION, "marker": "o", "fillstyle": "none", "ls": "", "ms": 2.8}


def draw(energy_points: pd.DataFrame, energy_law: pd.DataFrame) -> Figure:
    figure, (*scatters, right) = plt.subplots(1, 3, figsize=(WIDTH, 1.05 * HEIGHT))
    measured = where(energy_points, metric="joules_per_token", task=TASK)
    law = where(energy_law, models="all", gpu="both", limit=0)
    for axis, (predictors, title) in zip(scatters, TITLES.items(), strict=True):
        _predicted(axis, measured, where(law, predictors=predictors))
        axis.set_title(title)
    _explained(right, where(law, metric="r2"))
    handles = [key("mixtures of experts", **MIXTURE_STYLE), key("other models", **OTHERS_STYLE), accepted_handle()]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def _predicted(axis: Axes, measured: pd.DataFrame, law: pd.DataFrame) -> None:
    fitted = where(law, metric="exponent_fit").set_index("predictor")["value"]
    powers = [fitted[name] * np.log(measured[column]) for name, column in COLUMNS.items() if name in fitted]
    predicted = np.exp(fitted["constant"] + np.sum(powers, axis=0))
    mixed = measured["architecture"] == MIXTURE
    for chosen, look in ((~mixed, OTHERS_STYLE), (mixed, MIXTURE_STYLE)):
        axis.plot(predicted[chosen], measured["value"][chosen], **look)
    ends = [measured["value"].min(), measured["value"].max()]
    axis.plot(ends, ends, color=GREY, lw=0.8, ls=":")
    axis.set(xscale="log", yscale="log", xlabel="predicted (J/token)", ylabel="published (J/token)")


def _explained(axis: Axes, law: pd.DataFrame) -> None:
    shares = [draws_interval(where(law, predictors=predictors)["value"].to_numpy()) for predictors in PREDICTORS]
    points(axis, range(len(shares)), shares, color=INK, marker="o", capsize=2)
    axis.set_xticks(range(len(PREDICTORS)), list(PREDICTORS.values()), fontsize=6.5)
    axis.set(xlim=(-0.5, len(PREDICTORS) - 0.5), ylim=(0, 1.02), ylabel="variance explained (R²)")
    accepted(axis, "slm_energy.moe", (-0.5, 1.5), way="y")
