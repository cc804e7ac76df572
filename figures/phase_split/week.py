"""Splitwise-HH under a day's ups and downs, rules corrected, 8 prompt and 12 token machines by default: requests, the
time to the first token and a request's mean time between tokens, by hour. Arrivals are those of the conversation
trace's hour, repeated under a daily cosine between 30 and 100 % of the height of the day; that curve is an assumption,
in the shape of the daily load that DynamoLLM (HPCA 2025) reports for such a service, not a recorded day."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.style import HEIGHT, WIDTH

TITLE = "A day of ups and downs"
SOURCES = ["phase_split/week"]
PERCENTILES = {"p50": ("#0072B2", "median"), "p90": ("#E69F00", "P90"), "p99": ("#D55E00", "P99")}


def draw(week: pd.DataFrame) -> Figure:
    figure, (arrivals, ttft, tbt) = plt.subplots(1, 3, figsize=(WIDTH, 0.9 * HEIGHT))
    hours = week.pivot_table(index="hour", columns="metric", values="value")
    arrivals.step(hours.index, hours["arrivals"], where="post", color="#444444")
    arrivals.set_ylabel("arrivals (requests/s)")
    panels = ((ttft, "ttft", 1.0, "first token (s)"), (tbt, "tbt", 1e3, "between tokens (ms)"))
    for axis, measure, factor, label in panels:
        for percentile, (colour, name) in PERCENTILES.items():
            values = factor * hours[f"{measure}_{percentile}"]
            axis.step(hours.index, values, where="post", color=colour, label=name)
        axis.set_ylabel(label)
    for axis in (arrivals, ttft, tbt):
        axis.set_xlabel("time (h)")
        axis.set_ylim(bottom=0)
    figure.legend(*ttft.get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figure
