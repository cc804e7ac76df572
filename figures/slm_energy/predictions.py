"""Energy of a token by concurrent requests, predicted for models that were not measured, with the band that holds 95 %
of the draws, and for Phi-3-mini on a phone, which serves one request. Black: a model of 8 billion parameters, measured
on the H100. A model with fewer active parameters does not take less energy if it has more parameters."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLACK, BLUE, ORANGE, PURPLE, VERMILION
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, plain_ticks

TITLE = "Predicted energy of a token"
SOURCES = ["slm_energy/answers", "slm_energy/energy_points"]
STYLES = {
    "Phi-3-mini": (BLUE, "D"),
    "Phi-3.5-MoE": (PURPLE, "P"),
    "Llama 3 70B": (ORANGE, "^"),
    "Phi-3-mini on a phone": (VERMILION, "s"),
}
MEASURED, GPU, TASK = "Llama 3.1 8B Instruct", "H100", "lm-arena-chat"
METRIC = "joules_per_token"


def draw(answers: pd.DataFrame, energy_points: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.1 * HEIGHT))
    for name, (colour, marker) in STYLES.items():
        rows = where(answers, model=name, metric=[METRIC, f"{METRIC}_low", f"{METRIC}_high"])
        table = rows.pivot(index="limit", columns="metric", values="value").sort_index()
        axis.fill_between(table.index, table[f"{METRIC}_low"], table[f"{METRIC}_high"], color=colour, alpha=0.18, lw=0)
        axis.plot(table.index, table[METRIC], color=colour, marker=marker, ls="--", label=f"{name}, predicted")
    rows = where(energy_points, model=MEASURED, gpu=GPU, task=TASK, metric=METRIC).sort_values("limit")
    axis.plot(rows["limit"], rows["value"], color=BLACK, marker="o", fillstyle="none", label=f"{MEASURED}, published")
    axis.set(yscale="log", xlabel="batch (requests at once)", ylabel="energy of a token (J)")
    axis.set_xscale("log", base=2)
    plain_ticks(axis.xaxis, (limit for limit in rows["limit"] if limit.bit_count() == 1))
    figure.legend(loc="outside upper center", ncols=3)
    return figure
