"""Accuracy against the joules of an answer. Left: published models on grade school math (GSM8K), accuracy as cards
give it, joules predicted at as many requests at once as the verdicts rest on. Beside a name: the chance that no other
model is right as often for fewer joules; Phi in blue. Right: the models trained here, on generated problems, accuracy
measured, joules modelled from processor time, alone and side by side. Bars: 95 %."""

from collections.abc import Mapping

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.ladder import FILLS, end_of, looks_of
from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import BLUE, INK
from jouleproof.drawing.select import deciding_answers
from jouleproof.drawing.style import HEIGHT, WIDTH
from jouleproof.evidence.intervals import share_interval

TITLE = "The front of accuracy and energy"
SOURCES = [
    "slm_energy/answers", "slm_energy/cards", "slm_energy/ladder", "slm_energy/ladder_equal_flops",
    "slm_energy/ladder_energy",
]  # fmt: skip
PHI, OTHERS = BLUE, INK


def draw(
    answers: pd.DataFrame, cards: pd.DataFrame, ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame,
    ladder_energy: pd.DataFrame,
) -> Figure:  # fmt: skip
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 1.55 * HEIGHT), width_ratios=[1.5, 1])
    limit, protocol = deciding_answers(answers)
    at_limit = answers[(answers["limit"] == limit)]
    asked = cards[(cards["metric"] == "questions") & (cards["task"] == "GSM8K")]
    names = _published(axes[0], at_limit, protocol, int(asked["value"].iloc[0]))
    axes[0].set_title(f"published models, GSM8K, {limit} requests at once")
    trained = [ladder, ladder_equal_flops]
    looks = looks_of(ladder["size"])
    _trained(axes[1], trained, ladder_energy, looks)
    axes[1].set_title("trained here, generated problems")
    for axis in axes:
        axis.set_xscale("log")
        axis.set_xlabel("energy of an answer (J)")
        axis.set_ylabel("right answers (share)")
    marks = axes[1].get_legend_handles_labels()[0]
    for size, (colour, marker) in looks.items():
        marks.append(Line2D([], [], color=colour, marker=marker, ls="", label=size))
    axes[1].legend(handles=marks, loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=6.5, ncols=3, handlelength=1)
    figure.legend(handles=names, loc="outside upper center", ncols=5, fontsize=6.5, columnspacing=1, handlelength=1)
    return figure


def _published(axis: Axes, answers: pd.DataFrame, protocol: str, questions: int) -> list[Line2D]:
    """Returns the legend: numbers, names, and the chance to be at the front."""
    shares = answers[answers["protocol"] == protocol].set_index(["metric", "model"])["value"]
    front, accuracy = shares["at_front"], shares["accuracy"]
    joules = answers[answers["protocol"] == "none"].set_index(["model", "metric"])["value"]
    handles = []
    for number, name in enumerate(front.sort_values(ascending=False).index, 1):
        middle, low, high = (float(joules[name, f"joules_per_answer{end}"]) for end in ("", "_low", "_high"))
        right = share_interval(round(accuracy[name] * questions), questions)
        colour = PHI if str(name).startswith("Phi") else OTHERS
        axis.errorbar(middle, right.value, [[right.value - right.low], [right.high - right.value]],
                      [[middle - low], [high - middle]], color=colour, lw=0.6, alpha=0.5)  # fmt: skip
        ring = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour, "lw": 0.6}
        axis.text(
            middle, right.value, str(number), ha="center", va="center", fontsize=6, color=colour, zorder=5, bbox=ring
        )
        handles.append(Line2D([], [], color=colour, marker=f"${number}$", ms=4 if number < 10 else 6.5, ls="",
                              markeredgewidth=0.1, label=f"{name}: {front[name]:.2f}"))  # fmt: skip
    return handles


def _trained(
    axis: Axes, tables: list[pd.DataFrame], energy: pd.DataFrame, looks: Mapping[str, tuple[str, str]]
) -> None:
    joules = energy[energy["metric"].str.startswith("joules_per_answer")]
    batches = sorted(set(joules["batch"]))
    for size, (colour, marker) in looks.items():
        best = max((end_of(table, size) for table in tables), key=lambda rows: float(rows["value"].mean()))
        up = over_seeds(best, ["size"]).clip(upper=1.0)
        for batch, fill in zip(batches[::-1], FILLS, strict=False):
            at = joules[(joules["size"] == size) & (joules["batch"] == batch)].set_index("metric")["value"]
            middle, low, high = (at[f"joules_per_answer{end}"] for end in ("", "_low", "_high"))
            axis.errorbar(middle, up["value"], bars(up), [[middle - low], [high - middle]], color=colour, marker=marker,
                          fillstyle=fill, lw=0.7)  # fmt: skip
    for batch, fill in zip(batches[::-1], FILLS, strict=False):
        axis.plot([], [], color=INK, marker="o", fillstyle=fill, ls="", label=f"{batch} at once")
