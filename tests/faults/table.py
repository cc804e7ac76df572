"""The table of what was tried, how often, and what happened: as CSV, and between the marks of a page."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jouleproof.errors import UserError
from tests.faults import fuzz, pipeline

HEAD = ("what was done", "how often", "what happened")
MARKS = re.compile(
    r"(<!-- faults: written by `python -m tests.faults page` -->\n).*?(?=<!-- end of faults -->)", re.DOTALL
)
Found = Mapping[str, Any]


def rows(found: Sequence[Found]) -> list[tuple[str, str, str]]:
    """found: records with what, tried and outcomes; those of one fault are one row."""
    merged: dict[str, dict[str, int]] = {}
    for record in found:
        outcomes = merged.setdefault(record["what"], {})
        for outcome, count in record["outcomes"].items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    return [
        (
            what,
            f"{sum(outcomes.values()):,}",
            "; ".join(f"{count:,} {outcome}" for outcome, count in _most_first(outcomes)),
        )
        for what, outcomes in merged.items()
    ]


def _most_first(outcomes: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((name, count) for name, count in outcomes.items() if count), key=lambda each: (-each[1], each[0]))


def bad(found: Sequence[Found]) -> list[str]:
    """What happened that must not."""
    return [f"{record['what']}: {outcome}" for record in found for outcome in record["outcomes"]
            if outcome in (*fuzz.BAD, *pipeline.BAD)]  # fmt: skip


def as_csv(found: Sequence[Found]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEAD, *rows(found)])
    return out.getvalue()


def replaced(page: str, table: str) -> str:
    """A page with the table of this CSV. Raises UserError where the marks are gone."""
    head, *lines = csv.reader(io.StringIO(table))
    shown = [head, ["---"] * len(head), *lines]
    text = "\n".join(f"| {' | '.join(line)} |" for line in shown)
    if not MARKS.search(page):
        raise UserError("the page has no table of faults; put its marks back where it belongs")
    return MARKS.sub(lambda match: f"{match[1]}\n{text}\n\n", page)
