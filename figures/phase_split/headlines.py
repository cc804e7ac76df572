"""The ratios that the published evaluation is known for: what it states (|, with the range that counts as agreement),
what its own simulator gives when pools are searched, and what is left when its mistakes are corrected. Points are means
over draws of the requests, bars 95 % intervals; filled for the conversation service, hollow for coding."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.style import HEADLINES, HEIGHT, SERVICE_LABELS, VERSION_STYLES, WIDTH
from jouleproof.evidence.intervals import mean_interval

TITLE = "Published ratios, and what is left of them"
SOURCES = ["phase_split/headlines"]
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
                    ratio = mean_interval(rows["value"].to_numpy())
                    ends = [[ratio.value - ratio.low], [ratio.high - ratio.value]]
                    axis.errorbar(ratio.value, place + offset, xerr=ends, color=colour, marker=marker,
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
