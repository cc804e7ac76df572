"""Work hosted, over what nameplates allow for, against the share of rows and five-minute slots over their budget, as
the margin on the budgets grows. Margins are set in hindsight, in the scored week. One rule (asynchrony). Means over
seeds; the tick at the left edge stands for risks from zero up to one in a hundred thousand."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.style import HEIGHT, WIDTH, information_style

TITLE = "Work against risk"
SOURCES = ["placement/frontier"]
FLOOR = 1e-5


def draw(frontier: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, HEIGHT))
    means = frontier.groupby(["information", "over_margin", "metric"])["value"].mean().unstack("metric")
    for name, look in information_style(frontier["information"]).items():
        line = means.loc[name]
        axis.plot(np.maximum(line["risk"], FLOOR), line["work"], **look)
    axis.set_xscale("log")
    decades = [10.0**power for power in range(-4, 1) if 10.0**power < axis.get_xlim()[1]]
    axis.set_xticks([FLOOR, *decades], ["0", *(f"$10^{{{np.log10(risk):.0f}}}$" for risk in decades)])
    axis.set_xlabel("risk: share of rows and slots over their budget (1)")
    axis.set_ylabel("work hosted over nameplates' (x)")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=5)
    return figure
