"""Work hosted at one aim of risk over what nameplates allow for, by the rule that chooses the place (columns) and by
what it is told (rows), where workloads come in no order and where those of a tenant come together. Means over
seeds."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.style import HEIGHT, INFORMATION_STYLES, RULE_LABELS, WIDTH

TITLE = "Rule and information"
SOURCES = ["placement/hosting"]
SIZE_OF_CLAIMS = 10


def draw(hosting: pd.DataFrame) -> Figure:
    rows = hosting[(hosting["metric"] == "work") & ~hosting["information"].isin(["plain", "oracle"])]
    sizes = set(rows["row"])
    rows = rows[rows["row"] == (SIZE_OF_CLAIMS if SIZE_OF_CLAIMS in sizes else min(sizes))]
    information, rules = list(dict.fromkeys(rows["information"])), list(dict.fromkeys(rows["rule"]))
    means = rows.groupby(["arrivals", "information", "rule"])["value"].mean()
    low, high = means.min() - 0.1, means.max() + 0.15
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), sharey=True)
    for axis, arrivals in zip(axes, ("independent", "grouped"), strict=True):
        table = means[arrivals].unstack("rule").reindex(index=information, columns=rules)
        axis.imshow(table, cmap="YlGnBu", vmin=low, vmax=high, aspect="auto")
        for place, name in enumerate(information):
            for column, rule in enumerate(rules):
                value = table.at[name, rule]
                dark = value > low + 0.6 * (high - low)
                axis.text(column, place, f"{value:.2f}", ha="center", va="center", fontsize=7,
                          color="white" if dark else "black")  # fmt: skip
        axis.set_xticks(
            range(len(rules)), [RULE_LABELS.get(rule, rule).replace(" ", "\n") for rule in rules], fontsize=7
        )
        axis.set_yticks(
            range(len(information)), [INFORMATION_STYLES.get(name, ("", "", name))[2] for name in information]
        )
        axis.set_title(f"{arrivals} arrivals")
        axis.grid(visible=False)
    figure.supylabel("told of a workload's power", fontsize=8)
    return figure
