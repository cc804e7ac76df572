"""What the source did not compare: the most load that holds all nine service levels, rules corrected, every cluster at
the power of 40 H100 machines. Whole prompts before decodes; prompts in chunks beside the decodes; phases on searched
pools; the same pools, with machines that change over as the load does. Above: H100, Poisson arrivals and the real
hour with its bursts, both services. Below, conversation: accelerators without a profile, whose times are the H100's
scaled by datasheet (assumed), and weights and cache in MX formats, which save the bytes that decoding reads. A range is
that over draws of the requests; loads are found to 2 %."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.style import ACCELERATOR_LABELS, ARRIVAL_LABELS, HEIGHT, SERVICE_LABELS, WAY_STYLES, WIDTH

TITLE = "Ways of serving, accelerators and formats that the source did not compare"
SOURCES = ["phase_split/beyond"]
FIRST, UNPACKED = "dgx-h100", "16 bits"


def draw(beyond: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 1.75 * HEIGHT))
    of_h100 = (beyond["accelerator"] == FIRST) & (beyond["stored_as"] == UNPACKED)
    services = list(dict.fromkeys(beyond["service"]))
    for axis, service in zip(axes[0], services, strict=False):
        _bars(axis, beyond[of_h100 & (beyond["service"] == service)], "arrivals", ARRIVAL_LABELS)
        axis.set_title(f"H100, {SERVICE_LABELS[service]}")
    rest = beyond[(beyond["service"] == services[0]) & (beyond["arrivals"] == "poisson")]
    _bars(axes[1][0], rest[rest["stored_as"] == UNPACKED], "accelerator", ACCELERATOR_LABELS)
    axes[1][0].set_title(f"accelerators, {SERVICE_LABELS[services[0]]}")
    _bars(axes[1][1], rest[rest["accelerator"] == FIRST], "stored_as", {})
    axes[1][1].set_title(f"formats on H100, {SERVICE_LABELS[services[0]]}")
    for axis in axes.flat:
        axis.set_ylabel("most load (requests/s)")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper left", ncols=4, columnspacing=1.0)
    return figure


def _bars(axis: Axes, rows: pd.DataFrame, by: str, labels: dict[str, str]) -> None:
    groups = list(dict.fromkeys(rows[by]))
    places = np.arange(len(groups))
    for number, (way, (colour, label)) in enumerate(WAY_STYLES.items()):
        loads = rows[rows["way"] == way].groupby(by)["value"].agg(["mean", "min", "max"]).loc[groups]
        ends = [loads["mean"] - loads["min"], loads["max"] - loads["mean"]]
        axis.bar(places + 0.2 * (number - 1.5), loads["mean"], 0.19, yerr=np.array(ends), color=colour, label=label,
                 ecolor="black", error_kw={"elinewidth": 0.9})  # fmt: skip
    axis.set_xticks(places, [labels.get(group, group) for group in groups])
    axis.grid(axis="x", visible=False)
