"""Dependence of the total of all four levers on each assumption, which goes from its 5th to its 95th percentile while
all others stay at their medians. Left: the share left of a request's joules; middle: of provisioned power; right: joint
saving over the product of the single savings, in joules. Filled: at the upper end; the line: all at their medians;
pale: the range that the ledger accepts."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.levers import swing
from jouleproof.drawing.palette import BLUE, INK, STEEL
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "What the total depends on"
SOURCES = ["joint/assumptions"]
PANELS = {
    "joules_ratio": ("joules of a request", "share left (%)", 100.0),
    "megawatts_ratio": ("provisioned power", "share left (%)", 100.0),
    "joules_overlap": ("do they multiply?", "saving over product (x)", 1.0),
}
CLAIMS = {"joules_ratio": ("joint.parts_add_up", 0.01), "joules_overlap": ("joint.levers_multiply", 1.0)}
SHOWN = 16
LABELS = {
    "stored_bits": "bits of a stored value",
    "realised": "MX: share realised",
    "split_realised": "splitting: share realised",
    "prompt_power": "power, prompts",
    "token_power": "power, decoding",
    "host_power": "power of hosts",
    "idle_power": "power, idle",
    "day_level": "mean load of a day",
    "neighbours": "neighbours in the hall",
    "packed": "plain hall packs",
    "placed_joules": "placement: joules seen",
    "overlap": "right answers overlap",
    "recognised": "recognised by the router",
    "mistaken": "sent by mistake",
    "short": "short requests taken",
    "small_overhead": "small model's overhead",
    "small_mx": "small model's MX saving",
    "router": "router's joules",
    "capable_least": "least it can answer",
    "capable_most": "most it can answer",
    "token_ratio": "J/token, small over large",
    "length_ratio": "length, small over large",
    "joules_placed": "placement: joules",
    "gain_of_profile": "gain of profiles",
    "gain_of_rule": "gain of the rule",
}


def draw(assumptions: pd.DataFrame) -> Figure:
    table = assumptions.pivot(index="assumption", columns="metric", values="value")
    shown = list(swing(table).nlargest(SHOWN).index)
    figure, axes = plt.subplots(1, len(PANELS), figsize=(WIDTH, 1.45 * HEIGHT), sharey=True)
    places = np.arange(len(shown))[::-1]
    for axis, (metric, (title, label, times)) in zip(axes, PANELS.items(), strict=True):
        low, high = (times * table.loc[shown, f"{metric}_{end}"].to_numpy() for end in ("low", "high"))
        middle = times * table[metric].iloc[0]
        axis.hlines(places, np.minimum(low, high), np.maximum(low, high), color=STEEL, lw=5)
        axis.plot(low, places, "o", color=BLUE, markerfacecolor="white", label="at its 5th percentile")
        axis.plot(high, places, "o", color=BLUE, label="at its 95th percentile")
        axis.axvline(middle, color=INK, lw=0.8)
        axis.set(title=title, xlabel=label)
        axis.margins(x=0.12)
        if metric in CLAIMS:
            claim, over = CLAIMS[metric]
            accepted(axis, claim, (-0.7, len(shown) - 0.3), over=over)
    axes[0].set_yticks(places, [LABELS.get(name, name) for name in shown], fontsize=6.8)
    axes[0].set_ylim(-0.7, len(shown) - 0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
