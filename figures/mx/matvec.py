"""Matrix-vector products on packed weights. Left: the rate at which weights are read, against their bytes; the dashed
line is a sum over the float32 matrix, which shows the rate that memory and caches allow; dotted lines are the sizes of
the processor's caches: L1 for data (of one core), L2 and L3. Right: speed over the fastest float32 product, for the
largest matrix; a tick (|) marks what the bytes would allow; a point beyond its tick means that the float32 product
itself does not reach the rate of the memory, which is part of the gain. The pale bands are the ranges that the ledger
accepts for MXFP8 E4M3 and MXFP4. Points are means over the rounds; bars, only on the right, are 95 % intervals of the
mean.
"""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle
from jouleproof.drawing.palette import GREY, INK, SLATE
from jouleproof.drawing.points import mean_of, points
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import BELOW, HEIGHT, WIDTH, Look, format_label, format_style, key, name_rows, plain_log

TITLE = "Matrix-vector products on packed weights"
SOURCES = ["mx/matvec"]
OTHERS = {
    "bfloat16": "torch bfloat16",
    "int8 per row": "torch int8, bf16 vector",
    "int4 per 32": "torch int4, bf16 vector",
}
CLAIMS = {"mxfp8_e4m3": "mx.fetches.matvec_mxfp8", "mxfp4": "mx.fetches.matvec_mxfp4"}


def draw(matvec: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.25 * HEIGHT), width_ratios=[1.1, 1])
    products = matvec[matvec["metric"] != "cache"]
    styles = format_style(where(products, library="jouleproof")["format"])
    _rates(left, products, styles)
    _caches(left, where(matvec, metric="cache").set_index("format")["value"])
    left.legend(ncols=2, **BELOW)
    _speeds(right, products, styles)
    return figure


def _caches(axis: Axes, sizes: "pd.Series[float]") -> None:
    """Draw the cache sizes. sizes: bytes, by level."""
    text: Look = {"fontsize": 7, "color": SLATE, "rotation": 90, "va": "bottom"}
    at: Look = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    for level, size in sizes.items():
        axis.axvline(size, color=GREY, lw=0.9, ls=":")
        axis.annotate(f"{level} cache", (size, 0.02), xytext=(2, 0), **at, **text)
    if len(sizes):
        axis.plot([], [], color=GREY, lw=0.9, ls=":", label="size of a cache")
        axis.set_xlim(left=min(axis.get_xlim()[0], 0.6 * sizes.min()))


def _rates(axis: Axes, products: pd.DataFrame, styles: dict[str, Look]) -> None:
    case = ["library", "format", "rows", "columns"]
    read = where(products, metric="weight_bytes").groupby(case)["value"].first()
    timed = where(products, metric="time")
    per_second = (1 / timed["value"]).groupby([timed[name] for name in case]).mean()
    table = pd.DataFrame({"bytes": read, "rate": read * per_second / 1e9}).reset_index().sort_values("bytes")
    float32 = where(table, format="float32").groupby("bytes")["rate"].max()
    axis.plot(float32.index, float32, color=INK, marker=".", label="float32, fastest")
    reading = where(table, format="read")
    axis.plot(reading["bytes"], reading["rate"], color=INK, ls="--", lw=0.9, label="reading alone")
    for number, (name, look) in enumerate(styles.items()):
        rows, size = where(table, format=name), 7 - 0.5 * number  # shrinking marks, so that all show
        axis.plot(rows["bytes"], rows["rate"], ms=size, label=format_label(name), **look)
    axis.set_xscale("log")
    plain_log(axis.yaxis)
    axis.set(xlabel="weights of the matrix (bytes)", ylabel="weights read (GB/s)")


def _speeds(axis: Axes, products: pd.DataFrame, styles: dict[str, Look]) -> None:
    shapes = unique(zip(products["rows"], products["columns"], strict=True))
    count, columns = max(shapes, key=lambda shape: shape[0] * shape[1])
    largest = where(products, rows=count, columns=columns)
    speed = where(largest, metric="over_float32")
    read = where(largest, metric="weight_bytes").drop_duplicates("format").set_index("format")["value"]
    names = [*styles, *(name for name in OTHERS if name in set(speed["format"]))]
    for place, name in enumerate(names):
        look = styles.get(name, {"color": GREY, "marker": "x"})
        points(axis, mean_of(speed, format=name), place, elinewidth=1.3, ms=5.5, **look)
        axis.plot(read["float32"] / read[name], place, marker="|", ms=11, color=INK, lw=0)
    axis.axvline(1, color=GREY, lw=0.7)
    name_rows(axis, [OTHERS.get(name, format_label(name)) for name in names], 0.6)
    axis.set(xlim=(0, None), xlabel="speed over float32 (x)", title=f"{count:,} × {columns:,}".replace(",", " "))
    for name, claim in CLAIMS.items():
        if name in names:
            accepted(axis, claim, (names.index(name) - 0.4, names.index(name) + 0.4))
    handles = [accepted_handle(), key("what the bytes would allow", marker="|", ms=9, color=INK)]
    axis.legend(handles=handles, **BELOW)
