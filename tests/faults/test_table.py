"""The table of faults: counts of one fault are added up, bad outcomes are named, and the page shows the current
table."""

import csv
import io
import re
from pathlib import Path

import pytest

from jouleproof.errors import UserError
from tests.faults import fuzz, pipeline, table

PAGE = Path(__file__).resolve().parents[2] / "docs/robustness.md"
FOUND = [
    {"what": "a", "outcomes": {"fine": 2, "also fine": 1200}},
    {"what": "b", "outcomes": {fuzz.WRONG: 1}},
    {"what": "a", "outcomes": {"fine": 3}},
]


def test_records_of_one_fault_are_one_row_with_the_most_frequent_first():
    assert table.rows(FOUND)[0] == ("a", "1,205", "1,200 also fine; 5 fine")


def test_what_must_not_happen_is_named():
    assert table.bad(FOUND) == ["b: read wrongly"]


def test_only_what_lies_between_the_marks_is_replaced():
    page = "x\n<!-- faults: written by `python -m tests.faults page` -->\nold\n<!-- end of faults -->\ny\n"
    once = table.replaced(page, table.as_csv(FOUND))
    assert once.startswith("x\n<!--") and once.endswith("<!-- end of faults -->\ny\n") and "old" not in once
    assert "| a | 1,205 | 1,200 also fine; 5 fine |" in once
    assert table.replaced(once, table.as_csv(FOUND)) == once


def test_a_page_without_its_marks_is_one_line():
    with pytest.raises(UserError, match="has no table of faults"):
        table.replaced("x", table.as_csv(FOUND))


def test_the_counts_of_the_page_add_up_and_nothing_bad_is_among_them():
    shown = table.MARKS.search(PAGE.read_text(encoding="utf-8"))
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in shown[0].splitlines() if "|" in line]
    assert next(csv.reader(io.StringIO(table.as_csv([])))) == rows[0]
    for _, often, happened in rows[2:]:
        counts = [int(count.replace(",", "")) for count in re.findall(r"(?:^|; )([\d,]+) ", happened)]
        assert sum(counts) == int(often.replace(",", ""))
        assert not any(name in happened for name in (*fuzz.BAD, *pipeline.BAD))
