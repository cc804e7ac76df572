"""Both phases of SmolLM2-135M on this machine. Left, one thread: what each iteration reaches against its operations
per byte read; the lines are the machine's rates of matrix products and of reading memory, measured in the same rounds.
Right: the same as shares of the ceiling that binds the phase, the prompt of most tokens and the token of one text, on
one thread and on two. Pale: where the ledger accepts the claims. Medians; bars from the lowest to the highest round."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.style import HEIGHT, WIDTH, accepted

TITLE = "Both phases under the roofline"
SOURCES = ["phase_split/roofline"]
PHASES = {
    "prompt": ("#E69F00", "s", "prompt, tokens of one text"),
    "token": ("#009E73", "o", "token, texts of a batch"),
}
BINDS = {"prompt": "over_compute", "token": "over_memory"}
SHARES = {"prompt": "FLOP/s over\nproducts", "token": "bytes/s over\nreading"}
TOP = 1.1  # of the pale band
CLAIMS = {"prompt": "phase_split.prompt_compute_bound", "token": "phase_split.token_memory_bound"}


def draw(roofline: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), width_ratios=(1.7, 1))
    _roof(left, roofline[roofline["threads"] == 1])
    _shares(right, roofline)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def _roof(axis: Axes, rows: pd.DataFrame) -> None:
    ceilings = rows[rows["phase"] == "machine"].groupby("metric")["value"].median()
    intensity = np.geomspace(0.2, 400, 200)
    roof = np.minimum(ceilings["flop_rate"], intensity * ceilings["read_rate"])
    axis.plot(intensity, roof / 1e9, color="#888888", lw=1.3)
    axis.text(300, ceilings["flop_rate"] / 1e9 * 1.06, "matrix products", ha="right", va="bottom", fontsize=7)
    axis.text(0.21, 0.21 * ceilings["read_rate"] / 1e9 * 2.2, "reading memory", fontsize=7, rotation=52)
    for phase, (colour, marker, label) in PHASES.items():
        of_phase = rows[rows["phase"] == phase]
        medians = of_phase.groupby(["size", "metric"])["value"].median().unstack()
        axis.plot(medians["intensity"], medians["flop_rate"] / 1e9, color=colour, marker=marker, label=label)
        for size, row in medians.iterrows():
            axis.annotate(f"{size}", (row["intensity"], row["flop_rate"] / 1e9), xytext=(0, -9),
                          textcoords="offset points", fontsize=6.5, ha="center", color="#333333")  # fmt: skip
    axis.set_xscale("log")
    axis.set_yscale("log")
    bottom, _ = axis.get_ylim()
    axis.set_ylim(0.6 * bottom, 2.2 * ceilings["flop_rate"] / 1e9)  # room for the sizes below the lowest points
    axis.set_xlabel("operations per byte read (FLOP/B)")
    axis.set_ylabel("reached (GFLOP/s)")
    axis.set_title("one thread")


def _shares(axis: Axes, roofline: pd.DataFrame) -> None:
    places: list[float] = []
    highest: list[float] = []
    labels: list[str] = []
    axis.set_ylim(0, TOP)
    for phase, metric in BINDS.items():
        shares = roofline[(roofline["phase"] == phase) & (roofline["metric"] == metric)]
        size = shares["size"].max() if phase == "prompt" else shares["size"].min()
        begun = len(places)
        for threads, rows in shares[shares["size"] == size].groupby("threads"):
            place = len(places) + (0.6 if begun else 0)
            values = rows["value"]
            middle = values.median()
            axis.bar(place, middle, 0.7, color=PHASES[phase][0], hatch="" if threads == 1 else "////",
                     edgecolor="white", lw=0)  # fmt: skip
            axis.errorbar(place, middle, yerr=[[middle - values.min()], [values.max() - middle]], color="#222222", lw=1)
            places.append(place)
            highest.append(values.max())
            labels.append("one\nthread" if threads == 1 else "two\nthreads")
        axis.set_ylim(0, TOP)
        accepted(axis, CLAIMS[phase], (places[begun] - 0.5, places[-1] + 0.5), "y")
        axis.text((places[begun] + places[-1]) / 2, 1.02, f"{phase} {size}\n{SHARES[phase]}", ha="center", va="bottom",
                  fontsize=6.5, transform=axis.get_xaxis_transform())  # fmt: skip
    axis.axhline(1, color="#888888", lw=0.7)
    axis.set_xticks(places, labels)
    axis.set_ylabel("over the ceiling (share)")
    axis.set_ylim(0, max(TOP, *highest) * 1.05)
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
