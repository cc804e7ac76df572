"""Highest load at which all nine service levels are met, for designs with the published pools, under published and
corrected rules. Bars are means over draws of the requests, lines 95 % intervals."""

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.points import mean_ends
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import BARS, HEIGHT, SERVICE_LABELS, VERSION_STYLES, WIDTH, design_style

TITLE = "The highest load of each design"
SOURCES = ["phase_split/capacity"]


def draw(capacity: pd.DataFrame) -> Figure:
    services = unique(capacity["service"])
    figure, axes = plt.subplots(1, len(services), figsize=(WIDTH, HEIGHT), sharey=True, squeeze=False)
    styles = design_style(capacity["design"])
    palette = {version: colour for version, (colour, _) in VERSION_STYLES.items()}
    for axis, service in zip(axes[0], services, strict=True):
        sns.barplot(
            where(capacity, service=service),
            x="design",
            y="value",
            order=styles,
            hue="version",
            hue_order=palette,
            palette=palette,
            errorbar=mean_ends,
            legend="auto" if axis is axes[0][0] else False,
            ax=axis,
            **BARS,
        )
        axis.set_xticks(range(len(styles)), [look["label"] for look in styles.values()], rotation=35, ha="right")
        axis.set(title=SERVICE_LABELS[service], xlabel="", ylabel="highest load (requests/s)")
        axis.grid(axis="x", visible=False)
    axes[0][0].legend()
    return figure
