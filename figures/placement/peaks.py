"""Highest mean of a window of time over the highest sample of 2 s in a week, by how many servers' nameplates a budget
allows for; more stand behind it. Dashed: one chip, one server, and the hall. Averages hide peaks, and the fewer servers
there are the more. A chip's power is an assumed share of its server's. Means over seeds with 95 % intervals; pale: what
the ledger accepts at five minutes."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.means import bars, over_seeds
from jouleproof.drawing.palette import GREEN, ORANGE, PURPLE
from jouleproof.drawing.style import HEIGHT, ROW_STYLES, WIDTH, accepted

TITLE = "The peaks that averages hide"
SOURCES = ["placement/precision"]
LEVEL_STYLES = {"chip": (PURPLE, "P", "one chip"), "server": (ORANGE, "v", "one server"),
                "hall": (GREEN, "o", "the hall")}  # fmt: skip


def draw(precision: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.2 * HEIGHT))
    seen = precision[precision["metric"] == "peak_seen"]
    stand = precision[precision["metric"] == "servers"].groupby("row")["value"].mean()
    means = over_seeds(seen, ["row", "window_s"])
    for number, row in enumerate(dict.fromkeys(seen["row"])):
        line = means.loc[row]
        colour, marker = ROW_STYLES[number % len(ROW_STYLES)]
        windows = line.index
        axis.errorbar(windows, line["value"], bars(line), color=colour, marker=marker, capsize=2,
                      label=f"budget for {row}: {stand[row]:.0f} servers stand")  # fmt: skip
    levels = over_seeds(precision[precision["metric"] == "level_seen"], ["level", "window_s"])
    for level, (colour, marker, label) in LEVEL_STYLES.items():
        line = levels.loc[[level]].droplevel("level").sort_index()
        axis.errorbar(
            line.index, line["value"], bars(line), color=colour, marker=marker, ls="--", capsize=2, label=label
        )
    axis.set_xscale("log")
    ticks = sorted(set(seen["window_s"]))
    axis.set_xticks(ticks, [f"{tick} s" if tick < 60 else f"{tick // 60} min" for tick in ticks])
    axis.set_xlabel("window that power is averaged over")
    axis.set_ylabel("peak seen over true peak (1)")
    axis.set_ylim(axis.get_ylim()[0] - 0.02, 1.005)
    accepted(axis, "placement.precision", (240, 375), "y")
    axis.minorticks_off()
    axis.legend(loc="lower left")
    return figure
