"""Fine-tuning on longer problems than those of the ladder. Left: accuracy against the CPU time of training, for a small
and a large model, fine-tuned (solid) and trained from scratch (dashed); thin: seeds; thick: their means; dotted: the
target; crosses, placed at the time of one step: accuracy before fine-tuning. Right: CPU time by number of answers,
right or wrong, written many side by side: with the small model, including its fine-tuning to the target, and with the
untouched large one; grey: their crossing, with its 95 % interval."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ladder import curves, looks_of, medians
from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.points import mean_of
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, WIDTH, key

TITLE = "Fine-tuning"
SOURCES = ["slm_energy/fine_tuning", "slm_energy/ladder_cost"]
WAYS = {"fine-tuned": "-", "anew": "--"}


def draw(fine_tuning: pd.DataFrame, ladder_cost: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.15 * HEIGHT))
    small, large = sizes = unique(where(fine_tuning, way="untouched")["size"])[:2]
    looks = looks_of(where(ladder_cost, what="step")["size"])
    times = medians(ladder_cost)
    for way, line in WAYS.items():
        curves(left, where(fine_tuning, way=way), looks, times["longer step"], line, way == "fine-tuned")
    for size in sizes:
        first = max(times["longer step"][size].values()) / 1e3
        before = where(fine_tuning, metric="accuracy", way="untouched", size=size)["value"]
        left.plot([first] * len(before), before, color=looks[size][0], marker="x", ls="")
    left.axhline(where(fine_tuning, metric="target")["value"].iloc[0], color=GREY, lw=0.8, ls=":")
    left.set(xscale="log", ylim=(-0.03, 1.05), xlabel="CPU time of one run (s)", ylabel="right answers (share)")
    seconds = {size: times["longer answer"][size] for size in sizes}
    _paid(right, ladder_cost, seconds, {size: looks[size][0] for size in sizes})
    right.set_title(f"{small} fine-tuned against {large} untouched")
    handles = [
        key(f"{size} parameters", color=colour, marker=marker, lw=1.2)
        for size, (colour, marker) in looks.items()
        if size in sizes
    ]
    handles += [key("from scratch" if way == "anew" else way, color=INK, ls=line) for way, line in WAYS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _paid(
    axis: Axes, cost: pd.DataFrame, answer_ms: Mapping[str, Mapping[int, float]], colours: Mapping[str, str]
) -> None:
    """Draw the CPU time against the number of answers. answer_ms: of an answer, by size (small first) and batch."""
    small, large = answer_ms
    most = max(answer_ms[small])
    seconds = {size: answer_ms[size][most] / 1e3 for size in answer_ms}
    spent = where(cost, metric="cpu_s_to_target", what="fine-tuned", size=small)["value"]
    start = float(spent.mean()) if len(spent) else 0.0
    answers = np.geomspace(10, 100 * max(1.0, start) / seconds[large], 60)
    for size, before, what in ((small, start, "fine-tuned"), (large, 0.0, "untouched")):
        paid = before + answers * seconds[size]
        axis.plot(answers, paid, color=colours[size])
        beside = (4, 5 if before else -9)
        axis.annotate(what, (answers[8], paid[8]), beside, textcoords="offset points", color=colours[size])
    if len(where(cost, metric="break_even", batch=most)):
        crossed = mean_of(cost, metric="break_even", batch=most)
        axis.axvspan(max(crossed.low, answers[0]), crossed.high, color=GREY, alpha=0.2, lw=0)
        axis.axvline(crossed.value, color=GREY, lw=0.8)
    axis.set(xscale="log", yscale="log", xlabel="answers (1)", ylabel="CPU time, fine-tuning included (s)")
