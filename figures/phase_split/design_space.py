"""Pools of Splitwise-HH that meet all nine service levels for the coding service under one load. Dark cells meet them
under every draw of the requests, white ones under none; the star marks the cheapest pools that always do, the cross the
published optimum of 27 prompt and 3 token machines."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import VERMILION
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, key

TITLE = "The design space of Splitwise-HH"
SOURCES = ["phase_split/design_space"]
PUBLISHED = (27, 3)  # prompt and token machines, Splitwise (ISCA 2024)


def draw(design_space: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharex=True, sharey=True)
    for axis, version in zip(axes, ("published", "corrected"), strict=True):
        _panel(axis, where(design_space, version=version))
        axis.set(title=f"rules {'as ' if version == 'published' else ''}{version}", xlabel="prompt machines (number)")
    axes[0].set_ylabel("token machines (number)")
    axes[1].tick_params(labelleft=False)
    best = key("cheapest that always passes", color=VERMILION, marker="*", ms=9)
    stated = key("published optimum", color="black", marker="x", ms=6)
    figure.legend(handles=[best, stated], loc="outside upper right", ncols=2)
    return figure


def _panel(axis: Axes, rows: pd.DataFrame) -> None:
    table = rows.pivot(index="token_machines", columns="prompt_machines", values="value")
    x, y = rows["prompt_machines"], rows["token_machines"]
    extent = (x.min() - 0.5, x.max() + 0.5, y.min() - 0.5, y.max() + 0.5)
    axis.imshow(table, origin="lower", cmap="Greens", vmin=0, vmax=1.3, aspect="auto", extent=extent)
    axis.grid(False)
    always = where(rows, value=1).sort_values(["price", "prompt_machines"])
    if len(always):
        axis.plot(*always[["prompt_machines", "token_machines"]].iloc[0], "*", ms=10, color=VERMILION)
    axis.plot(*PUBLISHED, "x", color="black", ms=6)
