"""Matrix-vector products on packed weights. Left: the rate at which weights are read, against their bytes; the dashed
line is a sum over the float32 matrix, which shows what memory and caches give. Right: speed over the fastest float32
product for the largest matrix, and what the bytes would allow (|). Points are medians, bars 95 % intervals of the
mean over the rounds."""

from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from bench.stats import mean_interval
from figures.style import HEIGHT, WIDTH, format_label, format_style

TITLE = "Matrix-vector products on packed weights"
SOURCES = ["mx/matvec"]
OTHERS = {
    "bfloat16": "torch bfloat16",
    "int8 per row": "torch int8, bf16 vector",
    "int4 per 32": "torch int4, bf16 vector",
}


def draw(matvec: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.25 * HEIGHT), width_ratios=[1.1, 1])
    products = matvec[matvec["metric"] != "cache"]
    ours = [name for name in dict.fromkeys(products["format"]) if _is_ours(products, name)]
    styles = format_style(ours)
    _rates(left, products, styles)
    for name, size in matvec[matvec["metric"] == "cache"].set_index("format")["value"].items():
        left.axvline(size, color="#BBBBBB", lw=0.8, ls=":")
        left.annotate(
            str(name), (size, 0.02), xycoords=("data", "axes fraction"), fontsize=7, color="#666666", ha="right"
        )
    _speeds(right, products, styles)
    return figure


def _is_ours(products: pd.DataFrame, name: str) -> bool:
    return bool((products[products["format"] == name]["library"] == "jouleproof").any())


def _rates(axis: Axes, products: pd.DataFrame, styles: dict[str, dict[str, str]]) -> None:
    seconds = products[products["metric"] == "time"].groupby(["library", "format", "rows", "columns"])["value"].median()
    read = (
        products[products["metric"] == "weight_bytes"]
        .groupby(["library", "format", "rows", "columns"])["value"]
        .first()
    )
    table = pd.DataFrame({"bytes": read, "rate": read / seconds / 1e9}).reset_index().sort_values("bytes")
    float32 = table[table["format"] == "float32"].groupby("bytes")["rate"].max()
    axis.plot(float32.index, float32.to_numpy(), color="#7F7F7F", marker=".", label="float32, fastest")
    reading = table[table["format"] == "read"]
    axis.plot(reading["bytes"], reading["rate"], color="#444444", ls="--", lw=0.9, label="reading alone")
    for name, style in styles.items():
        look: Any = style
        rows = table[table["format"] == name]
        axis.plot(rows["bytes"], rows["rate"], **look, label=format_label(name))
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("weights of the matrix (bytes)")
    axis.set_ylabel("weights read (GB/s)")
    axis.legend(fontsize=6.5, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.18))


def _speeds(axis: Axes, products: pd.DataFrame, styles: dict[str, dict[str, str]]) -> None:
    count, columns = max(zip(products["rows"], products["columns"], strict=True), key=lambda shape: shape[0] * shape[1])
    here = products[(products["rows"] == count) & (products["columns"] == columns)]
    speed = here[here["metric"] == "over_float32"]
    read = here[here["metric"] == "weight_bytes"].drop_duplicates("format").set_index("format")["value"]
    names = [*styles, *(name for name in OTHERS if name in set(speed["format"]))]
    for place, name in enumerate(names):
        found = mean_interval(speed[speed["format"] == name]["value"].to_numpy())
        look: Any = styles.get(name, {"color": "#7F7F7F", "marker": "x"})
        ends = [[found.value - found.low], [found.high - found.value]]
        axis.errorbar(found.value, place, xerr=ends, elinewidth=1.1, **look)
        axis.plot(read["float32"] / read[name], place, marker="|", ms=11, color="#444444", lw=0)
    axis.axvline(1, color="#888888", lw=0.7)
    axis.set_yticks(range(len(names)), [OTHERS.get(name, format_label(name)) for name in names])
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(left=0)
    axis.set_xlabel("speed over float32 (x)")
    axis.set_title(f"{count:,} × {columns:,}".replace(",", " "))
