"""Error of the profile that a sensor has learned of a workload (95th percentile by hour of the day) against the week
after, by days observed. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import BROWN
from jouleproof.drawing.style import HEIGHT, SENSOR_STYLES, WIDTH

TITLE = "What a profile takes to learn"
SOURCES = ["placement/profile_error"]


def draw(profile_error: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, HEIGHT))
    means = over_seeds(profile_error, ["sensor", "days"]) * 100
    names = list(dict.fromkeys(profile_error["sensor"]))
    for place, sensor in enumerate(names):
        line = means.loc[sensor]
        colour, _, label = SENSOR_STYLES.get(sensor, (BROWN, "", sensor))
        days = line.index.to_numpy() * (1 + 0.012 * (place - len(names) / 2))
        axis.errorbar(days, line["value"], bars(line), color=colour, marker="osD^vPX"[place % 7], ms=4, lw=1, capsize=2,
                      label=label)  # fmt: skip
    ticks = sorted(set(profile_error["days"]))
    axis.set_xscale("log")
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_ylim(bottom=0)
    axis.set_xlabel("time observed (days)")
    axis.set_ylabel("error of the profile (% of nameplate)")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure
