"""Comparisons that are not in the source: the highest load that meets all nine service levels, rules corrected, every
cluster at the power of 40 H100 machines. Ways of serving: whole prompts before decodes; prompts in chunks with decodes;
phases on searched pools; the same pools, with machines that switch as the load changes. Above: H100, Poisson arrivals
and the real hour with its bursts, both services. Below, conversation: accelerators without a profile, whose times are
the H100's scaled by datasheet (assumed), and weights and cache in MX formats, which reduce the bytes that decoding
reads. Ranges are over draws of the requests; loads are accurate to 2 %."""

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import ACCELERATOR_LABELS, ARRIVAL_LABELS, BARS, HEIGHT, SERVICE_LABELS, WAY_STYLES, WIDTH

TITLE = "Ways of serving, accelerators and formats beyond the source"
SOURCES = ["phase_split/beyond"]
FIRST, UNPACKED = "dgx-h100", "16 bits"


def draw(beyond: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 1.75 * HEIGHT))
    first, *_ = services = unique(beyond["service"])
    for axis, service in zip(axes[0], services, strict=False):
        rows = where(beyond, accelerator=FIRST, stored_as=UNPACKED, service=service)
        _bars(axis, rows, "arrivals", ARRIVAL_LABELS)
        axis.set_title(f"H100, {SERVICE_LABELS[service]}")
    steady = where(beyond, service=first, arrivals="poisson")
    _bars(axes[1][0], where(steady, stored_as=UNPACKED), "accelerator", ACCELERATOR_LABELS)
    axes[1][0].set_title(f"accelerators, {SERVICE_LABELS[first]}")
    _bars(axes[1][1], where(steady, accelerator=FIRST), "stored_as", {})
    axes[1][1].set_title(f"formats on H100, {SERVICE_LABELS[first]}")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper left", ncols=4, columnspacing=1.0)
    for axis in axes.flat:
        axis.get_legend().remove()
    return figure


def _bars(axis: Axes, rows: pd.DataFrame, by: str, labels: dict[str, str]) -> None:
    """Draw means with the lowest and highest value over draws."""
    labelled = {way: label for way, (_, label) in WAY_STYLES.items()}
    palette = {label: colour for colour, label in WAY_STYLES.values()}
    rows = rows.assign(way=pd.Categorical(rows["way"].map(labelled), list(palette)))
    sns.barplot(rows, x=by, y="value", hue="way", palette=palette, errorbar=("pi", 100), ax=axis, **BARS)
    axis.set(xlabel="", ylabel="highest load (requests/s)")
    groups = unique(rows[by])
    axis.set_xticks(range(len(groups)), [labels.get(group, group) for group in groups])
    axis.grid(axis="x", visible=False)
