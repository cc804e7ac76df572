"""QSNR, the signal to quantisation-noise ratio, of every format under several rules for the shared scale, on generated
vectors with a spread of their own: what each rule gains or loses against the floor rule, whose own ratio stands beside
each row. Shapes are rules, colours formats. Points are means over the seeds, bars 95 % intervals of the difference on
the same vectors, most of them too narrow to be seen."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import GREY, INK
from jouleproof.drawing.select import preferred
from jouleproof.drawing.style import WIDTH, format_label, format_style, ordered_formats
from jouleproof.evidence.intervals import mean_interval

TITLE = "QSNR on generated vectors"
SOURCES = ["mx/qsnr"]
NAMES = {"gaussian": "Gaussian", "laplace": "Laplace", "student_t": "Student-t"}
MARKERS = ("h", "*", "d", "p", "8", "X")  # by rule


def draw(qsnr: pd.DataFrame) -> Figure:
    formats, rules = ordered_formats(qsnr["format"]), list(dict.fromkeys(qsnr["scale"]))
    distributions = list(dict.fromkeys(qsnr["distribution"]))
    reference = preferred(rules, "floor")
    others = [rule for rule in rules if rule != reference]
    styles, markers = format_style(formats), dict(zip(others, MARKERS * len(others), strict=False))
    figure, axes = plt.subplots(
        1, len(distributions), sharex=True, sharey=True, squeeze=False, figsize=(WIDTH, 1.1 + 0.44 * len(formats))
    )
    for axis, distribution in zip(axes[0], distributions, strict=True):
        table = qsnr[qsnr["distribution"] == distribution].set_index(["format", "scale", "seed"])["value"].sort_index()
        axis.axvline(0, color=GREY, lw=0.9)
        for place, name in enumerate(formats):
            for number, (rule, marker) in enumerate(markers.items()):
                offset = 0.75 * ((number + 0.5) / len(others) - 0.5)
                gains = table[name, rule] - table[name, reference]
                _point(axis, gains, place + offset, styles[name]["color"], marker)
            _beside(axis, place, f"{table[name, reference].mean():.1f}")
        _beside(axis, -0.75, f"{reference} (dB)")
        axis.set_title(NAMES.get(distribution, distribution))
        axis.set_yticks(range(len(formats)), [format_label(name) for name in formats])
        axis.set_ylim(len(formats) - 0.5, -0.5)
    axes[0][len(distributions) // 2].set_xlabel(f"QSNR over that under {reference} (dB)")
    handles = [Line2D([], [], color=GREY, lw=0.9, label=f"{reference}, 0 by definition")]
    handles += [Line2D([], [], color=INK, marker=marker, ms=6, lw=0, label=rule) for rule, marker in markers.items()]
    figure.legend(handles=handles, title="scale rule", loc="outside upper center", ncols=len(handles))
    return figure


def _point(axis: Axes, gains: pd.Series, place: float, colour: str, marker: str) -> None:
    """gains: dB, by seed."""
    mean = mean_interval(gains.to_numpy())
    ends = [[mean.value - mean.low], [mean.high - mean.value]]
    axis.errorbar(mean.value, place, xerr=ends, color=colour, marker=marker, ms=5, ls="none", elinewidth=0.9)


def _beside(axis: Axes, place: float, text: str) -> None:
    axis.annotate(
        text,
        (1.03, place),
        xycoords=("axes fraction", "data"),
        va="center",
        ha="left" if place >= 0 else "center",
        fontsize=6.5,
        annotation_clip=False,
    )
