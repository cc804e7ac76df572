"""Error of a workload's profile learned through a sensor (95th percentile by hour of the day) against the week after,
by days observed. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BROWN
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, SENSOR_STYLES, WIDTH, plain_ticks

TITLE = "Days to learn a profile"
SOURCES = ["placement/profile_error"]


def draw(profile_error: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, HEIGHT))
    names = unique(profile_error["sensor"])
    for place, sensor in enumerate(names):
        line = 100 * over_seeds(where(profile_error, sensor=sensor), ["days"])
        colour, _, label = SENSOR_STYLES.get(sensor, (BROWN, "", sensor))
        days = line.index * (1 + 0.012 * (place - len(names) / 2))
        look = {"color": colour, "marker": "osD^vPX"[place % 7], "label": label}
        points(axis, days, line, ls="-", ms=4, lw=1, capsize=2, **look)
    axis.set(xscale="log", xlabel="time observed (days)", ylabel="error of the profile (% of nameplate)")
    plain_ticks(axis.xaxis, profile_error["days"])
    axis.set_ylim(bottom=0)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure
