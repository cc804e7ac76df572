"""Products of a matrix with a vector, on packed weights. Left: the rate at which weights are read, against their bytes;
the dashed line is a sum over the float32 matrix, which shows what memory and caches give; dotted lines are the sizes of
the processor's caches, L1 for data (of one core), L2 and L3. Right: speed over the fastest float32 product, for the
largest matrix; a tick (|) is what the bytes would allow. The pale bands are the ranges that the ledger accepts for
MXFP8 E4M3 and MXFP4. All points are means over the rounds; bars are 95 % intervals of the mean, right only."""

from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from jouleproof.drawing.palette import GREY, INK, SLATE
from jouleproof.drawing.style import HEIGHT, PLAIN_STYLES, WIDTH, accepted, accepted_handle, format_label, format_style
from jouleproof.evidence.intervals import mean_interval

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
    ours = [name for name in dict.fromkeys(products["format"]) if _is_ours(products, name)]
    styles = format_style(ours)
    _rates(left, products, styles)
    _caches(left, matvec[matvec["metric"] == "cache"].set_index("format")["value"])
    left.legend(fontsize=6.5, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.18))
    _speeds(right, products, styles)
    return figure


def _is_ours(products: pd.DataFrame, name: str) -> bool:
    return bool((products[products["format"] == name]["library"] == "jouleproof").any())


def _caches(axis: Axes, sizes: "pd.Series[float]") -> None:
    """sizes: bytes, by level."""
    for level, size in sizes.items():
        axis.axvline(size, color=GREY, lw=0.9, ls=":")
        axis.annotate(
            f"{level} cache",
            (size, 0.02),
            xytext=(2, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=7,
            color=SLATE,
            rotation=90,
            va="bottom",
        )
    if len(sizes):
        axis.plot([], [], color=GREY, lw=0.9, ls=":", label="size of a cache")
        axis.set_xlim(left=min(axis.get_xlim()[0], 0.6 * sizes.min()))


def _rates(axis: Axes, products: pd.DataFrame, styles: dict[str, dict[str, str]]) -> None:
    case = ["library", "format", "rows", "columns"]
    read = products[products["metric"] == "weight_bytes"].groupby(case)["value"].first()
    timed = products[products["metric"] == "time"]
    per_second = (1 / timed["value"]).groupby([timed[name] for name in case]).mean()
    table = pd.DataFrame({"bytes": read, "rate": read * per_second / 1e9}).reset_index().sort_values("bytes")
    float32 = table[table["format"] == "float32"].groupby("bytes")["rate"].max()
    axis.plot(float32.index, float32.to_numpy(), color=PLAIN_STYLES["float32"][0], marker=".", label="float32, fastest")
    reading = table[table["format"] == "read"]
    axis.plot(reading["bytes"], reading["rate"], color=INK, ls="--", lw=0.9, label="reading alone")
    for number, (name, style) in enumerate(styles.items()):
        look: Any = {**style, "ms": 7 - 0.5 * number}  # the last drawn is the smallest, so that none is hidden
        rows = table[table["format"] == name]
        axis.plot(rows["bytes"], rows["rate"], **look, label=format_label(name))
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("weights of the matrix (bytes)")
    axis.set_ylabel("weights read (GB/s)")


def _speeds(axis: Axes, products: pd.DataFrame, styles: dict[str, dict[str, str]]) -> None:
    count, columns = max(zip(products["rows"], products["columns"], strict=True), key=lambda shape: shape[0] * shape[1])
    here = products[(products["rows"] == count) & (products["columns"] == columns)]
    speed = here[here["metric"] == "over_float32"]
    read = here[here["metric"] == "weight_bytes"].drop_duplicates("format").set_index("format")["value"]
    names = [*styles, *(name for name in OTHERS if name in set(speed["format"]))]
    for place, name in enumerate(names):
        mean = mean_interval(speed[speed["format"] == name]["value"].to_numpy())
        look: Any = styles.get(name, {"color": GREY, "marker": "x"})
        ends = [[mean.value - mean.low], [mean.high - mean.value]]
        axis.errorbar(mean.value, place, xerr=ends, elinewidth=1.3, ms=5.5, **look)
        axis.plot(read["float32"] / read[name], place, marker="|", ms=11, color=INK, lw=0)
    axis.axvline(1, color=GREY, lw=0.7)
    axis.set_yticks(range(len(names)), [OTHERS.get(name, format_label(name)) for name in names])
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(left=0)
    axis.set_xlabel("speed over float32 (x)")
    for name, claim in CLAIMS.items():
        if name in names:
            accepted(axis, claim, (names.index(name) - 0.4, names.index(name) + 0.4))
    handles = [
        accepted_handle(),
        Line2D([], [], marker="|", ms=9, color=INK, lw=0, label="what the bytes would allow"),
    ]
    axis.legend(handles=handles, fontsize=6.5, loc="upper left", bbox_to_anchor=(0, -0.18))
    axis.set_title(f"{count:,} × {columns:,}".replace(",", " "))
