"""Longer problems than the ladder was trained on. Left: accuracy against the CPU time of training, a small and a large
model, fine-tuned (solid) and trained anew (dashed); thin: seeds; thick: their means; dotted: the target; crosses, at
the time of one step: before fine-tuning. Right: CPU time that so many answers, written many side by side, cost with
the small model, its fine-tuning to the target included, and with the large one as it was, right or wrong; grey: where
the two cross, with the 95 % interval."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.ladder import curves, looks_of, medians
from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.style import HEIGHT, WIDTH
from jouleproof.evidence.intervals import mean_interval

TITLE = "Fine-tuning"
SOURCES = ["slm_energy/fine_tuning", "slm_energy/ladder_cost"]
WAYS = {"fine-tuned": "-", "anew": "--"}


def draw(fine_tuning: pd.DataFrame, ladder_cost: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.15 * HEIGHT))
    small, large = sizes = list(dict.fromkeys(fine_tuning.loc[fine_tuning["way"] == "untouched", "size"]))[:2]
    looks = looks_of(ladder_cost.loc[ladder_cost["what"] == "step", "size"])
    times = medians(ladder_cost)
    for way, line in WAYS.items():
        curves(left, fine_tuning[fine_tuning["way"] == way], looks, times["longer step"], line, way == "fine-tuned")
    before = fine_tuning[(fine_tuning["metric"] == "accuracy") & (fine_tuning["way"] == "untouched")]
    for size in sizes:
        first = max(times["longer step"][size].values()) / 1e3
        values = before.loc[before["size"] == size, "value"]
        left.plot([first] * len(values), values, color=looks[size][0], marker="x", ls="")
    left.axhline(fine_tuning.loc[fine_tuning["metric"] == "target", "value"].iloc[0], color=GREY, lw=0.8, ls=":")
    left.set_xscale("log")
    left.set_ylim(-0.03, 1.05)
    left.set_xlabel("CPU time of one run (s)")
    left.set_ylabel("right answers (share)")
    _paid(right, ladder_cost, times["longer answer"], looks, small, large)
    handles = [Line2D([], [], color=colour, marker=marker, label=f"{size} parameters")
               for size, (colour, marker) in looks.items() if size in sizes]  # fmt: skip
    handles += [Line2D([], [], color=INK, ls=line, label=way) for way, line in WAYS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _paid(
    axis: Axes,
    cost: pd.DataFrame,
    times: Mapping[str, Mapping[int, float]],
    looks: Mapping[str, tuple[str, str]],
    small: str,
    large: str,
) -> None:
    spent = cost[(cost["metric"] == "cpu_s_to_target") & (cost["what"] == "fine-tuned") & (cost["size"] == small)]
    most = max(times[small])
    seconds = {size: times[size][most] / 1e3 for size in (small, large)}
    start = float(spent["value"].mean()) if len(spent) else 0.0
    crossing = cost[(cost["metric"] == "break_even") & (cost["batch"] == most)]
    answers = np.geomspace(10, 100 * max(1.0, start) / seconds[large], 60)
    for size, before, what in ((small, start, "fine-tuned"), (large, 0.0, "untouched")):
        axis.plot(answers, before + answers * seconds[size], color=looks[size][0])
        axis.annotate(
            what, (answers[8], before + answers[8] * seconds[size]), (4, 5 if before else -9),
            textcoords="offset points", color=looks[size][0],
        )  # fmt: skip
    if len(crossing):
        crossed = mean_interval(crossing["value"].to_numpy())
        axis.axvspan(max(crossed.low, answers[0]), crossed.high, color=GREY, alpha=0.2, lw=0)
        axis.axvline(crossed.value, color=GREY, lw=0.8)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_title(f"{small} fine-tuned against {large} untouched")
    axis.set_xlabel("answers (1)")
    axis.set_ylabel("CPU time, fine-tuning included (s)")
