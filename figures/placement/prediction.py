"""Half of the workloads are new: work hosted at one risk run by what the policy reckons with for them, over that with
the fleet's average profile. Below: each workload's own profile made wrong, in level or in time, by up to so much.
Means over seeds with 95 % intervals; pale: what the ledger accepts."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import BLUE, GREY, VERMILION
from jouleproof.drawing.style import WIDTH, accepted

TITLE = "Workloads without a history"
SOURCES = ["placement/prediction"]
LABELS = {
    "nameplate": "nameplate", "fleet_peak": "the fleet's peak", "fleet_mean": "the fleet's average profile",
    "class_mean": "average of its class", "tenant_mean": "average of its tenant", "own": "its own, if it were known",
}  # fmt: skip
WRONG = {"level": "its own, level off by up to {:.0%}", "phase": "its own, off by up to {:g} h"}


def draw(prediction: pd.DataFrame) -> Figure:
    means = over_seeds(prediction[prediction["metric"] == "level_over_fleet"], ["predictor"])
    names = list(means.index)
    figure, axis = plt.subplots(figsize=(WIDTH, 0.8 + 0.24 * len(names)))
    places = list(range(len(names), 0, -1))
    colours = [VERMILION if name.split()[0] in WRONG else BLUE for name in names]
    left, right = bars(means)
    for place, value, below, above, colour in zip(places, means["value"], left, right, colours, strict=True):
        axis.errorbar(value, place, xerr=[[below], [above]], color=colour, marker="o", capsize=2)
    axis.axvline(1, color=GREY, lw=0.7)
    axis.set_yticks(places, [_label(name) for name in names])
    axis.set_ylim(0.4, len(names) + 0.6)
    accepted(axis, "placement.prediction", (0.4, len(names) + 0.6), "x")
    axis.set_xlabel("work over that with the fleet's average profile (x)")
    axis.grid(axis="y", visible=False)
    return figure


def _label(name: str) -> str:
    kind, _, size = name.partition(" ")
    return WRONG[kind].format(float(size)) if kind in WRONG and size else LABELS.get(name, name)
