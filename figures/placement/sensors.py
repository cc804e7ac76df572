"""Ten minutes of one prompt machine and one token machine of the simulated cluster (grey) through every sensor: how
often it reads, over what time, with what resolution and delay, and for which share of the time it measures. Each
sensor's gain is off by a constant share, drawn at random. Axes are scaled to what follows the first half minute."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import PALE
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, SENSOR_STYLES, WIDTH

TITLE = "One power trace through every sensor"
SOURCES = ["placement/sensed"]
TRUE, SETTLED_S = "ideal", 30  # before that, the cluster fills


def draw(sensed: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(2, 1, figsize=(WIDTH, 1.5 * HEIGHT), sharex=True)
    for axis, pool in zip(axes, ("prompt", "token"), strict=True):
        readings = where(sensed, metric="reading", pool=pool)
        readings = readings.assign(value=readings["value"] / 1000)
        true = where(readings, sensor=TRUE)
        axis.step(true["t_s"], true["value"], color=PALE, lw=0.8, where="pre", label="true, every 2 s")
        for sensor, (colour, marker, label) in SENSOR_STYLES.items():
            rows = where(readings, sensor=sensor)
            if sensor != TRUE and len(rows):
                marker, line = marker if len(rows) < 60 else "", "--" if sensor == "rapl" else "-"
                axis.plot(rows["t_s"], rows["value"], color=colour, lw=0.9, marker=marker, ls=line, ms=3.5, label=label)
        settled = readings[readings["t_s"] > SETTLED_S]["value"]
        margin = 0.1 * (settled.max() - settled.min()) + 0.01
        axis.set_ylim(settled.min() - margin, settled.max() + margin)
        axis.set(title=f"{pool} machine", ylabel="power (kW)")
    axes[1].set_xlabel("time at which a reading is available (s)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure
