"""The verdicts of this run, claim by claim: the range that counts as agreement, the estimate with its 95 % interval,
the verdict with its reason and limits, and the tier of the evidence. Rows without a result come last."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from jouleproof.drawing import tables
from jouleproof.drawing.style import TIER_MARKS
from jouleproof.evidence.digits import span, with_span
from jouleproof.evidence.provenance import stand_ins_in
from jouleproof.evidence.verdicts import STAND_IN_MARK

TITLE = "The verdicts, claim by claim"
CAPTION = " ".join(__doc__.split())


def make(verdicts: Path, out: Path) -> None:
    """Write the verdicts of a verdicts.json as a table into <out>.csv, .tex and .html, with its caption."""
    rows = json.loads(verdicts.read_text(encoding="utf-8"))
    tiers = "; ".join(f"{mark} {tier}" for tier, mark in TIER_MARKS.items())
    stand_ins = any(stand_ins_in(row["inputs"]) for row in rows)
    note = f"{tiers}; {STAND_IN_MARK} rests on a stand-in, named under the limits" if stand_ins else tiers
    tables.save(tabulate(rows), out, TITLE, CAPTION, note)


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Format a row of text per verdict, those without a result last. rows: the objects of verdicts.json."""
    ran_first = sorted(rows, key=lambda row: row["verdict"] == "not yet run")
    return pd.DataFrame([_cells(row) for row in ran_first])


def _cells(row: dict[str, Any]) -> dict[str, str]:
    version = "" if row["version"] == "-" else f" ({row['version']})"
    verdict = f"{row['verdict']}: {row['reading']}" if row["reading"] else row["verdict"]
    limits = f" Limits: {'; '.join(row['flags'])}." if row["flags"] else ""
    mark = f" {STAND_IN_MARK}" if stand_ins_in(row["inputs"]) else ""
    return {
        "claim": row["id"] + version,
        "what is claimed": f"{row['says']} ({row['source']})",
        "accepted": f"{span(*row['accept'])} {row['unit']}",
        "here": with_span(row["estimate"], row["low"], row["high"]),
        "verdict": f"{TIER_MARKS[row['tier']]} {verdict}{mark}",
        "reason": row["reason"] + limits,
    }
