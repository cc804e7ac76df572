"""Every claim of the ledger by area, with its verdict; the mark at the end of a row is the tier of its evidence."""

import json
from pathlib import Path
from typing import Annotated, Any

import matplotlib as mpl
import typer
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from figures import style

TITLE = "The verdicts at a glance"
AREAS = {
    "mx": "MX formats",
    "phase_split": "phase splitting",
    "placement": "placement",
    "slm_energy": "small models",
    "joint": "together",
}
VERSION_MARKS = {"published": " (pub.)", "corrected": " (corr.)"}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def make(
    verdicts: Annotated[Path, typer.Option()], out: Annotated[Path, typer.Option(help="Path without suffix.")]
) -> None:
    mpl.use("agg")
    style.use_style()
    style.save(draw(json.loads(verdicts.read_text(encoding="utf-8"))), out)


def draw(rows: list[dict[str, Any]]) -> Figure:
    """rows: the objects of verdicts.json."""
    areas = {area: [row for row in rows if row["area"] == area] for area in AREAS}
    columns = _columns(areas)
    tallest = max(sum(len(part) + 1.6 for _, part in column) for column in columns)
    figure, axis = plt.subplots(figsize=(9.2, 0.21 * tallest + 0.75))
    for number, column in enumerate(columns):
        top = 0.0
        for title, part in column:
            axis.text(number, top + 0.62, title, fontsize=9, fontweight="bold", va="center")
            for place, row in enumerate(part, start=1):
                _tile(axis, number, top + place, row)
            top += len(part) + 1.6
    axis.set(xlim=(-0.02, len(columns) - 0.02), ylim=(tallest, -0.1))
    axis.axis("off")
    used = {row["verdict"] for row in rows}
    handles: list[Artist] = [
        Rectangle((0, 0), 1, 1, facecolor=face, edgecolor="#999999", lw=0.4, label=f"{glyph} {verdict}".strip())
        for verdict, (glyph, face, _) in style.VERDICT_STYLES.items()
        if verdict in used
    ]
    tiers = {row["tier"] for row in rows}
    handles += [
        Line2D([], [], lw=0, label=f"{mark} {tier}") for tier, mark in style.TIER_MARKS.items() if tier in tiers
    ]
    stand_ins = {name for row in rows for name, origin in row["inputs"].items() if origin == "stand-in"}
    if stand_ins:
        style.footnote(figure, [], stand_ins)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=1.0, columnspacing=0.8)
    return figure


def _columns(areas: dict[str, list[dict[str, Any]]]) -> list[list[tuple[str, list[dict[str, Any]]]]]:
    """A column per area; the last, short area goes below the shortest other."""
    *long, last = [(AREAS[area], part) for area, part in areas.items()]
    columns = [[part] for part in long]
    min(columns, key=lambda column: len(column[0][1])).append(last)
    return columns


def _tile(axis: Axes, column: int, place: float, row: dict[str, Any]) -> None:
    glyph, face, ink = style.VERDICT_STYLES[row["verdict"]]
    axis.add_patch(Rectangle((column, place + 0.06), 0.95, 0.88, facecolor=face, edgecolor="#BBBBBB", lw=0.4))
    name = row["id"].partition(".")[2].replace("_", " ").replace(".", " ") + VERSION_MARKS.get(row["version"], "")
    middle = place + 0.52
    axis.text(column + 0.025, middle, glyph, fontsize=7.5, color=ink, va="center", ha="left", fontweight="bold")
    axis.text(column + 0.09, middle, name, fontsize=6.6, color=ink, va="center", ha="left")
    axis.text(column + 0.93, middle, style.TIER_MARKS[row["tier"]], fontsize=6, color=ink, va="center", ha="right")


if __name__ == "__main__":
    app()
