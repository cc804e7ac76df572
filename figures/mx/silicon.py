"""What narrow formats gain in silicon. Left: QSNR (signal to quantisation-noise ratio) on Gaussian vectors, measured,
against the cost of a dot-product unit relative to bfloat16's, modelled: the geometric mean of its area and energy,
gates alone, with the 95 % range over the model's constants. The line joins the formats that no other beats in both;
hollow squares are not OCP MX. Right: dense peak rates of accelerators over their own rate for 16-bit floats, as their
makers published them; nothing of it was run. The pale bands are the ranges that the ledger accepts: left for MXFP6,
right for 4-bit floats on chips that scale blocks."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import GREY, INK, PALE
from jouleproof.drawing.style import (
    ACCEPTED,
    ACCEPTED_COLOUR,
    HEIGHT,
    NOT_OCP_MX,
    OTHER_FORMAT_LABELS,
    TIER_MARKS,
    WIDTH,
    accepted,
    accepted_handle,
    format_label,
    format_style,
)
from jouleproof.evidence.intervals import draws_interval

TITLE = "What silicon gains"
SOURCES = ["mx/silicon", "mx/peak_rates"]
RATES = {"bf16": "16-bit"}
CLAIM = "mx.silicon.area"  # of BF16's cost over a format's, the other way round than the axis
CLAIMED = ("mxfp6_e2m3", "mxfp6_e3m2")
Box = tuple[float, float, float, float]


def draw(silicon: pd.DataFrame, peak_rates: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.5 * HEIGHT), width_ratios=[1.35, 1])
    _units(left, _points(silicon))
    _rates(right, peak_rates)
    handles: list[Artist] = [
        Line2D([], [], lw=0, ms=5.5, label="not OCP MX", **NOT_OCP_MX),
        Line2D([], [], color=GREY, lw=0.9, label="no format beats these in both"),
        accepted_handle(),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure


class Point(NamedTuple):
    """A format: median of its cost with the ends of its range, and mean QSNR in dB."""

    name: str
    low: float
    cost: float
    high: float
    qsnr: float


def _points(table: pd.DataFrame) -> list[Point]:
    """From the cheapest; formats without a QSNR (float32, which is not rounded) have no place."""
    costs = table[table["metric"] == "relative_area_energy"].groupby("format")["value"]
    signal = table[table["metric"] == "qsnr"].groupby("format")["value"].mean()
    points = []
    for name, qsnr in signal.items():
        cost = draws_interval(costs.get_group(name).to_numpy())
        points.append(Point(str(name), cost.low, cost.value, cost.high, float(qsnr)))
    return sorted(points, key=lambda point: (point.cost, -point.qsnr))


def _units(axis: Axes, points: list[Point]) -> None:
    looks: dict[str, Any] = {
        **format_style(point.name for point in points if point.name not in OTHER_FORMAT_LABELS),
        **{name: {**NOT_OCP_MX, "ms": 5.5} for name in OTHER_FORMAT_LABELS},
    }
    front: list[Point] = []
    for point in points:
        look, ends = looks[point.name], [[point.cost - point.low], [point.high - point.cost]]
        axis.errorbar(point.cost, point.qsnr, xerr=ends, elinewidth=0.9, zorder=3, **look)
        if not front or point.qsnr > front[-1].qsnr:
            front.append(point)
    axis.plot([point.cost for point in front], [point.qsnr for point in front], color=GREY, lw=0.9, zorder=1)
    axis.set_xscale("log", base=2)
    axis.set_xlim(0.11, 2.1)
    ticks = [0.125, 0.25, 0.5, 1, 2]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xlabel("area and energy of a unit over BF16's (1)")
    axis.set_ylabel("QSNR (dB)")
    axis.set_ylim(min(point.qsnr for point in points) - 5, max(point.qsnr for point in points) + 6)
    axis.set_title(f"QSNR {TIER_MARKS['measured']} against modelled cost {TIER_MARKS['simulated']}")
    least_saved, _ = ACCEPTED[CLAIM]
    for point in points:
        if point.name in CLAIMED and least_saved:
            band = [point.qsnr - 1.6, point.qsnr + 1.6]
            axis.fill_betweenx(band, axis.get_xlim()[0], 1 / least_saved, color=ACCEPTED_COLOUR, lw=0, zorder=0)
    _label(axis, points)


def _label(axis: Axes, points: list[Point]) -> None:
    """Names beside their points, each at the first place where it covers neither another name nor a point."""
    size, width, height = 6.5, 212.0, 242.0  # points; about what the layout leaves to the panel
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()

    def across(cost: float) -> float:
        return width * math.log(cost / left) / math.log(right / left)

    def up(qsnr: float) -> float:
        return height * (qsnr - bottom) / (top - bottom)

    taken = [(across(point.low), up(point.qsnr) - 3, across(point.high), up(point.qsnr) + 3) for point in points]
    for point in sorted(points, key=lambda point: -point.qsnr):
        text = OTHER_FORMAT_LABELS.get(point.name, format_label(point.name))
        wide, x, y = 0.62 * size * len(text), across(point.cost), up(point.qsnr)
        beside, around = (across(point.high) + 6, across(point.low) - 6 - wide), (-7, 8, -13, 14, -19, 20)
        places = [(at, 0) for at in beside] + [(at, step) for step in around for at in (x - wide / 2, *beside)]
        boxes = [(at, y + step - size / 2, at + wide, y + step + size / 2) for at, step in places]
        free = [box for box in boxes if box[0] > 0 and box[2] < width and not _covers(box, taken)]
        box = (free or boxes)[0]
        taken.append(box)
        axis.annotate(
            text,
            (point.cost, point.qsnr),
            xytext=(box[0] - x, box[1] + size / 2 - y),
            textcoords="offset points",
            fontsize=size,
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.3},
            zorder=2,
        )


def _covers(box: Box, others: Sequence[Box]) -> bool:
    return any(box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in others)


def _rates(axis: Axes, table: pd.DataFrame) -> None:
    rates = table[table["metric"] == "over_16_bit"]
    chips = list(dict.fromkeys(rates["accelerator"]))
    for place, chip in enumerate(chips):
        rows = rates[rates["accelerator"] == chip]
        axis.plot([rows["value"].min(), rows["value"].max()], [place, place], color=PALE, lw=0.9, zorder=1)
        for value, same in rows.groupby(rows["value"].round(2)):
            names = [RATES.get(name, name.upper()) for name in same["format"]]
            axis.plot(value, place, marker="o", color=INK, mfc="white", ls="none")
            axis.annotate(
                "\n".join(names) if len(names) < 3 else ", ".join(names[:2]) + "\n" + ", ".join(names[2:]),
                (value, place),
                xytext=(0, 5),
                textcoords="offset points",
                fontsize=6,
                ha="center",
                va="bottom",
                linespacing=0.95,
            )
    axis.set_yticks(range(len(chips)), chips)
    axis.set_ylim(len(chips) - 0.7, -0.9)
    axis.set_xlim(-0.35, 6.7)
    claimed = rates[(rates["block_scaled"] == "yes") & (rates["element_bits"] == 4)]
    for chip in dict.fromkeys(claimed["accelerator"]):
        accepted(axis, "mx.training.time", (chips.index(chip) - 0.2, chips.index(chip) + 0.2))
    axis.set_xticks([1, 2, 4, 6])
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("dense peak rate over 16-bit (x)")
    axis.set_title(f"Published peak rates {TIER_MARKS['cited']}")
