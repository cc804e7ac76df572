"""Processor time of a token on one core of one engine: written, with so many texts side by side, each 256 tokens long
(lines), and read in a prompt (marks at the left edge). Full marks: float32; open marks: bfloat16. The larger model's
weights are drawn at random, which takes the same time. Medians of the rounds; bars reach from the least to the most."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, ScalarFormatter

from figures.style import HEIGHT, WIDTH

TITLE = "What a token costs"
SOURCES = ["slm_energy/cost"]
LOOKS = (("#0072B2", "o"), ("#D55E00", "s"), ("#444444", "^"), ("#009E73", "D"))
PROMPT_AT = 0.6  # left of the smallest batch


def draw(cost: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, HEIGHT))
    times = cost[cost["metric"] == "cpu_ms_per_token"]
    for (colour, marker), (model, of_model) in zip(LOOKS, times.groupby("model", sort=False), strict=False):
        for dtype, rows in of_model.groupby("format", sort=False):
            filled = "full" if dtype == "float32" else "none"
            for phase, line in rows.groupby("phase"):
                found = line.groupby("batch")["value"].agg(["median", "min", "max"])
                across = found.index if phase == "token" else [PROMPT_AT]
                ends = [found["median"] - found["min"], found["max"] - found["median"]]
                axis.errorbar(across, found["median"], ends, color=colour, marker=marker, fillstyle=filled, capsize=2,
                              ls="-" if phase == "token" else "",
                              label=f"{model}, {dtype}" if phase == "token" else None)  # fmt: skip
    axis.set_xscale("log")
    axis.set_yscale("log")
    batches = sorted(times[times["phase"] == "token"]["batch"].unique())
    axis.set_xticks([PROMPT_AT, *batches], ["prompt", *map(str, batches)])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("texts side by side (1)")
    axis.set_ylabel("CPU time of a token (ms)")
    axis.legend(fontsize=6.5)
    return figure
