"""The verdicts of this run, claim by claim: the range that counts as agreement, the estimate with its 95 % interval,
the verdict with its reason and limits, and the tier of the evidence. Rows without a result come last."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from jouleproof.drawing import tables
from jouleproof.drawing.style import TIER_MARKS
from jouleproof.evidence.digits import span, with_span

TITLE = "The verdicts, claim by claim"
CAPTION = " ".join(__doc__.split())


def make(verdicts: Path, out: Path) -> None:
    """Write the verdicts of a verdicts.json as a table into <out>.csv, .tex and .html, with its caption."""
    rows = json.loads(verdicts.read_text(encoding="utf-8"))
    tiers = "; ".join(f"{mark} {tier}" for tier, mark in TIER_MARKS.items())
    tables.save(tabulate(rows), out, TITLE, CAPTION, tiers)


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Format a row of text per verdict, those without a result last. rows: the objects of verdicts.json."""
    ran_first = sorted(rows, key=lambda row: row["verdict"] == "not yet run")
    return pd.DataFrame([_cells(row) for row in ran_first])


def _cells(row: dict[str, Any]) -> dict[str, str]:
    version = "" if row["version"] == "-" else f" ({row['version']})"
    verdict = f"{row['verdict']}: {row['reading']}" if row["reading"] else row["verdict"]
    limits = f" Limits: {'; '.join(row['flags'])}." if row["flags"] else ""
    return {
        "claim": row["id"] + version,
        "what is claimed": f"{row['says']} ({row['source']})",
        "accepted": f"{span(*row['accept'])} {row['unit']}",
        "here": with_span(row["estimate"], row["low"], row["high"]),
        "verdict": f"{TIER_MARKS[row['tier']]} {verdict}",
        "reason": row["reason"] + limits,
    }
