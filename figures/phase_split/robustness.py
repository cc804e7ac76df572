"""Clusters with pools for the conversation service under other workloads. Left and middle: the highest load that meets
all service levels, over that of Baseline-H100 in the same case: the service for which they were sized, the coding
service, and conversation with Llama2-70B instead of BLOOM-176B. Right: batch jobs without service levels, in requests
per second and unit of price; the lines are the two values in the source. Means over draws of the requests."""

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, GREEN, GREY, ORANGE, PINE
from jouleproof.drawing.select import where
from jouleproof.drawing.style import BARS, DESIGN_LABELS, HEIGHT, VERSION_STYLES, WIDTH

TITLE = "Clusters under other workloads"
SOURCES = ["phase_split/robustness"]
CASES = {"its own service": BLUE, "the other service": ORANGE, "another model": GREEN}
BASE, BATCH = "baseline_h100", "batch jobs"
STATED = (0.89, 0.75)  # requests/s per unit of price, Splitwise (ISCA 2024), section 6.5


def draw(robustness: pd.DataFrame) -> Figure:
    figure, (*loads, batch) = plt.subplots(1, 3, figsize=(WIDTH, 1.15 * HEIGHT))
    means = robustness.groupby(["version", "case", "design"])["value"].mean()
    over_base = (means / means.xs(BASE, level="design")).reset_index()
    served = where(robustness, case=BATCH).assign(value=lambda rows: rows["value"] / rows["price"])
    names = [name for name in DESIGN_LABELS if name in set(robustness["design"])]
    shared = {"x": "design", "y": "value", "order": names, "errorbar": None, **BARS}
    for axis, version in zip(loads, VERSION_STYLES, strict=True):
        rows = where(over_base, version=version)
        sns.barplot(rows, hue="case", hue_order=CASES, palette=CASES, ax=axis, **shared)
        axis.axhline(1, color=GREY, lw=0.7)
        axis.set_title(f"rules {'as ' if version == 'published' else ''}{version}")
        axis.set_ylabel("highest load over Baseline-H100 (1)")
    handles, labels = loads[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3)
    for axis in loads:
        axis.get_legend().remove()
        axis.set_ylim(0, max(axis.get_ylim()[1] for axis in loads))
    colours = {version: colour for version, (colour, _) in VERSION_STYLES.items()}
    sns.barplot(served, hue="version", hue_order=colours, palette=colours, ax=batch, **shared)
    for value in STATED:
        batch.axhline(value, color=PINE, lw=0.9, ls="--")
    batch.set(title="batch jobs", ylabel="served over price (requests/s)", ylim=(0, 1.25))
    batch.legend(loc="upper right", fontsize=6.8)
    for axis in (*loads, batch):
        axis.set_xticks(range(len(names)), [DESIGN_LABELS[name] for name in names], rotation=60, ha="right")
        axis.set_xlabel("")
        axis.grid(axis="x", visible=False)
    return figure
