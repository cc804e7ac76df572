"""The generated fleet beside what was recorded. Left: power of servers over the highest, by share of the time (Acme:
GPU servers of a cluster for language models). Right: how far a machine's profile by hour of the day is like that of the
next week, median and quartiles over machines (Bitbrains: CPU use of virtual machines)."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.style import HEIGHT, WIDTH

TITLE = "Generated and recorded"
SOURCES = ["placement/reality"]
COLOURS = {"Acme servers": "#000000", "Bitbrains": "#000000"}
OTHERS = ("#0072B2", "#56B4E9", "#E69F00", "#009E73")


def draw(reality: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT))
    names = list(dict.fromkeys(reality["data"]))
    generated = [name for name in names if name not in COLOURS]
    colours = {**COLOURS, **dict(zip(generated, OTHERS, strict=False))}
    for name in names:
        own = reality[(reality["data"] == name) & (reality["metric"] == "power_quantile")].sort_values("percent")
        if len(own):
            left.plot(own["percent"], own["value"], color=colours.get(name, "#8C564B"), label=name)
    left.set_xlabel("share of the server-time (%)")
    left.set_ylabel("power over the highest (1)")
    left.legend(loc="upper left", fontsize=6.8)
    shown = [name for name in names if name != "Acme servers"]
    for place, name in enumerate(shown):
        own = reality[(reality["data"] == name) & (reality["metric"] == "repeats")].sort_values("percent")["value"]
        low, middle, high = own
        right.errorbar(place, middle, [[middle - low], [high - middle]], color=colours.get(name, "#8C564B"), marker="o",
                       capsize=3)  # fmt: skip
    right.set_xticks(range(len(shown)), [name.replace(", ", ",\n") for name in shown], fontsize=7)
    right.set_xlim(-0.5, len(shown) - 0.5)
    right.axhline(0, color="#888888", lw=0.7)
    right.set_ylabel("correlation with the next week (1)")
    return figure
