"""Placement where half of the workloads are new: work hosted at equal realised risk, by the predictor of their
profiles, over that with the fleet's average profile. Below: each workload's true profile, with errors in level or time
up to the given size. Means over seeds with 95 % intervals; pale: accepted by the ledger."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.palette import BLUE, GREY, VERMILION
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import WIDTH, name_rows

TITLE = "Workloads without a history"
SOURCES = ["placement/prediction"]
LABELS = {
    "nameplate": "nameplate",
    "fleet_peak": "the fleet's peak",
    "fleet_mean": "the fleet's average profile",
    "class_mean": "average of its class",
    "tenant_mean": "average of its tenant",
    "own": "its true profile",
}
WRONG = {"level": "true profile, level off by up to {:.0%}", "phase": "true profile, off by up to {:g} h"}


def draw(prediction: pd.DataFrame) -> Figure:
    means = over_seeds(where(prediction, metric="level_over_fleet"), ["predictor"])
    figure, axis = plt.subplots(figsize=(WIDTH, 0.8 + 0.24 * len(means)))
    for place, name in enumerate(means.index):
        colour = VERMILION if name.split()[0] in WRONG else BLUE
        points(axis, means.loc[[name]], place, color=colour, marker="o", capsize=2)
    axis.axvline(1, color=GREY, lw=0.7)
    name_rows(axis, [_label(name) for name in means.index], 0.6)
    accepted(axis, "placement.prediction", axis.get_ylim())
    axis.set_xlabel("work over that with the fleet's average profile (x)")
    axis.grid(axis="y", visible=False)
    return figure


def _label(name: str) -> str:
    kind, _, size = name.partition(" ")
    return WRONG[kind].format(float(size)) if kind in WRONG and size else LABELS.get(name, name)
