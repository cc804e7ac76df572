"""Gains of narrow formats in silicon. Left: QSNR (signal to quantisation-noise ratio) on Gaussian vectors, measured,
against the modelled cost of a dot-product unit relative to bfloat16: the geometric mean of its area and energy, gates
only, with the 95 % range over the model's constants. The line joins the formats that no other format beats in both;
hollow squares are not OCP MX. Right: published dense peak rates of accelerators over the same chip's rate for 16-bit
floats; none of them was measured. The pale bands are the ranges that the ledger accepts: left for MXFP6, right for
4-bit floats on chips that scale blocks.
"""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle, claim_of
from jouleproof.drawing.palette import GREY, INK, MINT, PALE
from jouleproof.drawing.points import points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import (
    HEIGHT,
    NOT_OCP_MX,
    OTHER_FORMAT_LABELS,
    TIER_MARKS,
    WIDTH,
    Look,
    format_label,
    format_style,
    key,
)
from jouleproof.evidence.intervals import Estimate, draws_interval

TITLE = "What silicon gains"
SOURCES = ["mx/silicon", "mx/peak_rates"]
RATES = {"bf16": "16-bit"}
CLAIM = "mx.silicon.area"  # on the cost of BF16 over that of a format, the inverse of the axis
CLAIMED = ("mxfp6_e2m3", "mxfp6_e3m2")
Unit = tuple[str, Estimate, float]  # format, median of its cost with the ends of its range, mean QSNR in dB
Box = tuple[float, float, float, float]


def draw(silicon: pd.DataFrame, peak_rates: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.5 * HEIGHT), width_ratios=[1.35, 1])
    units = _units_of(silicon)
    _units(left, units)
    _label(left, units)
    _rates(right, where(peak_rates, metric="over_16_bit"))
    handles = [
        key("not OCP MX", ms=5.5, **NOT_OCP_MX),
        key("no format beats these in both", color=GREY, lw=0.9),
        accepted_handle(),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure


def _units_of(table: pd.DataFrame) -> list[Unit]:
    """Return the units, cheapest first, without formats that have no QSNR (float32, which is not rounded)."""
    costs = where(table, metric="relative_area_energy").groupby("format")["value"]
    signal = where(table, metric="qsnr").groupby("format")["value"].mean()
    units = [
        (str(name), draws_interval(costs.get_group(name).to_numpy()), float(qsnr)) for name, qsnr in signal.items()
    ]
    return sorted(units, key=lambda unit: (unit[1].value, -unit[2]))


def _units(axis: Axes, units: list[Unit]) -> None:
    looks: dict[str, Any] = {
        **format_style(name for name, *_ in units if name not in OTHER_FORMAT_LABELS),
        **{name: {**NOT_OCP_MX, "ms": 5.5} for name in OTHER_FORMAT_LABELS},
    }
    front: list[tuple[float, float]] = []
    for name, cost, qsnr in units:
        points(axis, cost, qsnr, elinewidth=0.9, zorder=3, **looks[name])
        if not front or qsnr > front[-1][1]:
            front.append((cost.value, qsnr))
    axis.plot(*zip(*front, strict=True), color=GREY, lw=0.9, zorder=1)
    signals = [qsnr for *_, qsnr in units]
    axis.set_xscale("log", base=2)
    axis.set(xlim=(0.11, 2.1), ylim=(min(signals) - 5, max(signals) + 6))
    ticks = [0.125, 0.25, 0.5, 1, 2]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set(xlabel="area and energy of a unit over BF16's (1)", ylabel="QSNR (dB)")
    axis.set_title(f"QSNR {TIER_MARKS['measured']} against modelled cost {TIER_MARKS['simulated']}")
    least_saved, _ = claim_of(CLAIM).accept
    for name, _, qsnr in units:
        if name in CLAIMED:
            band = [qsnr - 1.6, qsnr + 1.6]
            axis.fill_betweenx(band, axis.get_xlim()[0], 1 / least_saved, color=MINT, lw=0, zorder=0)


def _label(axis: Axes, units: list[Unit]) -> None:
    """Put each name next to its point, at the first place where it covers neither another name nor a point."""
    size, width, height = 6.5, 212.0, 242.0  # points; about the size of the panel in the layout
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()

    def across(cost: float) -> float:
        return width * math.log(cost / left) / math.log(right / left)

    def up(qsnr: float) -> float:
        return height * (qsnr - bottom) / (top - bottom)

    taken = [(across(cost.low), up(qsnr) - 3, across(cost.high), up(qsnr) + 3) for _, cost, qsnr in units]
    look: Look = {"fontsize": size, "va": "center", "textcoords": "offset points", "zorder": 2}
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.3}
    for name, cost, qsnr in sorted(units, key=lambda unit: -unit[2]):
        text = OTHER_FORMAT_LABELS.get(name, format_label(name))
        wide, x, y = 0.62 * size * len(text), across(cost.value), up(qsnr)
        beside, around = (across(cost.high) + 6, across(cost.low) - 6 - wide), (-7, 8, -13, 14, -19, 20)
        places = [(at, 0) for at in beside] + [(at, step) for step in around for at in (x - wide / 2, *beside)]
        boxes = [(at, y + step - size / 2, at + wide, y + step + size / 2) for at, step in places]
        free = [box for box in boxes if box[0] > 0 and box[2] < width and not _covers(box, taken)]
        box = (free or boxes)[0]
        taken.append(box)
        axis.annotate(text, (cost.value, qsnr), (box[0] - x, box[1] + size / 2 - y), bbox=behind, **look)


def _covers(box: Box, others: Sequence[Box]) -> bool:
    return any(box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in others)


def _rates(axis: Axes, rates: pd.DataFrame) -> None:
    chips = unique(rates["accelerator"])
    above: Look = {"textcoords": "offset points", "fontsize": 6, "ha": "center", "va": "bottom", "linespacing": 0.95}
    for place, chip in enumerate(chips):
        rows = where(rates, accelerator=chip)
        axis.plot([rows["value"].min(), rows["value"].max()], [place, place], color=PALE, lw=0.9, zorder=1)
        for value, same in rows.groupby(rows["value"].round(2)):
            names = [RATES.get(name, name.upper()) for name in same["format"]]
            text = "\n".join(names) if len(names) < 3 else ", ".join(names[:2]) + "\n" + ", ".join(names[2:])
            axis.plot(value, place, marker="o", color=INK, mfc="white", ls="none")
            axis.annotate(text, (value, place), xytext=(0, 5), **above)
    axis.set_yticks(range(len(chips)), chips)
    axis.set(xlim=(-0.35, 6.7), ylim=(len(chips) - 0.7, -0.9), xticks=[1, 2, 4, 6])
    for chip in unique(where(rates, block_scaled="yes", element_bits=4)["accelerator"]):
        accepted(axis, "mx.training.time", (chips.index(chip) - 0.2, chips.index(chip) + 0.2))
    axis.grid(axis="y", visible=False)
    axis.set(xlabel="dense peak rate over 16-bit (x)", title=f"Published peak rates {TIER_MARKS['cited']}")
