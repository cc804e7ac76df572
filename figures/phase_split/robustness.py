"""Clusters with the pools of the conversation service that serve something else. Left and middle: the most load that
holds all service levels, over that of Baseline-H100 in the same case: what they were laid out for, the coding service,
and conversation with Llama2-70B in place of BLOOM-176B. Right: batch jobs without any service level, requests served
per second and unit of price; the lines are the two values that the source states. Means over draws of the requests."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.style import DESIGN_LABELS, HEIGHT, VERSION_STYLES, WIDTH

TITLE = "Clusters that serve something else"
SOURCES = ["phase_split/robustness"]
CASES = {"its own service": "#0072B2", "the other service": "#E69F00", "another model": "#009E73"}
BASE, BATCH = "baseline_h100", "batch jobs"
STATED = (0.89, 0.75)  # requests/s per unit of price, Splitwise (ISCA 2024), section 6.5


def draw(robustness: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 1.15 * HEIGHT))
    names = [name for name in DESIGN_LABELS if name in set(robustness["design"])]
    places = np.arange(len(names))
    for axis, version in zip(axes, VERSION_STYLES, strict=False):
        of_version = robustness[robustness["version"] == version]
        means = of_version.groupby(["case", "design"])["value"].mean().unstack("design")
        for number, (case, colour) in enumerate(CASES.items()):
            served = np.array([means.at[case, name] for name in names])
            axis.bar(places + 0.27 * (number - 1), served / served[names.index(BASE)], 0.25, color=colour, label=case)
        axis.axhline(1, color="#888888", lw=0.7)
        axis.set_title(f"rules {'as ' if version == 'published' else ''}{version}")
    most = max(axis.get_ylim()[1] for axis in axes[:2])
    for axis in axes[:2]:
        axis.set_ylim(0, most)
        axis.set_ylabel("most load over Baseline-H100's (1)")
    _batch(axes[2], robustness[robustness["case"] == BATCH], names)
    for axis in axes:
        axis.set_xticks(places, [DESIGN_LABELS[name] for name in names], rotation=60, ha="right")
        axis.grid(axis="x", visible=False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def _batch(axis: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    per_price = rows.assign(value=rows["value"] / rows["price"]).groupby(["version", "design"])["value"].mean()
    for offset, (version, (colour, _)) in zip((-0.19, 0.19), VERSION_STYLES.items(), strict=True):
        values = [per_price[version, name] for name in names]
        axis.bar(np.arange(len(names)) + offset, values, 0.36, color=colour, label=version)
    for value in STATED:
        axis.axhline(value, color="#0F6B57", lw=0.9, ls="--")
    axis.set_title("batch jobs")
    axis.set_ylabel("served over price (requests/s)")
    axis.set_ylim(0, 1.25)
    axis.legend(loc="upper right", fontsize=6.8)
