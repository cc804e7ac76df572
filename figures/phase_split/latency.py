"""Designs over load, rules corrected, published pools: the 90th percentile of the time to the first token, of a
request's mean time between tokens, and of the end-to-end latency; above, the conversation service, below, coding.
Hollow points miss a service level. Means over draws of the requests; a line ends where a run does not finish."""

from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, WIDTH, design_style

TITLE = "Latency over load"
SOURCES = ["phase_split/latency"]
PANELS = {"ttft_p90": "first token, P90 (s)", "tbt_p90": "between tokens, P90 (s)", "e2e_p90": "end to end, P90 (s)"}


def draw(latency: pd.DataFrame) -> Figure:
    corrected = latency[latency["version"] == "corrected"]
    services = list(dict.fromkeys(corrected["service"]))
    figure, axes = plt.subplots(
        len(services), len(PANELS), figsize=(WIDTH, 0.75 * HEIGHT * len(services) + 0.4), sharex=True, squeeze=False
    )
    for row, service in zip(axes, services, strict=True):
        for axis, (metric, label) in zip(row, PANELS.items(), strict=True):
            _panel(axis, corrected[corrected["service"] == service], metric)
            axis.set_ylabel(f"{SERVICE_LABELS[service]}\n{label}" if metric == "ttft_p90" else label)
    for axis in axes[-1]:
        axis.set_xlabel("load (requests/s)")
    handles = [Line2D([], [], **_look(style)) for style in design_style(corrected["design"]).values()]
    figure.legend(handles=handles, loc="outside upper left", ncols=6, columnspacing=1.0, handletextpad=0.4)
    return figure


def _look(style: dict[str, str]) -> Any:
    return style


def _panel(axis: Axes, rows: pd.DataFrame, metric: str) -> None:
    for name, style in design_style(rows["design"]).items():
        colour, marker = style["color"], style["marker"]
        of_design = rows[rows["design"] == name]
        means = of_design[of_design["metric"] == metric].groupby("load")["value"].mean()
        held = of_design[of_design["metric"] == "meets"].groupby("load")["value"].min()
        axis.plot(means.index, means.to_numpy(), color=colour, lw=1)
        for filled in (True, False):
            part = means[[(held[load] == 1) == filled for load in means.index]]
            axis.plot(part.index, part.to_numpy(), color=colour, marker=marker, lw=0, ms=3.5,
                      fillstyle="full" if filled else "none")  # fmt: skip
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())
