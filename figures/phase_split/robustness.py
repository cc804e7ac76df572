"""Clusters with the pools of the conversation service, serving what they were laid out for, the coding service, and
conversation with Llama2-70B in place of BLOOM-176B: the most load that holds all service levels, over that of
Baseline-H100 in the same case. Left with the published rules, right corrected. Means over draws of the requests."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.style import DESIGN_LABELS, HEIGHT, WIDTH

TITLE = "Clusters that serve something else"
SOURCES = ["phase_split/robustness"]
CASES = {"its own service": "#0072B2", "the other service": "#E69F00", "another model": "#009E73"}
BASE = "baseline_h100"


def draw(robustness: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharey=True)
    names = [name for name in DESIGN_LABELS if name in set(robustness["design"])]
    places = np.arange(len(names))
    for axis, version in zip(axes, ("published", "corrected"), strict=True):
        means = (
            robustness[robustness["version"] == version].groupby(["case", "design"])["value"].mean().unstack("design")
        )
        for number, (case, colour) in enumerate(CASES.items()):
            served = np.array([means.at[case, name] for name in names])
            axis.bar(places + 0.27 * (number - 1), served / served[names.index(BASE)], 0.25, color=colour, label=case)
        axis.axhline(1, color="#888888", lw=0.7)
        axis.set_xticks(places, [DESIGN_LABELS[name] for name in names], rotation=35, ha="right")
        axis.set_title(f"rules {'as ' if version == 'published' else ''}{version}")
        axis.grid(axis="x", visible=False)
    axes[0].set_ylabel("most load over Baseline-H100's (1)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
