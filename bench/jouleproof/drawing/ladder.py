"""Scaling ladder of the models that the study slm_energy trains: the look of each size, accuracies, and times."""

from collections.abc import Iterable, Mapping
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes

from jouleproof.drawing.palette import BLUE, GREEN, INDIGO, INK, ORANGE, PURPLE, VERMILION
from jouleproof.drawing.select import unique, where

SIZE_STYLES = (
    (ORANGE, "o"),
    (VERMILION, "^"),
    (PURPLE, "v"),
    (BLUE, "D"),
    (GREEN, "s"),
    (INDIGO, "P"),
    (INK, "X"),
)
FILLS: tuple[Literal["full", "none", "left", "right"], ...] = ("full", "none", "left", "right")  # of batches


def looks_of(sizes: Iterable[str]) -> Mapping[str, tuple[str, str]]:
    """Colour and marker of each size, from the smallest."""
    return dict(zip(dict.fromkeys(sizes), SIZE_STYLES * 9, strict=False))


def medians(ladder_cost: pd.DataFrame) -> dict[str, dict[str, dict[int, float]]]:
    """Median milliseconds by operation, size and batch, from the smallest."""
    times: dict[str, dict[str, dict[int, float]]] = {}
    middle = where(ladder_cost, metric="cpu_ms").groupby(["what", "size", "batch"])["value"].median().reset_index()
    for what, size, batch, value in middle.itertuples(index=False):
        times.setdefault(what, {}).setdefault(size, {})[batch] = value
    return times


def end_of(table: pd.DataFrame, size: str) -> pd.DataFrame:
    """Accuracies of the seeds after the last step."""
    rows = where(table, metric="accuracy", problem="all", size=size)
    return where(rows, step=rows["step"].max())


def best_end(tables: Iterable[pd.DataFrame], size: str) -> pd.DataFrame:
    """Accuracies of the seeds after the last step, under the training budget (one table each) with the higher
    accuracy."""
    return max((end_of(table, size) for table in tables), key=lambda rows: float(rows["value"].mean()))


def curves(
    axis: Axes,
    table: pd.DataFrame,
    looks: Mapping[str, tuple[str, str]],
    steps: Mapping[str, Mapping[int, float]],
    ls: str = "-",
    marked: bool = True,
) -> None:
    """Draw accuracy by CPU seconds of training, which are steps times the milliseconds of one (`steps`, by size)."""
    rows = where(table[table["step"] > 0], metric="accuracy", problem="all")
    for size in unique(rows["size"]):
        colour, marker = looks[size]
        by_seed = where(rows, size=size).pivot(index="step", columns="seed", values="value")
        seconds = by_seed.index * max(steps[size].values()) / 1e3
        axis.plot(seconds, by_seed, color=colour, lw=0.5, alpha=0.55, ls=ls)
        axis.plot(seconds, by_seed.mean(axis=1), color=colour, marker=marker if marked else "", ms=3, ls=ls)
