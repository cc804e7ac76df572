"""Work hosted at equal target risk over what nameplates allow for, by the rule that chooses the place (columns) and by
its information (rows), where workloads arrive in random order and where those of a tenant arrive together. Means over
seeds."""

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.select import preferred, unique, where
from jouleproof.drawing.style import HEIGHT, INFORMATION_STYLES, RULE_LABELS, WIDTH

TITLE = "Rule and information"
SOURCES = ["placement/hosting"]
SIZE_OF_CLAIMS = 10


def draw(hosting: pd.DataFrame) -> Figure:
    rows = hosting[(hosting["metric"] == "work") & ~hosting["information"].isin(["plain", "oracle"])]
    rows = where(rows, row=preferred(sorted(set(rows["row"])), SIZE_OF_CLAIMS))
    means = rows.groupby(["arrivals", "information", "rule"])["value"].mean()
    shades = {"cmap": "YlGnBu", "vmin": means.min() - 0.1, "vmax": means.max() + 0.15, "cbar": False}
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), sharey=True)
    for axis, arrivals in zip(axes, ("independent", "grouped"), strict=True):
        table = means[arrivals].unstack("rule").reindex(index=unique(rows["information"]), columns=unique(rows["rule"]))
        sns.heatmap(table, annot=True, fmt=".2f", annot_kws={"fontsize": 7}, ax=axis, **shades)
        columns = [RULE_LABELS.get(rule, rule).replace(" ", "\n") for rule in table.columns]
        axis.set_xticks(axis.get_xticks(), columns, fontsize=7)
        names = [INFORMATION_STYLES.get(name, ("", "", name))[2] for name in table.index]
        axis.set_yticks(axis.get_yticks(), names, rotation=0)
        axis.set(title=f"{arrivals} arrivals", xlabel="", ylabel="")
    figure.supylabel("information on the power", fontsize=8)
    figure.suptitle("work hosted over that of nameplates (x)", fontsize=9)
    return figure
