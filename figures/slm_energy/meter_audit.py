"""Power of one workload as meters report it, while it computes on one core (upper line) and while it sleeps for as long
(lower line), alone on the machine and next to other busy processes. Bars: the range of a model's constants."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, INK, SLATE, VERMILION
from jouleproof.drawing.select import where
from jouleproof.drawing.style import TIER_MARKS, WIDTH, Look, key, name_rows

TITLE = "Meter audit"
SOURCES = ["slm_energy/meter_audit"]
COLOURS = {"busy": VERMILION, "asleep": BLUE}
MARKERS = {"alone": "o", "beside others": "s"}
FILLS: Mapping[str, Literal["full", "none"]] = {"alone": "full", "beside others": "none"}
HOW = {
    ("jouleproof", "counters"): "counts, or gives no number",
    ("jouleproof", "model"): "its CPU seconds × watts, as a range",
    ("zeus", "total_energy"): "sum over GPUs; 0 if none",
    ("codecarbon", "machine"): "assumed watts × load of the whole machine,\nand a constant for memory",
    ("codecarbon", "process"): "assumed watts × load of the process,\nand a constant for memory",
    ("codecarbon", "force_cpu_power=100"): "like machine, at 100 W",
}


def draw(meter_audit: pd.DataFrame) -> Figure:
    ran = meter_audit[meter_audit["workload"] != ""]
    meters = ran.groupby(["tool", "mode"], sort=False)
    figure, axis = plt.subplots(figsize=(WIDTH, 0.8 + 0.43 * len(meters)))
    labels = []
    for place, ((tool, mode), rows) in enumerate(meters):
        _points(axis, place, rows)
        mark = TIER_MARKS[rows["tier"].iloc[0]] if (rows["metric"] == "power").any() else ""
        how = HOW.get((str(tool), str(mode)))
        labels.append(f"{tool}, {mode} {mark}" + (f"\n{how}" if how else ""))
    name_rows(axis, labels, fontsize=6.8)
    axis.set_xlim(-3, max(12.0, 1.06 * where(ran, unit="W")["value"].max()))
    axis.set_xlabel("reported power (W)")
    axis.grid(axis="y", visible=False)
    handles = [key(name, color=colour, lw=4) for name, colour in COLOURS.items()]
    handles += [key(name, color=INK, marker=marker, fillstyle=FILLS[name]) for name, marker in MARKERS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _points(axis: Axes, place: int, rows: pd.DataFrame) -> None:
    """Draw means over the repeats; a line per workload joins its means alone and next to others."""
    power = rows[rows["metric"].str.startswith("power")]
    if power.empty:
        axis.text(0, place, "no counter here: no number", va="center", fontsize=6.8, color=SLATE)
        return
    mean = power.groupby(["workload", "neighbours", "metric"])["value"].mean()
    for offset, (workload, colour) in zip((-0.14, 0.14), COLOURS.items(), strict=True):
        cases = [neighbours for neighbours in MARKERS if (workload, neighbours, "power") in mean]
        watts = {neighbours: mean[workload, neighbours, "power"] for neighbours in cases}
        axis.plot(list(watts.values()), [place + offset] * len(watts), color=colour, lw=0.8)
        for neighbours, value in watts.items():
            look: Look = {"marker": MARKERS[neighbours], "fillstyle": FILLS[neighbours], "ls": ""}
            axis.plot(value, place + offset, color=colour, **look)
            if (workload, neighbours, "power_low") in mean:
                ends = [mean[workload, neighbours, metric] for metric in ("power_low", "power_high")]
                axis.plot(ends, [place + offset] * 2, color=colour, lw=2.4, alpha=0.35, solid_capstyle="butt")
