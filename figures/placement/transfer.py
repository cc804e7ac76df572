"""A margin that was set on one mix of workloads and used on others, by what the policy is told. Top: risk run over the
risk it was set for; in the pale band the ledger accepts it. Bottom: work hosted over what nameplates allow for. Means
over seeds with 95 % intervals; one rule (asynchrony), rows of twenty servers in the default run."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import GREY
from jouleproof.drawing.style import HEIGHT, INFORMATION_STYLES, OTHER_COLOURS, WIDTH, accepted

TITLE = "A margin on another mix"
SOURCES = ["placement/transfer"]
MIXES = {
    "same": "same mix", "train_heavy": "more training", "phase_split": "more prompt and\ntoken machines",
    "office_hours": "more office hours",
}  # fmt: skip


def draw(transfer: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(2, 1, figsize=(WIDTH, 1.6 * HEIGHT), sharex=True)
    names = list(dict.fromkeys(transfer["information"]))
    for axis, metric in zip(axes, ("over_target", "work"), strict=True):
        means = over_seeds(transfer[transfer["metric"] == metric], ["information", "mix"])
        for number, name in enumerate(names):
            line = means.loc[name].reindex([mix for mix in MIXES if mix in means.loc[name].index])
            other = (OTHER_COLOURS[number % len(OTHER_COLOURS)], "o", name)
            colour, marker, label = INFORMATION_STYLES.get(name, other)
            places = np.arange(len(line)) + 0.11 * (number - (len(names) - 1) / 2)
            axis.errorbar(places, line["value"], bars(line), color=colour, marker=marker, ls="", capsize=2, label=label)
        axis.grid(axis="x", visible=False)
    axes[0].set_yscale("symlog", linthresh=1, linscale=0.6)
    axes[0].set_ylim(bottom=-0.35)
    axes[0].set_yticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])
    axes[0].axhline(1, color=GREY, lw=0.7)
    accepted(axes[0], "placement.margin_transfer", axes[0].get_xlim(), "y")
    axes[0].set_ylabel("risk over the one aimed at (x)")
    axes[1].set_ylabel("work over nameplates' (x)")
    axes[1].set_xticks(range(len(MIXES)), list(MIXES.values()))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
