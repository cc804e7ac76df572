"""Latency of designs over load, rules corrected, published pools: 90th percentiles of the time to the first token, of a
request's mean time between tokens, and of the end-to-end latency, for the conversation service (above) and for coding
(below). Hollow points miss a service level. Means over draws of the requests; a line ends where a run does not
finish."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, WIDTH, design_style, key, plain_log

TITLE = "Latency over load"
SOURCES = ["phase_split/latency"]
PANELS = {"ttft_p90": "first token, P90 (s)", "tbt_p90": "between tokens, P90 (s)", "e2e_p90": "end to end, P90 (s)"}


def draw(latency: pd.DataFrame) -> Figure:
    corrected = where(latency, version="corrected")
    services = unique(corrected["service"])
    size = (WIDTH, 0.75 * HEIGHT * len(services) + 0.4)
    figure, axes = plt.subplots(len(services), len(PANELS), figsize=size, sharex=True, squeeze=False)
    for row, service in zip(axes, services, strict=True):
        for axis, (metric, label) in zip(row, PANELS.items(), strict=True):
            _panel(axis, where(corrected, service=service), metric)
            axis.set_ylabel(f"{SERVICE_LABELS[service]}\n{label}" if metric == "ttft_p90" else label)
    for axis in axes[-1]:
        axis.set_xlabel("load (requests/s)")
    handles = [key(lw=1.2, **look) for look in design_style(corrected["design"]).values()]
    figure.legend(handles=handles, loc="outside upper left", ncols=6, columnspacing=1.0, handletextpad=0.4)
    return figure


def _panel(axis: Axes, rows: pd.DataFrame, metric: str) -> None:
    for design, look in design_style(rows["design"]).items():
        of_design = where(rows, design=design)
        means = where(of_design, metric=metric).groupby("load")["value"].mean()
        meets = where(of_design, metric="meets").groupby("load")["value"].min().reindex(means.index)
        axis.plot(means.index, means, color=look["color"], lw=1)
        for fill, loads in (("full", means[meets == 1]), ("none", means[meets != 1])):
            axis.plot(loads.index, loads, color=look["color"], marker=look["marker"], lw=0, ms=3.5, fillstyle=fill)
    plain_log(axis.yaxis)
