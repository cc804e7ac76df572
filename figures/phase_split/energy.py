"""Energy per output token and mean power of designs over load, rules corrected, published pools, idle machines
included. The A100's power by phase was measured; the H100's share of its limit by phase, host power and idle power are
assumptions. Means over draws of the requests."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, WIDTH, design_style, plain_log

TITLE = "Modelled energy over load"
SOURCES = ["phase_split/latency"]


def draw(latency: pd.DataFrame) -> Figure:
    corrected = where(latency, version="corrected")
    services = unique(corrected["service"])
    figure, axes = plt.subplots(1, len(services) + 1, figsize=(WIDTH, HEIGHT))
    panels = [(service, "energy_per_token", 1.0, "energy (J/token)") for service in services]
    panels.append((services[0], "mean_power", 1e-3, "mean power (kW)"))
    for axis, (service, metric, factor, label) in zip(axes, panels, strict=True):
        for design, look in design_style(corrected["design"]).items():
            means = where(corrected, service=service, metric=metric, design=design).groupby("load")["value"].mean()
            axis.plot(means.index, means * factor, ms=3.5, **look)
        axis.set(xlabel="load (requests/s)", ylabel=f"{SERVICE_LABELS[service]}, {label}")
        if metric == "energy_per_token":
            plain_log(axis.yaxis)
    axes[-1].set_ylim(bottom=0)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=6, columnspacing=1.0, handletextpad=0.4)
    return figure
