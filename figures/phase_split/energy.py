"""Energy of designs over load, rules corrected, published pools, all machines counted, idle ones too: per output
token, and mean power. The A100's power by phase was measured; the H100's share of its limit by phase, host and idle
power are assumptions. Means over draws of the requests."""

from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, WIDTH, design_style

TITLE = "Modelled energy over load"
SOURCES = ["phase_split/latency"]


def draw(latency: pd.DataFrame) -> Figure:
    corrected = latency[latency["version"] == "corrected"]
    services = list(dict.fromkeys(corrected["service"]))
    figure, axes = plt.subplots(1, len(services) + 1, figsize=(WIDTH, HEIGHT), squeeze=False)
    panels = [
        (service, "energy_per_token", 1.0, f"{SERVICE_LABELS[service]}, energy (J/token)") for service in services
    ]
    panels.append((services[0], "mean_power", 1e-3, f"{SERVICE_LABELS[services[0]]}, mean power (kW)"))
    for axis, (service, metric, factor, label) in zip(axes[0], panels, strict=True):
        for name, style in design_style(corrected["design"]).items():
            rows = corrected[
                (corrected["service"] == service) & (corrected["metric"] == metric) & (corrected["design"] == name)
            ]
            means = rows.groupby("load")["value"].mean() * factor
            look: Any = style
            axis.plot(means.index, means.to_numpy(), ms=3.5, **look)
        axis.set_xlabel("load (requests/s)")
        axis.set_ylabel(label)
    for axis in axes[0][:-1]:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(ScalarFormatter())
        axis.yaxis.set_minor_formatter(NullFormatter())
    axes[0][-1].set_ylim(bottom=0)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=6, columnspacing=1.0, handletextpad=0.4)
    return figure
