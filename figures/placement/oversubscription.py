"""Servers added to one row of inference servers, whose peak left so much of the budget before. Top: power brakes a day.
Bottom: the 99th percentile of the latency factor of low (hollow) and high priority, where decoding does not mind the
clock. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import BLUE, SILVER, VERMILION
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "Servers added to a row"
SOURCES = ["placement/oversubscription"]
STYLES = {"none": (SILVER, "s", "no controller but the brake"), "polca": (BLUE, "D", "POLCA"),
          "three_band": (VERMILION, "^", "three bands")}  # fmt: skip
LAW = "by_phase"


def draw(oversubscription: pd.DataFrame) -> Figure:
    shown = ("brakes_per_day", "low_p99", "high_p99")
    rows = oversubscription[(oversubscription["latency"] == LAW) & oversubscription["metric"].isin(shown)]
    headrooms = sorted(set(rows["headroom"]), reverse=True)
    figure, axes = plt.subplots(
        2, len(headrooms), figsize=(WIDTH, 1.5 * HEIGHT), sharex=True, sharey="row", squeeze=False
    )
    for column, headroom in enumerate(headrooms):
        at_headroom = rows[rows["headroom"] == headroom]
        means = over_seeds(at_headroom, ["metric", "controller", "added"]).sort_index()
        for number, controller in enumerate(dict.fromkeys(at_headroom["controller"])):
            colour, marker, label = STYLES.get(controller, (f"C{number + 4}", "o", controller))
            brakes = means.loc["brakes_per_day", controller]
            axes[0, column].errorbar(100 * brakes.index, brakes["value"], bars(brakes), color=colour, marker=marker,
                                     capsize=2, lw=1, label=label)  # fmt: skip
            for metric, fill in (("low_p99", "none"), ("high_p99", "full")):
                line = means.loc[metric, controller]
                axes[1, column].errorbar(100 * line.index, line["value"], bars(line), color=colour, marker=marker,
                                         fillstyle=fill, capsize=2, lw=1)  # fmt: skip
        axes[0, column].set_title(f"headroom {headroom:.0%}")
        axes[1, column].set_xlabel("servers added (%)")
    axes[0, 0].set_yscale("symlog", linthresh=1)
    axes[0, 0].set_ylabel("brakes (1/day)")
    axes[1, 0].set_ylabel("latency factor, P99 (x)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
