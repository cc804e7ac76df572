"""Splitwise-HH under a day's varying load, rules corrected, 8 prompt and 12 token machines by default: arrivals, time
to the first token and a request's mean time between tokens, by hour. Arrivals are those of the conversation trace's
hour, repeated under a daily cosine between 30 and 100 % of the peak; this curve is an assumption, with the shape of the
daily load that DynamoLLM (HPCA 2025) reports for such a service, not a recorded day."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, INK, ORANGE, VERMILION
from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "A day of varying load"
SOURCES = ["phase_split/week"]
PERCENTILES = {"p50": (BLUE, "median"), "p90": (ORANGE, "P90"), "p99": (VERMILION, "P99")}


def draw(week: pd.DataFrame) -> Figure:
    figure, (arrivals, ttft, tbt) = plt.subplots(1, 3, figsize=(WIDTH, 0.9 * HEIGHT))
    hours = week.pivot_table(index="hour", columns="metric", values="value")
    arrivals.step(hours.index, hours["arrivals"], where="post", color=INK)
    for axis, measure, factor in ((ttft, "ttft", 1.0), (tbt, "tbt", 1e3)):
        for percentile, (colour, label) in PERCENTILES.items():
            values = factor * hours[f"{measure}_{percentile}"]
            axis.step(hours.index, values, where="post", color=colour, label=label)
    labels = {arrivals: "arrivals (requests/s)", ttft: "first token (s)", tbt: "between tokens (ms)"}
    for axis, label in labels.items():
        axis.set(xlabel="time (h)", ylabel=label, ylim=(0, None))
    figure.legend(*ttft.get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figure
