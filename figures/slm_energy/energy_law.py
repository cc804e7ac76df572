"""Energy of a token on GPUs as ML.ENERGY measured it, by parameters. Left: on the H100, at three numbers of requests
at once; full marks are dense models in bfloat16, with the law that fits them; open marks are mixtures of experts by
the parameters that compute, which the law does not fit. Right: the law's exponent by requests at once, models
resampled, 95 %; pale: what the ledger accepts."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from jouleproof.drawing.palette import BLUE, GREEN, INK, ORANGE, VERMILION
from jouleproof.drawing.style import HEIGHT, WIDTH, accepted, accepted_handle
from jouleproof.evidence.intervals import draws_interval

TITLE = "Energy of a token by parameters"
SOURCES = ["slm_energy/energy_points", "slm_energy/energy_law"]
GPU, TASK, DENSE, MIXTURE = "H100", "lm-arena-chat", "Dense Transformer", "MoE"
STYLES = ((VERMILION, "^"), (BLUE, "D"), (GREEN, "s"))
GPU_STYLES = {"H100": (BLUE, "D"), "B200": (ORANGE, "o")}
SHOWN = (8, 64, 256)
BILLIONS = (2, 5, 10, 20, 50, 100, 200, 400)


def draw(energy_points: pd.DataFrame, energy_law: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 1.15 * HEIGHT), width_ratios=[1.25, 1])
    points = energy_points[(energy_points["metric"] == "joules_per_token") & (energy_points["task"] == TASK)]
    limits = [limit for limit in SHOWN if limit in set(energy_law["limit"])]
    for limit, (colour, marker) in zip(limits, STYLES, strict=False):
        largest = _limit(axes[0], points[(points["limit"] == limit) & (points["gpu"] == GPU)], colour, marker)
        _line(axes[0], energy_law, limit, largest, colour)
    axes[0].set(xscale="log", yscale="log", xlabel="parameters that compute (billions)", ylabel="energy of a token (J)")
    axes[0].set_xticks(BILLIONS, [str(size) for size in BILLIONS])
    axes[0].xaxis.set_minor_locator(NullLocator())
    axes[0].set_title(GPU)
    _exponents(axes[1], energy_law)
    handles = [Line2D([], [], color=colour, marker=marker, label=f"{limit} at once")
               for limit, (colour, marker) in zip(limits, STYLES, strict=False)]  # fmt: skip
    handles.append(Line2D([], [], color=INK, marker="o", fillstyle="none", ls="", label="mixture of experts"))
    figure.legend(handles=[*handles, accepted_handle()], loc="outside upper center", ncols=5, columnspacing=1)
    return figure


def _limit(axis: Axes, points: pd.DataFrame, colour: str, marker: str) -> float:
    """Returns the parameters of the largest dense model."""
    dense = points[(points["architecture"] == DENSE) & (points["precision"] == "bfloat16")]
    mixed = points[points["architecture"] == MIXTURE]
    axis.plot(dense["active_b"], dense["value"], color=colour, marker=marker, ls="")
    axis.plot(mixed["active_b"], mixed["value"], color=colour, marker=marker, fillstyle="none", ls="")
    return float(dense["active_b"].max())


def _line(axis: Axes, law: pd.DataFrame, limit: int, largest: float, colour: str) -> None:
    rows = law[(law["models"] == "dense") & (law["gpu"] == GPU) & (law["limit"] == limit)]
    fitted = rows[rows["metric"] == "exponent_fit"].set_index("predictor")["value"]
    billions = np.geomspace(8, largest, 20)
    axis.plot(billions, np.exp(fitted["constant"]) * billions ** fitted["active"], color=colour, lw=0.9)


def _exponents(axis: Axes, law: pd.DataFrame) -> None:
    rows = law[(law["metric"] == "exponent") & (law["predictor"] == "active") & (law["limit"] > 0)]
    for gpu, (colour, marker) in GPU_STYLES.items():
        of_gpu = rows[rows["gpu"] == gpu]
        limits = sorted(set(of_gpu["limit"]))
        slopes = [draws_interval(of_gpu.loc[of_gpu["limit"] == limit, "value"].to_numpy()) for limit in limits]
        reach = [[slope.value - slope.low for slope in slopes], [slope.high - slope.value for slope in slopes]]
        axis.errorbar(
            limits, [slope.value for slope in slopes], reach, color=colour, marker=marker, capsize=2, label=gpu
        )
    axis.set_xscale("log", base=2)
    ticks = sorted(limit for limit in set(rows["limit"]) if limit.bit_count() == 1)
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.set_ylim(0.55, 1.15)
    axis.set(xlabel="batch (requests at once)", ylabel="exponent of the parameters (1)")
    accepted(axis, "slm_energy.law", axis.get_xlim(), way="y")
    axis.set_title("dense models")
    axis.legend(loc="lower left")
