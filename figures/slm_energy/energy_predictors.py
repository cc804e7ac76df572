"""What energy of a token follows, over all models of ML.ENERGY's chat task: measured against predicted, by the
parameters that compute and the batch alone (left) and by all parameters too (middle). Open: mixtures of experts.
Right: share of the variance of the logarithm explained, models resampled, 95 %; pale: what the ledger accepts of the
first two."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import BLUE, GREY, INK, VERMILION
from jouleproof.drawing.style import HEIGHT, WIDTH, accepted, accepted_handle
from jouleproof.evidence.intervals import draws_interval

TITLE = "What the energy of a token follows"
SOURCES = ["slm_energy/energy_points", "slm_energy/energy_law"]
TASK, MIXTURE = "lm-arena-chat", "MoE"
COLUMNS = {"active": "active_b", "total": "total_b", "batch": "batch"}
PREDICTORS = {
    "active": "computing\nparameters", "active + batch": "and batch", "active + total + batch": "and all\nparameters",
}  # fmt: skip
OTHERS_STYLE: Mapping[str, Any] = {"color": BLUE, "marker": "D", "ls": "", "ms": 2.8}
MIXTURE_STYLE: Mapping[str, Any] = {"color": VERMILION, "marker": "o", "fillstyle": "none", "ls": "", "ms": 2.8}


def draw(energy_points: pd.DataFrame, energy_law: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 1.05 * HEIGHT), width_ratios=[1, 1, 1])
    points = energy_points[(energy_points["metric"] == "joules_per_token") & (energy_points["task"] == TASK)]
    law = energy_law[(energy_law["models"] == "all") & (energy_law["gpu"] == "both") & (energy_law["limit"] == 0)]
    for axis, (predictors, title) in zip(axes, list(PREDICTORS.items())[1:], strict=False):
        _predicted(axis, points, law[law["predictors"] == predictors])
        axis.set_title(("computing parameters " if title == "and batch" else "… ") + title.replace("\n", " "))
    _explained(axes[2], law)
    figure.legend(
        handles=[
            Line2D([], [], **MIXTURE_STYLE, label="mixtures of experts"),
            Line2D([], [], **OTHERS_STYLE, label="other models"),
            accepted_handle(),
        ],
        loc="outside upper center", ncols=3,
    )  # fmt: skip
    return figure


def _predicted(axis: Axes, points: pd.DataFrame, law: pd.DataFrame) -> None:
    fitted = law[law["metric"] == "exponent_fit"].set_index("predictor")["value"]
    powers = [fitted[name] * np.log(points[column]) for name, column in COLUMNS.items() if name in fitted]
    predicted = np.exp(fitted["constant"] + np.sum(powers, axis=0))
    mixed = points["architecture"] == MIXTURE
    for chosen, look in ((~mixed, OTHERS_STYLE), (mixed, MIXTURE_STYLE)):
        axis.plot(predicted[chosen], points["value"][chosen], **look)
    ends = [points["value"].min(), points["value"].max()]
    axis.plot(ends, ends, color=GREY, lw=0.8, ls=":")
    axis.set(xscale="log", yscale="log", xlabel="predicted (J/token)", ylabel="published (J/token)")


def _explained(axis: Axes, law: pd.DataFrame) -> None:
    for place, predictors in enumerate(PREDICTORS):
        rows = law[(law["predictors"] == predictors) & (law["metric"] == "r2")]
        share = draws_interval(rows["value"].to_numpy())
        axis.errorbar(place, share.value, [[share.value - share.low], [share.high - share.value]], color=INK,
                      marker="o", capsize=2)  # fmt: skip
    axis.set_xticks(range(len(PREDICTORS)), list(PREDICTORS.values()), fontsize=6.5)
    axis.set_xlim(-0.5, len(PREDICTORS) - 0.5)
    axis.set_ylim(0, 1.02)
    axis.set_ylabel("variance explained (R²)")
    accepted(axis, "slm_energy.moe", (-0.5, 1.5), way="y")
