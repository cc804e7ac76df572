"""Loss that a direct cast (to a format and back, without training) adds to a small transformer that was trained here in
float32, so that its weights are unrounded. The inputs of linear layers, their weights, or both are cast, under each
scale rule. The pale bands are the ranges that the ledger accepts for both under the floor rule; its token is four
bytes. The axis is linear around zero, within the limits on its label, and logarithmic beyond. Points are means
over the seeds, bars their 95 % intervals (Student's t), on held-out text.
"""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle
from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.points import mean_of, points
from jouleproof.drawing.select import rules_of_all, where
from jouleproof.drawing.style import (
    CAST_CLAIMS,
    HEIGHT,
    LEDGER_TOKEN_BYTES,
    WIDTH,
    format_label,
    format_style,
    key,
)

TITLE = "Direct cast of an unrounded model"
SOURCES = ["mx/training"]
SUBJECTS = {"activations": ("o", -0.27), "weights": ("s", 0.0), "both": ("D", 0.27)}  # marker, off the row's middle
LINEAR = 1e-3  # nats/byte


def draw(training: pd.DataFrame) -> Figure:
    casts = where(training, metric="cast_added_loss")
    styles, rules = format_style(casts["format"]), rules_of_all(casts)
    figure, axes = plt.subplots(1, len(rules), sharex=True, sharey=True, squeeze=False, figsize=(WIDTH, 1.2 * HEIGHT))
    by_rule = dict(zip(rules, axes[0], strict=True))
    for rule, axis in by_rule.items():
        for place, (name, look) in enumerate(styles.items()):
            for subject, (marker, offset) in SUBJECTS.items():
                mean = mean_of(casts, format=name, scale=rule, subject=subject)
                points(axis, mean, place + offset, color=look["color"], marker=marker, ms=5, elinewidth=1.1)
        axis.set_xscale("symlog", linthresh=LINEAR)
        axis.axvline(0, color=GREY, lw=0.7)
        axis.set(title=f"scale rule {rule}", xlabel=f"added loss, linear within ±{LINEAR:g} (nats/byte)")
    axes[0][0].set_yticks(range(len(styles)), list(map(format_label, styles)))
    axes[0][0].invert_yaxis()
    if "floor" in by_rule:
        for place, name in enumerate(styles):
            if name in CAST_CLAIMS:
                row = place + SUBJECTS["both"][1]
                accepted(by_rule["floor"], CAST_CLAIMS[name], (row - 0.13, row + 0.13), over=LEDGER_TOKEN_BYTES)
    handles = [key(name, marker=marker, color=INK) for name, (marker, _) in SUBJECTS.items()]
    figure.legend(handles=[*handles, accepted_handle()], title="cast", loc="outside upper right", ncols=4)
    return figure
