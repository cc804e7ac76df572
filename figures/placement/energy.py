"""Power efficiency against energy efficiency. Left: work hosted over what nameplates allow for, and joules per unit of
that work over those of the offered workloads, by what the policy is told (asynchrony, grouped arrivals): what is hosted
rises, what it costs hardly changes. Right: joules per work where the policy also chooses processor and storage by
profile; pale: what the ledger accepts. Means over seeds with 95 % intervals."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import BLUE, GREY, VERMILION
from jouleproof.drawing.style import HEIGHT, INFORMATION_STYLES, WIDTH, accepted

TITLE = "Power is not energy"
SOURCES = ["placement/hosting", "placement/processors"]
RULE, SIZE = "asynchrony", 10


def draw(hosting: pd.DataFrame, processors: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), width_ratios=(1.5, 1))
    size = SIZE if SIZE in set(hosting["row"]) else min(hosting["row"])
    plain = hosting["information"] == "plain"
    rows = hosting[(hosting["arrivals"] == "grouped") & (hosting["row"] == size) & ((hosting["rule"] == RULE) | plain)]
    work, joules = (
        over_seeds(rows[rows["metric"] == metric], ["information"]) for metric in ("work", "joules_per_work")
    )
    for places, values, label in ((0.12, work, "work hosted"), (-0.12, joules, "joules per work")):
        colour, marker = (BLUE, "o") if values is work else (VERMILION, "D")
        left.errorbar(values["value"], np.arange(len(values)) + places, xerr=bars(values), color=colour, marker=marker,
                      ls="", capsize=2, label=label)  # fmt: skip
    labels = {**{name: style[2] for name, style in INFORMATION_STYLES.items()}, "plain": "nameplate, no margin"}
    left.set_yticks(range(len(work)), [labels.get(name, name) for name in work.index], fontsize=7)
    left.axvline(1, color=GREY, lw=0.7)
    left.set_xlabel("over nameplates' work, over offered joules (x)")
    left.set_ylabel("told of a workload's power")
    saved = over_seeds(processors[processors["metric"] == "joules_per_work"], ["chosen"])
    names = list(saved.index)
    right.errorbar(range(len(names)), saved["value"], bars(saved), color=BLUE, marker="o", ls="", capsize=2)
    right.set_xticks(range(len(names)), [name.replace(" ", "\n") for name in names], fontsize=6.5)
    right.set_xlim(-0.5, len(names) - 0.5)
    right.set_ylim(0.9, 1.02)
    accepted(right, "placement.processors_and_storage", right.get_xlim(), "y")
    right.set_xlabel("chosen by profile")
    right.set_ylabel("joules per work (x)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
