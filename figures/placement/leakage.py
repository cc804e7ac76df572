"""The value of a release of telemetry to a placement policy (work hosted at equal realised risk, over that with every
reading disclosed) and to an attacker: the largest gain over guessing, on class, model, prompt length or identity of a
workload, for tenants that the attacker has never seen. To the right of the dotted line a release keeps the required
share of the value; pale: accepted by the ledger as confidential. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.palette import BLUE, GREY, SILVER, VERMILION
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, RELEASE_LABELS, WIDTH, Look

TITLE = "Leakage against value"
SOURCES = ["placement/leakage"]
CLASSES = (("private", VERMILION, "^", "with noise"), ("", BLUE, "o", "without noise"))  # prefix of the name, style
COLUMN = 1.06  # of labels, as a share of the width; they are stacked in the order of the gains


def draw(leakage: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.6 * HEIGHT))
    value, most = (over_seeds(where(leakage, metric=metric), ["release"]) for metric in ("value", "most"))
    for beginning, colour, marker, label in CLASSES:
        names = [name for name in value.index if name.startswith("private") == bool(beginning)]
        look = {"color": colour, "marker": marker, "label": label}
        if names:
            points(axis, value.loc[names], most.loc[names], capsize=2, ms=4, **look)
    line = {"arrowstyle": "-", "color": SILVER, "lw": 0.5, "shrinkB": 3}
    margin_text: Look = {"textcoords": "axes fraction", "ha": "left", "va": "center", "fontsize": 7, "arrowprops": line}
    places = (
        pd.DataFrame({"up": most["value"], "across": value["value"]}).loc[value.index].sort_values(["up", "across"])
    )
    for number, (name, (up, across)) in enumerate(places.iterrows()):
        height = (number + 0.7) / (len(places) + 0.5)
        axis.annotate(RELEASE_LABELS.get(str(name), str(name)), (across, up), (COLUMN, height), **margin_text)
    for kept in where(leakage, metric="kept")["value"]:
        axis.axvline(kept, color=GREY, lw=0.8, ls=":")
    axis.set_ylim(bottom=-0.06)
    axis.margins(x=0.08)
    accepted(axis, "placement.confidential", axis.get_xlim(), "y")
    axis.set_xlabel("value: work hosted over that with every reading disclosed (1)")
    axis.set_ylabel("best attacker's gain over guessing (share)")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
