"""What a release of telemetry is worth to a placement policy (work hosted at one risk run, over that with every reading
told) and to an attacker: the largest gain over guessing, on class, model, length of prompts or who a workload is, of
tenants that the attacker has never seen. Right of the dotted line a release keeps what is asked of the value; pale:
what the ledger accepts as confidential. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import BLUE, GREY, SILVER, VERMILION
from jouleproof.drawing.style import HEIGHT, RELEASE_LABELS, WIDTH, accepted

TITLE = "Leak against value"
SOURCES = ["placement/leakage"]
CLASSES = (("private", VERMILION, "^", "with noise"), ("", BLUE, "o", "as it is"))  # beginning of the name, style
COLUMN = 1.06  # of the width: where labels stand, one above the other in the order of the gains


def draw(leakage: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.6 * HEIGHT))
    value, most = (over_seeds(leakage[leakage["metric"] == metric], ["release"]) for metric in ("value", "most"))
    shown = set()
    names = sorted(value.index, key=lambda name: (most.at[name, "value"], value.at[name, "value"]))
    for number, name in enumerate(names):
        _, colour, marker, label = next(look for look in CLASSES if name.startswith(look[0]))
        across, up = value.loc[[name]], most.loc[[name]]
        axis.errorbar(across["value"], up["value"], bars(up), bars(across), capsize=2, marker=marker, ms=4,
                      color=colour, ls="", label=None if label in shown else label)  # fmt: skip
        shown.add(label)
        axis.annotate(
            RELEASE_LABELS.get(name, name), (across["value"].iloc[0], up["value"].iloc[0]),
            (COLUMN, (number + 0.7) / (len(names) + 0.5)), textcoords="axes fraction", ha="left", va="center",
            fontsize=7, arrowprops={"arrowstyle": "-", "color": SILVER, "lw": 0.5, "shrinkB": 3},
        )  # fmt: skip
    for kept in leakage[leakage["metric"] == "kept"]["value"]:
        axis.axvline(kept, color=GREY, lw=0.8, ls=":")
    axis.set_ylim(bottom=-0.06)
    axis.margins(x=0.08)
    accepted(axis, "placement.confidential", axis.get_xlim(), "y")
    axis.set_xlabel("value: work hosted over that with every reading told (1)")
    axis.set_ylabel("best attacker's gain over guessing (share)")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
