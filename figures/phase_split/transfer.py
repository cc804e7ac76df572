"""Share that moving caches between machines adds to the mean end-to-end latency of Splitwise-HH, over the rate of a
machine's link: whole after the prompt, or layer by layer while it runs. As published, links are never shared;
corrected, a transfer occupies the links of both machines, so slow links congest. The line is the 0.8 % that the source
measured for layers. Bars are 95 % intervals over draws of the requests."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import published
from jouleproof.drawing.palette import BLUE, PINE, SILVER, VERMILION
from jouleproof.drawing.points import over_seeds, points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, WIDTH

TITLE = "The cost of moving caches"
SOURCES = ["phase_split/transfer"]
WAYS = {
    ("published", "whole"): (SILVER, "o", "whole, links never shared"),
    ("corrected", "whole"): (VERMILION, "s", "whole, never shared, other rules corrected"),
    ("corrected", "layers"): (BLUE, "D", "layer by layer, links shared"),
}


def draw(transfer: pd.DataFrame) -> Figure:
    services = unique(transfer["service"])
    figure, axes = plt.subplots(1, len(services), figsize=(WIDTH, 0.95 * HEIGHT), sharey=True, squeeze=False)
    limited = transfer[transfer["gbit_per_s"] > 0]
    rates = sorted(set(limited["gbit_per_s"]))
    for axis, service in zip(axes[0], services, strict=True):
        for (version, way), (colour, marker, label) in WAYS.items():
            rows = where(limited, service=service, version=version, way=way).sort_values("gbit_per_s")
            means = 100 * over_seeds(rows, ["gbit_per_s"])
            points(axis, means.index, means, ls="-", color=colour, marker=marker, label=label, elinewidth=1)
        axis.axhline(100 * published("phase_split.transfer_overhead"), color=PINE, lw=0.9, ls="--")
        axis.set_xscale("log", base=2)
        axis.set_xticks(rates, [f"{rate:g}" for rate in rates])
        axis.set(yscale="log", title=SERVICE_LABELS[service], xlabel="link of a machine (Gbit/s)")
    axes[0][0].set_ylabel("added to E2E latency (%)")
    axes[0][0].legend(fontsize=6.8)
    return figure
