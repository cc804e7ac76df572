"""What a release of telemetry is worth to a placement policy (work hosted at one risk, over that of the best release)
and to an attacker: the largest gain over guessing, on class, model, length of prompts or who a workload is, of tenants
that the attacker has never seen. Right of the dotted line a release keeps 98 % of the value; pale: what the ledger
accepts as confidential. Means over seeds with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.intervals import bars, over_seeds
from figures.style import HEIGHT, WIDTH, accepted

TITLE = "Leak against value"
SOURCES = ["placement/leakage"]
LABELS = {
    "nothing": "nothing", "sums": "sums of all", "mean": "mean", "p99": "99th percentile",
    "windows6": "6 windows a day", "slots24": "24 hours", "coarse24": "24 hours, to 1 kW", "slots168": "168 hours",
    "histogram": "histogram", "raw": "every reading", "private1_e8": "mean, ε 8", "private1_e1": "mean, ε 1",
    "private1_e05": "mean, ε 0.5", "private6_e8": "6 windows, ε 8", "private24_e8": "24 hours, ε 8",
}  # fmt: skip
KEPT = 0.98


def draw(leakage: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.35 * HEIGHT))
    value, most = (over_seeds(leakage[leakage["metric"] == metric], ["release"]) for metric in ("value", "most"))
    names = list(value.index)
    for number, name in enumerate(names):
        across, up = value.loc[[name]], most.loc[[name]]
        axis.errorbar(across["value"], up["value"], bars(up), bars(across), capsize=2, marker="osD^vPXh"[number % 8],
                      color=f"C{number % 10}", label=LABELS.get(name, name), ls="")  # fmt: skip
    axis.axvline(KEPT, color="#888888", lw=0.8, ls=":")
    axis.set_ylim(bottom=-0.04)
    accepted(axis, "placement.confidential", axis.get_xlim(), "y")
    axis.set_xlabel("value: work hosted over that of the best release (1)")
    axis.set_ylabel("best attacker's gain over guessing (share)")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=5)
    return figure
