"""Servers added to one row of inference servers, by the share of the budget that was left above the row's peak. Top:
power brakes a day. Bottom: 99th percentile of the latency factor of low (hollow) and high priority, where the clock
does not slow decoding. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, SILVER, VERMILION
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "Servers added to a row"
SOURCES = ["placement/oversubscription"]
STYLES = {
    "none": (SILVER, "s", "no controller but the brake"),
    "polca": (BLUE, "D", "POLCA"),
    "three_band": (VERMILION, "^", "three bands"),
}
LAW = "by_phase"
PANELS = {"brakes_per_day": (0, "full"), "low_p99": (1, "none"), "high_p99": (1, "full")}  # row, fill of the marks


def draw(oversubscription: pd.DataFrame) -> Figure:
    rows = where(oversubscription, latency=LAW, metric=PANELS)
    headrooms = sorted(set(rows["headroom"]), reverse=True)
    size = (WIDTH, 1.5 * HEIGHT)
    figure, axes = plt.subplots(2, len(headrooms), figsize=size, sharex=True, sharey="row", squeeze=False)
    for (top, bottom), headroom in zip(axes.T, headrooms, strict=True):
        at_headroom = where(rows, headroom=headroom)
        means = over_seeds(at_headroom, ["metric", "controller", "added"]).sort_index()
        for number, controller in enumerate(unique(at_headroom["controller"])):
            colour, marker, label = STYLES.get(controller, (f"C{number + 4}", "o", controller))
            for metric, (row, fill) in PANELS.items():
                line = means.loc[metric, controller]
                look = {"color": colour, "marker": marker, "fillstyle": fill, "label": label}
                points((top, bottom)[row], 100 * line.index, line, ls="-", capsize=2, lw=1, **look)
        top.set_title(f"headroom {headroom:.0%}")
        bottom.set_xlabel("servers added (%)")
    axes[0, 0].set_yscale("symlog", linthresh=1)
    axes[0, 0].set_ylabel("brakes (1/day)")
    axes[1, 0].set_ylabel("latency factor, P99 (x)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
