"""What a direct cast (to a format and back, without training) adds to the loss of a small transformer that was trained
here in float32, so that its weights are unrounded: linear layers' inputs, weights, or both, under each scale rule. The
pale bands are the ranges that the ledger accepts for both under the floor rule; its token is four bytes. The axis is
linear around zero, as far as its label says, and logarithmic beyond. Points are means over the seeds, bars their 95 %
intervals (Student's t)."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.select import rules_of_all
from jouleproof.drawing.style import (
    CAST_CLAIMS,
    HEIGHT,
    LEDGER_TOKEN_BYTES,
    WIDTH,
    accepted,
    accepted_handle,
    format_label,
    format_style,
)
from jouleproof.evidence.intervals import mean_interval

TITLE = "Direct cast of an unrounded model"
SOURCES = ["mx/training"]
SUBJECTS = {"activations": "o", "weights": "s", "both": "D"}
LINEAR = 1e-3  # nats/byte
OFFSETS = (-0.27, 0.0, 0.27)


def draw(training: pd.DataFrame) -> Figure:
    casts = training[training["metric"] == "cast_added_loss"]
    styles, rules = format_style(casts["format"]), rules_of_all(casts)
    figure, axes = plt.subplots(1, len(rules), sharex=True, sharey=True, squeeze=False, figsize=(WIDTH, 1.2 * HEIGHT))
    for axis, rule in zip(axes[0], rules, strict=True):
        for place, (name, look) in enumerate(styles.items()):
            for offset, (subject, marker) in zip(OFFSETS, SUBJECTS.items(), strict=True):
                here = casts[(casts["format"] == name) & (casts["scale"] == rule) & (casts["subject"] == subject)]
                mean = mean_interval(here["value"].to_numpy())
                ends = [[mean.value - mean.low], [mean.high - mean.value]]
                axis.errorbar(
                    mean.value, place + offset, xerr=ends, color=look["color"], marker=marker, ms=5, elinewidth=1.1
                )
        axis.set_xscale("symlog", linthresh=LINEAR)
        axis.axvline(0, color=GREY, lw=0.7)
        axis.set_title(f"scale rule {rule}")
        axis.set_xlabel(f"added loss, linear within ±{LINEAR:g} (nats/byte)")
    axes[0][0].set_yticks(range(len(styles)), [format_label(name) for name in styles])
    axes[0][0].invert_yaxis()
    if "floor" in rules:
        for place, name in enumerate(styles):
            if name in CAST_CLAIMS:
                across = (place + OFFSETS[-1] - 0.13, place + OFFSETS[-1] + 0.13)
                accepted(axes[0][rules.index("floor")], CAST_CLAIMS[name], across, over=LEDGER_TOKEN_BYTES)
    handles: list[Artist] = [
        Line2D([], [], marker=marker, color=INK, lw=0, label=name) for name, marker in SUBJECTS.items()
    ]
    handles.append(accepted_handle())
    figure.legend(handles=handles, title="cast", loc="outside upper right", ncols=4)
    return figure
