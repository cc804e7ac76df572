"""Ten minutes of one prompt machine and one token machine of the simulated cluster (grey) through every sensor: how
often it reads, over which time, how it rounds, how late it is and how much of the time it looks. Sensors' gains are off
by a constant share each, drawn at random. Axes show what comes after the first half minute."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import PALE
from jouleproof.drawing.style import HEIGHT, SENSOR_STYLES, WIDTH

TITLE = "One power trace through every sensor"
SOURCES = ["placement/sensed"]
TRUE, SETTLED_S = "ideal", 30  # what comes before is a cluster that fills


def draw(sensed: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(2, 1, figsize=(WIDTH, 1.5 * HEIGHT), sharex=True)
    readings = sensed[sensed["metric"] == "reading"]
    for axis, pool in zip(axes, ("prompt", "token"), strict=True):
        in_pool = readings[readings["pool"] == pool]
        true = in_pool[in_pool["sensor"] == TRUE]
        axis.step(true["t_s"], true["value"] / 1000, color=PALE, lw=0.8, where="pre", label="true, every 2 s")
        for sensor, (colour, marker, label) in SENSOR_STYLES.items():
            rows = in_pool[in_pool["sensor"] == sensor]
            if sensor != TRUE and len(rows):
                few = len(rows) < 60
                axis.plot(rows["t_s"], rows["value"] / 1000, color=colour, lw=0.9, marker=marker if few else "",
                          ls="--" if sensor == "rapl" else "-",
                          ms=3.5, label=label)  # fmt: skip
        axis.set_title(f"{pool} machine")
        axis.set_ylabel("power (kW)")
        settled = in_pool[in_pool["t_s"] > SETTLED_S]["value"] / 1000
        margin = 0.1 * (settled.max() - settled.min()) + 0.01
        axis.set_ylim(settled.min() - margin, settled.max() + margin)
    axes[1].set_xlabel("time at which a reading is to be had (s)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure
