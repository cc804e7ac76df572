"""Accuracy against the joules of an answer. Left: published models on grade school math (GSM8K), with accuracy from
cards and joules predicted at the number of concurrent requests that the verdicts rest on; after a name: the probability
that no other model is right as often for fewer joules; Phi in blue. Right: the models trained here, on generated
problems, with measured accuracy and joules modelled from processor time, alone and side by side. Bars are 95 %
intervals."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.ladder import FILLS, best_end, looks_of
from jouleproof.drawing.palette import BLUE, INK
from jouleproof.drawing.points import estimate_in, over_seeds, points
from jouleproof.drawing.select import deciding_answers, where
from jouleproof.drawing.style import HEIGHT, WIDTH, Look, key
from jouleproof.evidence.intervals import share_interval

TITLE = "The Pareto front of accuracy and energy"
SOURCES = [
    "slm_energy/answers",
    "slm_energy/cards",
    "slm_energy/ladder",
    "slm_energy/ladder_equal_flops",
    "slm_energy/ladder_energy",
]


def draw(
    answers: pd.DataFrame,
    cards: pd.DataFrame,
    ladder: pd.DataFrame,
    ladder_equal_flops: pd.DataFrame,
    ladder_energy: pd.DataFrame,
) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.55 * HEIGHT), width_ratios=[1.5, 1])
    limit, protocol = deciding_answers(answers)
    questions = int(where(cards, metric="questions", task="GSM8K")["value"].iloc[0])
    names = _published(left, where(answers, limit=limit), protocol, questions)
    left.set_title(f"published models, GSM8K, {limit} requests at once")
    looks = looks_of(ladder["size"])
    _trained(right, [ladder, ladder_equal_flops], ladder_energy, looks)
    right.set_title("trained here, generated problems")
    for axis in (left, right):
        axis.set(xscale="log", xlabel="energy of an answer (J)", ylabel="right answers (share)")
    small = {"fontsize": 6.5, "handlelength": 1}
    marks = right.get_legend_handles_labels()[0]
    marks += [key(size, color=colour, marker=marker) for size, (colour, marker) in looks.items()]
    right.legend(handles=marks, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, **small)
    figure.legend(handles=names, loc="outside upper center", ncols=5, columnspacing=1, **small)
    return figure


def _published(axis: Axes, answers: pd.DataFrame, protocol: str, questions: int) -> list[Line2D]:
    """Draw the published models; returns the legend: numbers, names, and the probability of being on the front."""
    shares = where(answers, protocol=protocol).set_index(["metric", "model"])["value"]
    front, accuracy = shares["at_front"], shares["accuracy"]
    joules = where(answers, protocol="none").set_index(["model", "metric"])["value"]
    handles = []
    for number, name in enumerate(front.sort_values(ascending=False).index, 1):
        across = estimate_in(joules[name], "joules_per_answer")
        right = share_interval(round(accuracy[name] * questions), questions)
        colour = BLUE if str(name).startswith("Phi") else INK
        points(axis, across, right, ls="-", color=colour, lw=0.6, alpha=0.5)
        ring = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour, "lw": 0.6}
        text: Look = {"ha": "center", "va": "center", "fontsize": 6, "color": colour, "zorder": 5, "bbox": ring}
        axis.text(across.value, right.value, str(number), **text)
        mark = {"marker": f"${number}$", "ms": 4 if number < 10 else 6.5, "markeredgewidth": 0.1}
        handles.append(key(f"{name}: {front[name]:.2f}", color=colour, **mark))
    return handles


def _trained(
    axis: Axes, tables: Sequence[pd.DataFrame], energy: pd.DataFrame, looks: Mapping[str, tuple[str, str]]
) -> None:
    joules = energy[energy["metric"].str.startswith("joules_per_answer")]
    fills = list(zip(sorted(set(joules["batch"]), reverse=True), FILLS, strict=False))
    for size, (colour, marker) in looks.items():
        up = over_seeds(best_end(tables, size), ["size"]).clip(upper=1.0)
        for batch, fill in fills:
            at = where(joules, size=size, batch=batch).set_index("metric")["value"]
            across = estimate_in(at, "joules_per_answer")
            points(axis, across, up, color=colour, marker=marker, fillstyle=fill, lw=0.7, ls="-")
    for batch, fill in fills:
        axis.plot([], [], color=INK, marker="o", fillstyle=fill, ls="", label=f"{batch} at once")
