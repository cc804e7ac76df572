"""SmolLM2-135M fine-tuned on the right sides of calculations in GSM8K's solutions: all of its weights, or LoRA's small
additions. Left: the share of held-out calculations that are right, with 95 % intervals over them. Right: processor time
of one step of eight texts on one core, and of reading the same texts without learning, as means with 95 % intervals."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, INK, VERMILION
from jouleproof.drawing.points import mean_of, points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, WIDTH, name_rows
from jouleproof.evidence.intervals import share_interval

TITLE = "Fine-tuning real weights"
SOURCES = ["slm_energy/tuning", "slm_energy/tuning_cost"]
WAYS = {
    "full": (BLUE, "o", "all weights"),
    "lora": (VERMILION, "s", "LoRA"),
    "reading": (INK, "^", "nothing: reading"),
}
APART = 0.15  # steps between ways


def draw(tuning: pd.DataFrame, tuning_cost: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT))
    _right(left, where(tuning, metric="right"))
    times = where(tuning_cost, metric="cpu_s_per_step")
    ways = unique(times["way"])
    for place, way in enumerate(ways):
        colour, marker, _ = WAYS[way]
        points(right, mean_of(times, way=way), place, color=colour, marker=marker, capsize=2)
    name_rows(right, [WAYS[way][2] for way in ways])
    right.set(xlim=(0, None), xlabel="CPU time of a step (s)", ylabel="what is trained")
    return figure


def _right(axis: Axes, scores: pd.DataFrame) -> None:
    steps = sorted(set(scores["step"]))
    for number, way in enumerate(unique(scores["way"])):
        colour, marker, label = WAYS[way]
        answers = where(scores, way=way).groupby("step")["value"]
        shares = {step: share_interval(int(right.sum()), len(right)) for step, right in answers}
        across = np.array(list(shares)) + APART * number
        points(axis, across, list(shares.values()), ls="-", color=colour, marker=marker, capsize=2, label=label)
    axis.set_xticks(steps)
    axis.set(ylim=(0, 1), xlabel="steps (1)", ylabel="right calculations (share)")
    axis.legend(loc="lower right")
