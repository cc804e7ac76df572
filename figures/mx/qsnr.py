"""QSNR, the signal to quantisation-noise ratio, of every format under several rules for the shared scale, on generated
vectors with a random spread per vector: the gain or loss of each rule against the floor rule, whose QSNR is printed
next to each row. Shapes are rules, colours formats. Points are means over the seeds, bars 95 % intervals of the
difference on the same vectors, most of them too narrow to be visible.
"""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.points import apart, points
from jouleproof.drawing.select import preferred, unique, where
from jouleproof.drawing.style import (
    DISTRIBUTIONS,
    WIDTH,
    Look,
    format_label,
    format_style,
    key,
    name_rows,
    ordered_formats,
)
from jouleproof.evidence.intervals import mean_interval

TITLE = "QSNR on generated vectors"
SOURCES = ["mx/qsnr"]
MARKERS = ("h", "*", "d", "p", "8", "X")  # by rule


def draw(qsnr: pd.DataFrame) -> Figure:
    formats, rules, distributions = (unique(qsnr[column]) for column in ("format", "scale", "distribution"))
    formats, reference = ordered_formats(formats), preferred(rules, "floor")
    others = [rule for rule in rules if rule != reference]
    styles, markers = format_style(formats), dict(zip(others, MARKERS * len(others), strict=False))
    size = (WIDTH, 1.1 + 0.44 * len(formats))
    figure, axes = plt.subplots(1, len(distributions), sharex=True, sharey=True, squeeze=False, figsize=size)
    for axis, distribution in zip(axes[0], distributions, strict=True):
        rows = where(qsnr, distribution=distribution)
        table = rows.set_index(["format", "scale", "seed"])["value"].sort_index()
        axis.axvline(0, color=GREY, lw=0.9)
        for place, name in enumerate(formats):
            for number, (rule, marker) in enumerate(markers.items()):
                gain = mean_interval((table[name, rule] - table[name, reference]).to_numpy())
                look = {"color": styles[name]["color"], "marker": marker}
                points(axis, gain, place + apart(number, len(others), 0.75), ms=5, elinewidth=0.9, **look)
            _beside(axis, place, f"{table[name, reference].mean():.1f}")
        _beside(axis, -0.75, f"{reference} (dB)")
        axis.set_title(DISTRIBUTIONS.get(distribution, distribution))
        name_rows(axis, list(map(format_label, formats)))
    axes[0][len(distributions) // 2].set_xlabel(f"QSNR over that under {reference} (dB)")
    handles = [key(f"{reference}, 0 by definition", color=GREY, lw=0.9)]
    handles += [key(rule, color=INK, marker=marker, ms=6) for rule, marker in markers.items()]
    figure.legend(handles=handles, title="scale rule", loc="outside upper center", ncols=len(handles))
    return figure


def _beside(axis: Axes, place: float, text: str) -> None:
    at: Look = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
    axis.annotate(text, (1.03, place), va="center", ha="left" if place >= 0 else "center", fontsize=6.5, **at)
