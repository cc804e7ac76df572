"""Energy of a token on GPUs by parameters, as ML.ENERGY measured it. Left: on the H100, at three numbers of concurrent
requests; filled marks are dense models in bfloat16, with the law fitted to them; open marks are mixtures of experts,
placed by their active parameters, which the law does not fit. Right: the law's exponent by concurrent requests, with
95 % intervals from resampled models; the pale band is the range that the ledger accepts."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle
from jouleproof.drawing.palette import BLUE, GREEN, INK, ORANGE, VERMILION
from jouleproof.drawing.points import points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, Look, key, plain_ticks
from jouleproof.evidence.intervals import draws_interval

TITLE = "Energy of a token by parameters"
SOURCES = ["slm_energy/energy_points", "slm_energy/energy_law"]
GPU, TASK, DENSE, MIXTURE = "H100", "lm-arena-chat", "Dense Transformer", "MoE"
STYLES: dict[int, Look] = {  # by concurrent requests
    8: {"color": VERMILION, "marker": "^"},
    64: {"color": BLUE, "marker": "D"},
    256: {"color": GREEN, "marker": "s"},
}
GPU_STYLES = {"H100": (BLUE, "D"), "B200": (ORANGE, "o")}
BILLIONS = (2, 5, 10, 20, 50, 100, 200, 400)


def draw(energy_points: pd.DataFrame, energy_law: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.15 * HEIGHT), width_ratios=[1.25, 1])
    measured = where(energy_points, metric="joules_per_token", task=TASK, gpu=GPU)
    looks = {limit: look for limit, look in STYLES.items() if limit in set(energy_law["limit"])}
    for limit, look in looks.items():
        law = where(energy_law, models="dense", gpu=GPU, limit=limit, metric="exponent_fit")
        _limit(left, where(measured, limit=limit), law.set_index("predictor")["value"], look)
    left.set(xscale="log", yscale="log", title=GPU)
    left.set(xlabel="active parameters (billions)", ylabel="energy of a token (J)")
    plain_ticks(left.xaxis, BILLIONS)
    _exponents(right, energy_law[energy_law["limit"] > 0])
    handles = [key(f"{limit} at once", lw=1.2, **look) for limit, look in looks.items()]
    handles.append(key("mixture of experts", color=INK, marker="o", fillstyle="none"))
    figure.legend(handles=[*handles, accepted_handle()], loc="outside upper center", ncols=5, columnspacing=1)
    return figure


def _limit(axis: Axes, measured: pd.DataFrame, fitted: "pd.Series[float]", look: Look) -> None:
    """Draw the models at one number of concurrent requests, and the law of the dense ones from 8 billion parameters
    on."""
    dense = where(measured, architecture=DENSE, precision="bfloat16")
    mixed = where(measured, architecture=MIXTURE)
    axis.plot(dense["active_b"], dense["value"], ls="", **look)
    axis.plot(mixed["active_b"], mixed["value"], fillstyle="none", ls="", **look)
    billions = np.geomspace(8, dense["active_b"].max(), 20)
    axis.plot(billions, np.exp(fitted["constant"]) * billions ** fitted["active"], color=look["color"], lw=0.9)


def _exponents(axis: Axes, law: pd.DataFrame) -> None:
    rows = where(law, metric="exponent", predictor="active")
    for gpu, (colour, marker) in GPU_STYLES.items():
        slopes = {
            limit: draws_interval(draws["value"].to_numpy()) for limit, draws in where(rows, gpu=gpu).groupby("limit")
        }
        points(axis, list(slopes), list(slopes.values()), ls="-", color=colour, marker=marker, capsize=2, label=gpu)
    axis.set_xscale("log", base=2)
    plain_ticks(axis.xaxis, (limit for limit in rows["limit"] if limit.bit_count() == 1))
    axis.set(ylim=(0.55, 1.15), xlabel="batch (requests at once)", ylabel="exponent of the parameters (1)")
    accepted(axis, "slm_energy.law", axis.get_xlim(), way="y")
    axis.set_title("dense models")
    axis.legend(loc="lower left")
