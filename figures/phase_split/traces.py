"""Requests of the two services of the Azure traces. Left: cumulative share of requests by prompt tokens (solid) and
output tokens (dashed). Middle: requests of the conversation service by tenths of prompt and output length, over those
expected if the two were independent; white is 1. Right: arrivals by minute."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, VERMILION
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, SERVICE_LABELS, WIDTH

TITLE = "Requests of two services"
SOURCES = ["phase_split/traces"]
COLOURS = {"conv": BLUE, "code": VERMILION}


def draw(traces: pd.DataFrame) -> Figure:
    figure, (lengths, dependence, arrivals) = plt.subplots(1, 3, figsize=(WIDTH, 0.9 * HEIGHT))
    for service, colour in COLOURS.items():
        for metric, line in (("prompt_tokens", "-"), ("output_tokens", "--")):
            curve = where(traces, service=service, metric=metric).sort_values("at")
            lengths.plot(curve["value"], curve["at"] / 100, color=colour, ls=line)
        curve = where(traces, service=service, metric="arrivals").sort_values("at")
        arrivals.step(curve["at"], curve["value"], where="post", color=colour, label=SERVICE_LABELS[service], lw=1)
    lengths.set(xscale="log", xlabel="length (tokens)", ylabel="share of requests (1)")
    arrivals.set(xlabel="time (min)", ylabel="arrivals (requests/s)", ylim=(0, None))
    figure.legend(*arrivals.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    _dependence(dependence, where(traces, service="conv", metric="dependence"))
    return figure


def _dependence(axis: Axes, rows: pd.DataFrame) -> None:
    table = rows.pivot(index="other", columns="at", values="value").to_numpy()
    norm = TwoSlopeNorm(1, 0, max(2.0, float(np.ceil(np.max(table)))))
    axis.grid(False)
    image = axis.imshow(table, origin="lower", cmap="PuOr_r", norm=norm, extent=(0, 100, 0, 100))
    axis.figure.colorbar(image, ax=axis, shrink=0.7, label="over independence (1)", ticks=[0, 1, norm.vmax])
    axis.set(xlabel="prompts, shortest first (%)", ylabel="outputs, shortest first (%)")
