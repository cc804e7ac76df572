"""Time that placing and replaying all instances takes on one core, by number of instances: placement into rows of 40
servers with profiles of 24 and of 168 slots, replay of a week at five minutes, and of two hours at two seconds under a
controller. Medians of the repeats."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, GREEN, ORANGE, VERMILION
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, plain_ticks

TITLE = "Time against instances"
SOURCES = ["placement/scale"]
STYLES = ((BLUE, "D"), (GREEN, "h"), (ORANGE, "o"), (VERMILION, "^"))


def draw(scale: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, HEIGHT))
    times = where(scale, metric="time").groupby("what", sort=False)
    for (what, rows), (colour, marker) in zip(times, STYLES, strict=False):
        medians = rows.groupby("instances")["value"].median()
        axis.plot(medians.index, medians, color=colour, marker=marker, label=what)
    axis.set(xscale="log", yscale="log", xlabel="size (instances)", ylabel="time (s)")
    plain_ticks(axis.xaxis, scale["instances"])
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
