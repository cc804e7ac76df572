"""How each published ratio moves when one mistake alone is corrected, for the conversation service: the ratio over what
the published rules give, pools searched anew each time. First, the pools that were published, not searched, where there
were any. The grouped cache is switched on for Llama2-70B, whose keys and values it is that are shared; that column is
over the published rules for that model. The source uses a price ratio of H100 to A100
machines of 2.154. The last columns have all corrections, and all of them under arrivals with bursts. Below 1 a ratio of
throughput shrinks; a ratio of power or cost grows above 1."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from jouleproof.drawing.style import HEADLINES, HEIGHT, WIDTH

TITLE = "What each correction does to the published ratios"
SOURCES = ["phase_split/headlines", "phase_split/corrections"]
UNGROUPED, GROUPED = "Llama2-70B", "Llama2-70B, grouped queries"


def draw(headlines: pd.DataFrame, corrections: pd.DataFrame) -> Figure:
    service = corrections["service"].iloc[0]
    ratios = headlines[(headlines["service"] == service) & (headlines["metric"] == "ratio")]
    shared = ratios[ratios["seed"].isin(corrections["seed"].unique())]
    published = shared[shared["setup"] == "published"].groupby("headline")["value"].mean()
    corrected = shared[shared["setup"] == "corrected"].groupby("headline")["value"].mean()
    rows = corrections[corrections["metric"] == "ratio"]
    alone = rows.groupby(["headline", "setup"], sort=False)["value"].mean().unstack("setup")
    alone = alone[list(dict.fromkeys(rows["setup"]))]
    alone.insert(len(alone.columns) - 1, "all corrections", corrected)
    grouped = alone[GROUPED] / alone[UNGROUPED]
    table = alone.div(published, axis=0).assign(**{GROUPED: grouped}).drop(columns=UNGROUPED).loc[list(HEADLINES)]
    figure, axis = plt.subplots(figsize=(WIDTH, 1.35 * HEIGHT))
    values = table.to_numpy()
    image = axis.imshow(values, cmap="PuOr", norm=TwoSlopeNorm(1, 0.4, 1.6), aspect="auto")
    for place, value in np.ndenumerate(values):
        axis.text(place[1], place[0], "–" if np.isnan(value) else f"{value:.2f}", ha="center", va="center",
                  fontsize=7, color="white" if abs(value - 1) > 0.45 else "black")  # fmt: skip
    axis.grid(False)
    axis.set_xticks(range(len(table.columns)), [name.replace(", ", ",\n") for name in table.columns], rotation=40,
                    ha="right")  # fmt: skip
    axis.set_yticks(range(len(table)), [HEADLINES[name][0] for name in table.index])
    figure.colorbar(image, ax=axis, shrink=0.8, label="ratio over the published rules' (1)")
    return figure
