"""Cumulative share of machines' busy time by tokens of an iteration: all of a prompt, one of a decode. Left: a single
H100 machine that serves 2 requests/s; right: clusters with published pools that serve conversation. Solid: rules
corrected; dashed: as published. Bars: the values for this machine in figure 4 of Splitwise (ISCA 2024): at most 20
tokens in 60 to 70 % of the time for conversation, one token in more than 20 % for coding. With few tokens, decoding
leaves arithmetic units idle."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, GREEN, ORANGE, PURPLE
from jouleproof.drawing.select import where
from jouleproof.drawing.style import DESIGN_LABELS, HEIGHT, SERVICE_LABELS, WIDTH

TITLE = "Tokens per iteration"
SOURCES = ["phase_split/active"]
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
LINES = {"corrected": "-", "published": "--"}
ALONE = "one machine"
STATED = {"conv": (20, (0.6, 0.7)), "code": (1, (0.2, 1.0))}  # at most this many tokens have a share within these ends


def draw(active: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 0.95 * HEIGHT), sharey=True)
    alone = active["design"] == ALONE
    for axis, rows, free in zip(axes, (active[alone], active[~alone]), ("lower right", "upper left"), strict=True):
        cases = rows[["design", "service", "load"]].drop_duplicates().itertuples(index=False)
        for colour, (design, service, load) in zip(COLOURS, cases, strict=False):
            label = SERVICE_LABELS[service] if design == ALONE else f"{DESIGN_LABELS[design]}, {load:g} requests/s"
            for version, line in LINES.items():
                curve = where(rows, design=design, service=service, load=load, version=version).sort_values("at_most")
                named = label if version == "corrected" else None
                axis.plot(curve["at_most"], curve["value"], color=colour, ls=line, label=named)
            if design == ALONE and service in STATED:
                at_most, ends = STATED[service]
                axis.plot([at_most] * 2, ends, color=colour, lw=4, alpha=0.4, solid_capstyle="butt")
        axis.set(xscale="log", ylim=(0, 1), xlabel="tokens of an iteration (tokens)")
        axis.legend(fontsize=6.8, loc=free)
    axes[0].set_ylabel("share of busy time (1)")
    return figure
