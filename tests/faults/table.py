"""The table of the faults, how often each was tried, and what happened: as CSV, and between the marks of a page."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from jouleproof.errors import UserError
from tests.faults import fuzz, pipeline

HEAD = ("what was done", "how often", "what happened")
MARKS = re.compile(
    r"(<!-- faults: written by `python -m tests.faults page` -->\n).*?(?=<!-- end of faults -->)", re.DOTALL
)
Record = Mapping[str, Any]  # what was done, how often it was tried, and the outcomes


def rows(records: Sequence[Record]) -> list[tuple[str, str, str]]:
    """Return one row for all records of a fault, its most frequent outcome first."""
    merged: dict[str, Counter[str]] = {}
    for record in records:
        merged.setdefault(record["what"], Counter()).update(record["outcomes"])
    rows = []
    for what, outcomes in merged.items():
        ordered = sorted((-count, outcome) for outcome, count in outcomes.items() if count)
        rows.append((what, f"{outcomes.total():,}", "; ".join(f"{-count:,} {outcome}" for count, outcome in ordered)))
    return rows


def bad(records: Sequence[Record]) -> list[str]:
    """Return the outcomes that must not happen."""
    named = [(record["what"], outcome) for record in records for outcome in record["outcomes"]]
    return [f"{what}: {outcome}" for what, outcome in named if outcome in (*fuzz.BAD, *pipeline.BAD)]


def as_csv(records: Sequence[Record]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEAD, *rows(records)])
    return out.getvalue()


def replaced(page: str, table: str) -> str:
    """Return a page with the table of this CSV. Raises UserError if the marks are missing."""
    if not MARKS.search(page):
        raise UserError("the page has no table of faults; put its marks back")
    head, *lines = csv.reader(io.StringIO(table))
    text = "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))
    return MARKS.sub(lambda match: f"{match[1]}\n{text}\n\n", page)
