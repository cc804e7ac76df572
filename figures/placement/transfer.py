"""A margin that was set on one mix of workloads and used on others, by the information that the policy is given. Top:
realised over target risk; pale: accepted by the ledger. Bottom: work hosted over what nameplates allow for. Means over
seeds with 95 % intervals; one rule (asynchrony), rows of twenty servers in the default run."""

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.palette import GREY
from jouleproof.drawing.points import mean_ends
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, information_style, key

TITLE = "A margin on another mix"
SOURCES = ["placement/transfer"]
MIXES = {
    "same": "same mix",
    "train_heavy": "more training",
    "phase_split": "more prompt and\ntoken machines",
    "office_hours": "more office hours",
}


def draw(transfer: pd.DataFrame) -> Figure:
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(WIDTH, 1.6 * HEIGHT), sharex=True)
    looks = information_style(transfer["information"])
    colours, markers = ([look[keyword] for look in looks.values()] for keyword in ("color", "marker"))
    marks = {"palette": colours, "markers": markers, "linestyles": "none", "dodge": 0.11 * (len(looks) - 1)}
    for axis, metric in zip((top, bottom), ("over_target", "work"), strict=True):
        rows = where(transfer, metric=metric)
        means = {"x": "mix", "y": "value", "hue": "information", "order": MIXES, "hue_order": looks}
        sns.pointplot(rows, **means, **marks, errorbar=mean_ends, capsize=0.04, ms=4.5, lw=1.2, legend=False, ax=axis)
        axis.grid(axis="x", visible=False)
    top.set_yscale("symlog", linthresh=1, linscale=0.6)
    top.margins(y=0.06)
    top.set_ylim(bottom=-0.35)
    top.set_yticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])
    top.axhline(1, color=GREY, lw=0.7)
    accepted(top, "placement.margin_transfer", top.get_xlim(), "y")
    top.set_ylabel("realised over target risk (x)")
    bottom.set(xlabel="", ylabel="work over nameplates' (x)")
    bottom.set_xticks(range(len(MIXES)), list(MIXES.values()))
    handles = [key(**look) for look in looks.values()]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure
