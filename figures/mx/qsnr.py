"""Signal to quantisation-noise ratio of every MX format under four rules for the shared scale, on generated vectors
with a spread of their own; bars are means over the seeds, whiskers 95 % intervals, most of them too narrow to be
seen."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bench.stats import Estimate, mean_interval
from figures.style import format_label, ordered_formats

TITLE = "QSNR on generated vectors"
SOURCES = ["mx/qsnr"]
NAMES = {"gaussian": "Gaussian", "laplace": "Laplace", "student_t": "Student-t"}
GREYS = ("#222222", "#6B6B6B", "#A5A5A5", "#D9D9D9", "#4C72B0", "#DD8452")


def draw(qsnr: pd.DataFrame) -> Figure:
    formats, rules = ordered_formats(qsnr["format"]), list(dict.fromkeys(qsnr["scale"]))
    distributions = list(dict.fromkeys(qsnr["distribution"]))
    figure, axes = plt.subplots(1, len(distributions), sharey=True, squeeze=False)
    width = 0.8 / len(rules)
    for axis, distribution in zip(axes[0], distributions, strict=True):
        for number, rule in enumerate(rules):
            cells = [_estimate(qsnr, distribution, name, rule) for name in formats]
            middle = np.array([cell.value for cell in cells])
            ends = np.array([[cell.value - cell.low, cell.high - cell.value] for cell in cells]).T
            place = np.arange(len(formats)) + (number - (len(rules) - 1) / 2) * width
            bars = axis.bar(
                place, middle, width, color=GREYS[number % len(GREYS)], label=rule, edgecolor="white", lw=0.3
            )
            axis.errorbar(place, middle, ends, fmt="none", ecolor="#C44E52", elinewidth=0.9)
            bars.set_label(rule)
        axis.set_title(NAMES.get(distribution, distribution))
        axis.set_xticks(
            range(len(formats)),
            [format_label(name) for name in formats],
            rotation=60,
            ha="right",
            rotation_mode="anchor",
        )
        axis.grid(axis="x", visible=False)
    axes[0][0].set_ylabel("QSNR (dB)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, title="scale rule", loc="outside right upper")
    return figure


def _estimate(qsnr: pd.DataFrame, distribution: str, name: str, rule: str) -> Estimate:
    rows = qsnr[(qsnr["distribution"] == distribution) & (qsnr["format"] == name) & (qsnr["scale"] == rule)]
    return mean_interval(rows["value"].to_numpy())
