"""Energy of a token by requests served at once: predicted for models that nobody measured, with the band that holds
95 % of the draws, and for Phi-3-mini on a phone, which serves one. Black: an 8 billion parameter model, measured on
the H100. A model that computes with fewer parameters is not cheaper where it holds more of them."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, ORANGE, PURPLE, VERMILION
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "Predicted energy of a token"
SOURCES = ["slm_energy/answers", "slm_energy/energy_points"]
STYLES = {
    "Phi-3-mini": (BLUE, "D"), "Phi-3.5-MoE": (PURPLE, "P"), "Llama 3 70B": (ORANGE, "^"),
    "Phi-3-mini on a phone": (VERMILION, "s"),
}  # fmt: skip
MEASURED, GPU, TASK = "Llama 3.1 8B Instruct", "H100", "lm-arena-chat"


def draw(answers: pd.DataFrame, energy_points: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.1 * HEIGHT))
    for name, (colour, marker) in STYLES.items():
        _band(axis, answers[answers["model"] == name], name, colour, marker)
    rows = energy_points[(energy_points["model"] == MEASURED) & (energy_points["gpu"] == GPU)]
    rows = rows[(rows["task"] == TASK) & (rows["metric"] == "joules_per_token")].sort_values("limit")
    axis.plot(rows["limit"], rows["value"], color="black", marker="o", fillstyle="none", label=f"{MEASURED}, published")
    axis.set(xscale="log", yscale="log", xlabel="batch (requests at once)", ylabel="energy of a token (J)")
    axis.set_xscale("log", base=2)
    ticks = sorted({limit for limit in rows["limit"] if limit.bit_count() == 1})
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _band(axis: Axes, points: pd.DataFrame, name: str, colour: str, marker: str) -> None:
    rows = points[points["metric"].str.startswith("joules_per_token")]
    table = rows.pivot(index="limit", columns="metric", values="value").sort_index()
    low, high = table["joules_per_token_low"], table["joules_per_token_high"]
    axis.fill_between(table.index, low, high, color=colour, alpha=0.18, lw=0)
    axis.plot(table.index, table["joules_per_token"], color=colour, marker=marker, ls="--", label=f"{name}, predicted")
