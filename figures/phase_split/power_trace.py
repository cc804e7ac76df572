"""Modelled power of a Splitwise-HH cluster over an hour of the Azure conversation service, scaled up: prompt machines,
token machines and their sum, in bins of ten seconds. The H100's power by phase, host power and idle power are
assumptions; arrivals vary as in the real hour."""

from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, INK, ORANGE
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "Modelled power of a split cluster"
SOURCES = ["phase_split/power_trace"]
COLOURS = {"prompt": ORANGE, "token": BLUE}
BIN_S = 10.0


def draw(power_trace: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 0.8 * HEIGHT))
    at = power_trace["t_s"] // BIN_S * BIN_S / 60
    machines = power_trace.groupby("pool")["machine"].nunique()
    total: Any = 0.0
    for pool, colour in COLOURS.items():
        in_pool = power_trace["pool"] == pool
        mean = power_trace[in_pool].groupby(at[in_pool])["value"].mean() * machines[pool] / 1e3
        axis.plot(mean.index, mean.to_numpy(), color=colour, lw=0.9, label=f"{machines[pool]} {pool} machines")
        total = mean + total
    axis.plot(total.index, total.to_numpy(), color=INK, lw=0.9, label="all")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("time (min)")
    axis.set_ylabel("power (kW)")
    axis.legend(ncols=3, loc="lower right")
    return figure
