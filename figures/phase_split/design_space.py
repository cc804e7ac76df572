"""Splitwise-HH for the coding service under one load: which pools hold all nine service levels. Dark cells hold under
every draw of the requests, white ones under none; the star is the cheapest that holds always, the cross the published
optimum of 27 prompt and 3 token machines."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "The design space of Splitwise-HH"
SOURCES = ["phase_split/design_space"]
PUBLISHED = (27, 3)


def draw(design_space: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharex=True, sharey=True)
    for axis, version in zip(axes, ("published", "corrected"), strict=True):
        _panel(axis, design_space[design_space["version"] == version])
        axis.set_title(f"rules {'as ' if version == 'published' else ''}{version}")
        axis.set_xlabel("prompt machines (number)")
    axes[0].set_ylabel("token machines (number)")
    axes[1].tick_params(labelleft=False)
    handles = [
        Line2D([], [], color="#D55E00", marker="*", ms=9, lw=0, label="fewest machines that hold always"),
        Line2D([], [], color="black", marker="x", ms=6, lw=0, label="published optimum"),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


def _panel(axis: Axes, rows: pd.DataFrame) -> None:
    table = rows.pivot(index="token_machines", columns="prompt_machines", values="value")
    first, last = int(rows["prompt_machines"].min()), int(rows["prompt_machines"].max())
    axis.imshow(
        table.to_numpy(), origin="lower", cmap="Greens", vmin=0, vmax=1.3, aspect="auto",
        extent=(first - 0.5, last + 0.5, table.index.min() - 0.5, table.index.max() + 0.5),
    )  # fmt: skip
    axis.grid(False)
    always = rows[rows["value"] == 1]
    if not always.empty:
        best = always.sort_values(["price", "prompt_machines"]).iloc[0]
        axis.plot(best["prompt_machines"], best["token_machines"], "*", ms=10, color="#D55E00")
    axis.plot(*PUBLISHED, "x", color="black", ms=6)
