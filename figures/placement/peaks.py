"""Highest mean of a time window over the highest sample of 2 s in a week, by the number of servers that a budget allows
for at nameplate power; more servers share it. Dashed: one chip, one server, and the hall. Averages hide peaks, the more
so the fewer servers there are. A chip's power is an assumed share of its server's. Means over seeds with 95 %
intervals; pale: accepted by the ledger at five minutes."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted
from jouleproof.drawing.palette import GREEN, ORANGE, PURPLE
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, ROW_STYLES, WIDTH

TITLE = "The peaks that averages hide"
SOURCES = ["placement/precision"]
LEVEL_STYLES = {
    "chip": (PURPLE, "P", "one chip"),
    "server": (ORANGE, "v", "one server"),
    "hall": (GREEN, "o", "the hall"),
}


def draw(precision: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.2 * HEIGHT))
    seen = where(precision, metric="peak_seen")
    stand = where(precision, metric="servers").groupby("row")["value"].mean()
    for number, row in enumerate(unique(seen["row"])):
        line = over_seeds(where(seen, row=row), ["window_s"])
        colour, marker = ROW_STYLES[number % len(ROW_STYLES)]
        look = {"color": colour, "marker": marker, "label": f"budget for {row}: {stand[row]:.0f} servers"}
        points(axis, line.index, line, ls="-", capsize=2, **look)
    for level, (colour, marker, label) in LEVEL_STYLES.items():
        line = over_seeds(where(precision, metric="level_seen", level=level), ["window_s"]).sort_index()
        points(axis, line.index, line, ls="--", capsize=2, color=colour, marker=marker, label=label)
    ticks = sorted(set(seen["window_s"]))
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{tick} s" if tick < 60 else f"{tick // 60} min" for tick in ticks])
    axis.set(xlabel="averaging window", ylabel="peak seen over true peak (1)")
    axis.set_ylim(axis.get_ylim()[0] - 0.02, 1.005)
    accepted(axis, "placement.precision", (240, 375), "y")
    axis.minorticks_off()
    axis.legend(loc="lower left")
    return figure
