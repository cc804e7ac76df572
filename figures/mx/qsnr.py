"""Signal to quantisation-noise ratio of every format under several rules for the shared scale, on generated vectors
with a spread of their own: what each rule gains or loses against the reference rule, whose own ratio stands beside each
row. Points are means over the seeds, bars 95 % intervals of the difference on the same vectors, most of them too narrow
to be seen."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.stats import mean_interval
from figures.select import preferred
from figures.style import WIDTH, format_label, ordered_formats

TITLE = "QSNR on generated vectors"
SOURCES = ["mx/qsnr"]
NAMES = {"gaussian": "Gaussian", "laplace": "Laplace", "student_t": "Student-t"}
LOOKS = (("#0072B2", "^"), ("#D55E00", "o"), ("#222222", "D"), ("#009E73", "s"), ("#CC79A7", "v"), ("#7F7F7F", "P"))


def draw(qsnr: pd.DataFrame) -> Figure:
    formats, rules = ordered_formats(qsnr["format"]), list(dict.fromkeys(qsnr["scale"]))
    distributions = list(dict.fromkeys(qsnr["distribution"]))
    reference = preferred(rules, "floor")
    others = [rule for rule in rules if rule != reference]
    figure, axes = plt.subplots(
        1, len(distributions), sharex=True, sharey=True, squeeze=False, figsize=(WIDTH, 1.1 + 0.38 * len(formats))
    )
    for axis, distribution in zip(axes[0], distributions, strict=True):
        table = qsnr[qsnr["distribution"] == distribution].set_index(["format", "scale", "seed"])["value"].sort_index()
        axis.axvline(0, color="#888888", lw=0.9, label=f"{reference}, 0 by definition")
        for place, name in enumerate(formats):
            for number, rule in enumerate(others):
                offset = 0.62 * ((number + 0.5) / len(others) - 0.5)
                _point(
                    axis, table[name, rule] - table[name, reference], place + offset, rule, LOOKS[number % len(LOOKS)]
                )
            _beside(axis, place, f"{table[name, reference].mean():.1f}")
        _beside(axis, -0.75, f"{reference} (dB)")
        axis.set_title(NAMES.get(distribution, distribution))
        axis.set_yticks(range(len(formats)), [format_label(name) for name in formats])
        axis.set_ylim(len(formats) - 0.5, -0.5)
    axes[0][len(distributions) // 2].set_xlabel(f"QSNR over that under {reference} (dB)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    figure.legend(unique.values(), unique.keys(), title="scale rule", loc="outside upper center", ncols=len(unique))
    return figure


def _point(axis: Axes, gains: pd.Series, place: float, rule: str, look: tuple[str, str]) -> None:
    """gains: dB, by seed."""
    found, (colour, marker) = mean_interval(gains.to_numpy()), look
    ends = [[found.value - found.low], [found.high - found.value]]
    axis.errorbar(
        found.value, place, xerr=ends, color=colour, marker=marker, ms=3.8, ls="none", elinewidth=0.9, label=rule
    )


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
