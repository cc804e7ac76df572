"""Accuracy on held-out grade school problems of models trained from scratch, by size: against the CPU time of training,
with all sizes trained for the same number of steps and with the same FLOPs, and, for the better of the two, against the
CPU time of an answer, written alone and side by side with others. Thin: seeds; thick, and points with 95 % intervals:
their means. Dotted: the target."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ladder import FILLS, best_end, curves, looks_of, medians
from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, key

TITLE = "Accuracy against cost, by size"
SOURCES = ["slm_energy/ladder", "slm_energy/ladder_equal_flops", "slm_energy/ladder_cost"]


def draw(ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame, ladder_cost: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 1.1 * HEIGHT), sharey=True)
    looks = looks_of(ladder["size"])
    times = medians(ladder_cost)
    for axis, table in zip(axes[:2], (ladder, ladder_equal_flops), strict=True):
        curves(axis, table, looks, times["step"])
        axis.set(title=f"training, {table['budget'].iloc[0]}", xlabel="CPU time of one run (s)")
    _answered(axes[2], [ladder, ladder_equal_flops], times["answer"], looks)
    target = where(ladder, metric="target")["value"].iloc[0]
    for axis in axes:
        axis.set_xscale("log")
        axis.axhline(target, color=GREY, lw=0.8, ls=":")
    axes[0].set(ylabel="right answers (share)", ylim=(-0.03, 1.05))
    handles = [
        key(f"{size} parameters", color=colour, marker=marker, lw=1.2) for size, (colour, marker) in looks.items()
    ]
    batches = list(next(iter(times["answer"].values())))[::-1]
    for batch, fill in zip(batches, FILLS, strict=False):
        label = f"{batch} side by side" if batch > 1 else "alone"
        handles.append(key(label, color=INK, marker="o", fillstyle=fill))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _answered(
    axis: Axes,
    tables: Sequence[pd.DataFrame],
    times: Mapping[str, Mapping[int, float]],
    looks: Mapping[str, tuple[str, str]],
) -> None:
    """Draw accuracy at the end of the better budget. times: ms of an answer by size and batch."""
    for size, (colour, marker) in looks.items():
        up = over_seeds(best_end(tables, size), ["size"]).clip(upper=1.0)
        for milliseconds, fill in zip(list(times[size].values())[::-1], FILLS, strict=False):
            points(axis, milliseconds, up, color=colour, marker=marker, fillstyle=fill, capsize=2)
    axis.set(title="answering", xlabel="CPU time of an answer (ms)")
