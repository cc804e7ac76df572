"""What moving caches between machines adds to the mean end-to-end latency of Splitwise-HH, against the rate of a
machine's link: whole after the prompt, or layer by layer while it runs. As published, links are never shared;
corrected, a transfer holds the links of both machines while it runs, so narrow links clog. The line is the 0.8 % that
the source measured for layers. Bars are 95 % intervals over draws of the requests."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, WIDTH
from jouleproof.evidence.intervals import mean_interval

TITLE = "What moving caches costs"
SOURCES = ["phase_split/transfer"]
WAYS = {
    ("published", "whole"): ("#9A9A9A", "o", "whole, links never shared"),
    ("corrected", "whole"): ("#D55E00", "s", "whole, never shared, other rules corrected"),
    ("corrected", "layers"): ("#0072B2", "D", "layer by layer, links shared"),
}
STATED = 0.8  # percent, Splitwise (ISCA 2024), figure 15


def draw(transfer: pd.DataFrame) -> Figure:
    services = list(dict.fromkeys(transfer["service"]))
    figure, axes = plt.subplots(1, len(services), figsize=(WIDTH, 0.95 * HEIGHT), sharey=True, squeeze=False)
    for axis, service in zip(axes[0], services, strict=True):
        rows = transfer[(transfer["service"] == service) & (transfer["gbit_per_s"] > 0)]
        for (version, way), (colour, marker, label) in WAYS.items():
            of_way = rows[(rows["version"] == version) & (rows["way"] == way)]
            means = {rate: mean_interval(100 * mean["value"].to_numpy()) for rate, mean in of_way.groupby("gbit_per_s")}
            values = [mean.value for mean in means.values()]
            ends = [
                [mean.value - mean.low for mean in means.values()],
                [mean.high - mean.value for mean in means.values()],
            ]
            axis.errorbar(list(means), values, yerr=ends, color=colour, marker=marker, label=label, elinewidth=1)
        axis.axhline(STATED, color="#0F6B57", lw=0.9, ls="--")
        axis.set_xscale("log", base=2)
        axis.set_xticks(list(means), [f"{rate:g}" for rate in means])
        axis.set_yscale("log")
        axis.set_title(SERVICE_LABELS[service])
        axis.set_xlabel("link of a machine (Gbit/s)")
    axes[0][0].set_ylabel("added to E2E latency (%)")
    axes[0][0].legend(fontsize=6.8)
    return figure
