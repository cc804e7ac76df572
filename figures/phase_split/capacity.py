"""The most load at which all nine service levels hold, for designs with the pools that were published, as the published
simulator has it and corrected. Bars are means over draws of the requests, lines 95 % intervals."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, VERSION_STYLES, WIDTH, design_style
from jouleproof.evidence.intervals import mean_interval

TITLE = "The most load of each design"
SOURCES = ["phase_split/capacity"]


def draw(capacity: pd.DataFrame) -> Figure:
    services = list(dict.fromkeys(capacity["service"]))
    figure, axes = plt.subplots(1, len(services), figsize=(WIDTH, HEIGHT), sharey=True, squeeze=False)
    styles = design_style(capacity["design"])
    names = list(styles)
    places = np.arange(len(names))
    for axis, service in zip(axes[0], services, strict=True):
        for offset, (version, (colour, _)) in zip((-0.19, 0.19), VERSION_STYLES.items(), strict=True):
            rows = capacity[(capacity["service"] == service) & (capacity["version"] == version)]
            means = [mean_interval(rows[rows["design"] == name]["value"].to_numpy()) for name in names]
            values = np.array([mean.value for mean in means])
            ends = [
                [max(mean.value - mean.low, 0) for mean in means],
                [max(mean.high - mean.value, 0) for mean in means],
            ]
            axis.bar(places + offset, values, 0.36, color=colour, yerr=ends, ecolor="black",
                     error_kw={"elinewidth": 0.9}, label=version)  # fmt: skip
        axis.set_xticks(places, [styles[name]["label"] for name in names], rotation=35, ha="right")
        axis.set_title(SERVICE_LABELS[service])
        axis.grid(axis="x", visible=False)
    axes[0][0].set_ylabel("most load (requests/s)")
    axes[0][0].legend()
    return figure
