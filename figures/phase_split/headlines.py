"""The ratios that the published evaluation is known for: what it states (|, with the range that counts as agreement),
what its own simulator gives when pools are searched, and what is left when its mistakes are corrected. Points are means
over draws of the requests, bars 95 % intervals; filled for the conversation service, hollow for coding."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, VERSION_STYLES, WIDTH
from jouleproof.evidence.intervals import mean_interval

TITLE = "Published ratios, and what is left of them"
SOURCES = ["phase_split/headlines"]
HEADLINES: Mapping[str, tuple[str, float, float, float]] = {  # label, stated, and the ledger's range
    "same_power_and_cost": ("same power and cost, over A100", 2.35, 2.115, 2.585),
    "aa_over_a100": ("AA over A100", 2.15, 1.935, 2.365),
    "lower_cost": ("at 20 % lower cost, over H100", 1.4, 1.26, 1.54),
    "aa_over_h100_same_cost": ("AA over H100, same cost", 1.4, 1.26, 1.54),
    "ha_over_h100": ("HA over H100", 1.18, 1.062, 1.298),
    "lower_power": ("at 15 % lower power, over H100", 1.76, 1.584, 1.936),
    "hhcap_power": ("power of HHcap, over H100's", 0.75, 0.675, 0.825),
    "aa_cost": ("cost of AA, over H100's", 0.75, 0.675, 0.825),
}
FILLS: Mapping[str, Literal["full", "none"]] = {"conv": "full", "code": "none"}


def draw(headlines: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.25 * HEIGHT))
    ratios = headlines[headlines["metric"] == "ratio"]
    for place, (name, (_, stated, low, high)) in enumerate(HEADLINES.items()):
        axis.fill_betweenx([place - 0.4, place + 0.4], low, high, color="#DDEBE6", lw=0)
        axis.plot(stated, place, "|", ms=16, mew=1.6, color="#0F6B57")
        offset = -0.3
        for service, fill in FILLS.items():
            for version, (colour, marker) in VERSION_STYLES.items():
                rows = ratios[
                    (ratios["headline"] == name) & (ratios["setup"] == version) & (ratios["service"] == service)
                ]
                if not rows.empty:
                    found = mean_interval(rows["value"].to_numpy())
                    ends = [[found.value - found.low], [found.high - found.value]]
                    axis.errorbar(found.value, place + offset, xerr=ends, color=colour, marker=marker,
                                  fillstyle=fill, ms=4.5, elinewidth=1.0)  # fmt: skip
                offset += 0.2
    axis.axvline(1, color="#888888", lw=0.7)
    axis.set_yticks(range(len(HEADLINES)), [label for label, *_ in HEADLINES.values()])
    axis.set_ylim(len(HEADLINES) - 0.4, -0.6)
    axis.set_xlim(left=0)
    axis.set_xlabel("ratio (1)")
    handles = [Line2D([], [], color="#0F6B57", marker="|", ms=11, mew=1.6, lw=0, label="stated")]
    handles += [
        Line2D([], [], color=colour, marker=marker, fillstyle=fill, lw=0, label=f"{version}, {SERVICE_LABELS[service]}")
        for service, fill in FILLS.items()
        for version, (colour, marker) in VERSION_STYLES.items()
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=5, columnspacing=1.0, handletextpad=0.3)
    return figure
