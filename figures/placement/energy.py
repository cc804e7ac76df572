"""Power efficiency against energy efficiency. Left: work hosted over what nameplates allow for, and joules per unit of
that work over those of the offered workloads, by what the policy is told (asynchrony, grouped arrivals): what is hosted
rises, what it costs stays. Right: joules per work where the policy also chooses processor and storage by profile; pale:
what the ledger accepts. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.intervals import bars, over_seeds
from figures.style import HEIGHT, INFORMATION_STYLES, OTHER_COLOURS, WIDTH, accepted

TITLE = "Power is not energy"
SOURCES = ["placement/hosting", "placement/processors"]
RULE, SIZE = "asynchrony", 10


def draw(hosting: pd.DataFrame, processors: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), width_ratios=(1.5, 1))
    size = SIZE if SIZE in set(hosting["row"]) else min(hosting["row"])
    plain = hosting["information"] == "plain"
    own = hosting[(hosting["arrivals"] == "grouped") & (hosting["row"] == size) & ((hosting["rule"] == RULE) | plain)]
    work, joules = (over_seeds(own[own["metric"] == metric], ["information"]) for metric in ("work", "joules_per_work"))
    for number, name in enumerate(work.index):
        other = (OTHER_COLOURS[number % len(OTHER_COLOURS)], "o", name)
        colour, marker, label = {**INFORMATION_STYLES, "plain": ("#555555", "|", "nameplate, no margin")}.get(
            name, other
        )
        x, y = work.loc[[name]], joules.loc[[name]]
        left.errorbar(
            x["value"], y["value"], bars(y), bars(x), color=colour, marker=marker, capsize=2, ls="", label=label
        )
    left.set_ylim(0.85, 1.15)
    left.axhline(1, color="#888888", lw=0.7)
    left.set_xlabel("work over nameplates' (x)")
    left.set_ylabel("joules per work (x)")
    saved = over_seeds(processors[processors["metric"] == "joules_per_work"], ["chosen"])
    names = list(saved.index)
    right.errorbar(range(len(names)), saved["value"], bars(saved), color="#0072B2", marker="o", ls="", capsize=2)
    right.set_xticks(range(len(names)), [name.replace(" ", "\n") for name in names])
    right.set_xlim(-0.5, len(names) - 0.5)
    right.set_ylim(0.9, 1.02)
    accepted(right, "placement.processors_and_storage", right.get_xlim(), "y")
    right.set_xlabel("chosen by profile")
    right.set_ylabel("joules per work (x)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
