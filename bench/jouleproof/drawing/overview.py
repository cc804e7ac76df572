"""Every claim of the ledger by area, with its verdict. Each row shows, on the left, the subject and, on the right, the
id without the area and a mark for the tier of its evidence, or of the best possible. Pale rows were not run. (pub.):
rules of the published simulator; (corr.): with its mistakes corrected. AA, HA and HHcap are designs of Splitwise."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from jouleproof.drawing import style
from jouleproof.drawing.palette import PALE, RUST, SILVER, SLATE
from jouleproof.evidence.provenance import stand_ins_in
from jouleproof.evidence.verdicts import STAND_IN_MARK

TITLE = "The verdicts at a glance"
CAPTION = " ".join(__doc__.split())
VERSION_MARKS = {"published": " (pub.)", "corrected": " (corr.)"}
WORDS = {  # spelling of words of an id that are abbreviations or need more words
    "mxfp4": "MXFP4",
    "mxfp6": "MXFP6",
    "mxfp8": "MXFP8",
    "mxint8": "MXINT8",
    "matvec": "matrix-vector,",
    "allreduce": "all-reduce",
    "kv": "KV",
    "aa": "AA",
    "ha": "HA",
    "hhcap": "HHcap",
    "a100": "A100",
    "h100": "H100",
    "moe": "mixture of experts",
    "law": "energy law",
    "polca": "POLCA",
    "rule": "placement rule",
    "precision": "telemetry precision",
    "phi3": "Phi-3:",
}
COLUMNS, ROW_HEIGHT = 2, 0.19  # number, inches


def make(verdicts: Path, out: Path, titles: Mapping[str, str]) -> None:
    """Draw the verdicts of a verdicts.json into <out>.pdf, .svg and .png, with its caption.

    titles: of the studies, by name, in order.
    """
    with style.project_style():
        style.save(draw(json.loads(verdicts.read_text(encoding="utf-8")), titles), out, CAPTION)


def draw(rows: list[dict[str, Any]], titles: Mapping[str, str]) -> Figure:
    """Draw a tile per verdict, in columns of areas. rows: the objects of verdicts.json. titles: of the areas."""
    areas = dict.fromkeys([*titles, *(row["area"] for row in rows)])
    columns = _columns({area: [row for row in rows if row["area"] == area] for area in areas})
    tallest = max(sum(len(tiles) + 1.6 for _, tiles in column) for column in columns)
    figure, axis = plt.subplots(figsize=(style.WIDTH, ROW_HEIGHT * tallest + 0.6))
    for number, column in enumerate(columns):
        top = 0.0
        for area, tiles in column:
            axis.text(
                number, top + 0.62, titles.get(area, area.replace("_", " ")), fontsize=9, fontweight="bold", va="center"
            )
            axis.text(number + 0.97, top + 0.66, f"ids: {area}.…", fontsize=5.6, va="center", ha="right", color=SLATE)
            for place, row in enumerate(tiles, start=1):
                _tile(axis, number, top + place, row)
            top += len(tiles) + 1.6
    axis.set(xlim=(-0.01, COLUMNS - 0.02), ylim=(tallest, -0.1))
    axis.axis("off")
    used = {row["verdict"] for row in rows}
    handles: list[Artist] = [
        Rectangle((0, 0), 1, 1, facecolor=face, edgecolor=SILVER, lw=0.4, label=f"{glyph} {verdict}".strip())
        for verdict, (glyph, face, _) in style.VERDICT_STYLES.items()
        if verdict in used
    ]
    tiers = {row["tier"] for row in rows}
    handles += [
        Line2D([], [], lw=0, label=f"{mark} {tier}") for tier, mark in style.TIER_MARKS.items() if tier in tiers
    ]
    legend = figure.legend(handles=handles, loc="outside lower center", ncols=5, handlelength=1.0, columnspacing=0.8)
    if stand_ins := sorted({name for row in rows for name in stand_ins_in(row["inputs"])}):
        names = " or ".join(filter(None, [", ".join(stand_ins[:-1]), stand_ins[-1]]))
        note = style.wrapped(f"{STAND_IN_MARK} rests on a stand-in for {names}")
        legend.set_title(note)
        legend.get_title().set(fontsize=7, color=RUST)
    return figure


def short_label(claim: str, version: str) -> str:
    """Subject of a claim, from its id: "mx.fetches.matvec_mxfp4" gives "Fetches: matrix-vector, MXFP4"."""
    _, *parts = claim.split(".")
    text = ": ".join(" ".join(WORDS.get(word, word) for word in part.split("_")) for part in parts)
    return text[0].upper() + text[1:] + VERSION_MARKS.get(version, "")


def _columns(areas: dict[str, list[dict[str, Any]]]) -> list[list[tuple[str, list[dict[str, Any]]]]]:
    """Place every area below the column that is the shortest so far."""
    columns: list[list[tuple[str, list[dict[str, Any]]]]] = [[] for _ in range(COLUMNS)]
    for area, tiles in areas.items():
        min(columns, key=lambda column: sum(len(above) for _, above in column)).append((area, tiles))
    return columns


def _tile(axis: Axes, column: int, place: float, row: dict[str, Any]) -> None:
    glyph, face, ink = style.VERDICT_STYLES[row["verdict"]]
    axis.add_patch(Rectangle((column, place + 0.06), 0.97, 0.88, facecolor=face, edgecolor=PALE, lw=0.4))
    middle, label, name = place + 0.52, short_label(row["id"], row["version"]), row["id"].partition(".")[2]
    axis.text(column + 0.015, middle, glyph, fontsize=8, color=ink, va="center", ha="left", fontweight="bold")
    label = f"{label} ({row['reading']})" if row["reading"] else label
    label = f"{label} {STAND_IN_MARK}" if stand_ins_in(row["inputs"]) else label
    axis.text(column + 0.06, middle, label, fontsize=7.6, color=ink, va="center", ha="left")
    axis.text(column + 0.925, middle, name, fontsize=5.3, color=ink, va="center", ha="right")
    axis.text(column + 0.96, middle, style.TIER_MARKS[row["tier"]], fontsize=7, color=ink, va="center", ha="right")
