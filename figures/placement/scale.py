"""How long placing all instances and replaying them takes on one core, by how many there are: placement into rows of 40
servers with profiles of 24 and of 168 slots, a week at five minutes, and two hours at two seconds under a controller.
Medians of the repeats."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, GREEN, ORANGE, VERMILION
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "Time against instances"
SOURCES = ["placement/scale"]
STYLES = ((BLUE, "D"), (GREEN, "h"), (ORANGE, "o"), (VERMILION, "^"))


def draw(scale: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, HEIGHT))
    medians = scale[scale["metric"] == "time"].groupby(["what", "instances"], sort=False)["value"].median()
    for (what, line), (colour, marker) in zip(medians.groupby(level="what", sort=False), STYLES, strict=False):
        axis.plot(line.index.get_level_values("instances"), line, color=colour, marker=marker, label=what)
    axis.set_xscale("log")
    axis.set_yscale("log")
    sizes = sorted(set(scale["instances"]))
    axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axis.tick_params(axis="x", which="minor", bottom=False)
    axis.set_xlabel("size (instances)")
    axis.set_ylabel("time (s)")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
