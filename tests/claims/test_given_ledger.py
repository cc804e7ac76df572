"""The ledger is the one that was given: the same rows, the same words, the same ranges."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from jouleproof.drawing.registry import registry
from jouleproof.evidence.ledger import read_ledger
from jouleproof.evidence.tables import TIERS

LEDGER = Path(__file__).resolve().parents[2] / "paper" / "claims.toml"
WORDS = ("id", "says", "source", "unit", "published", "tier", "versions")
RANGE = ("accept", "null")
ROWS = {row["id"]: row for row in tomllib.loads(LEDGER.read_text(encoding="utf-8"))["claim"]}
GIVEN = json.loads(Path(__file__).with_name("ledger_digest.json").read_text(encoding="utf-8"))


def digest(row, fields):
    """SHA-256 over the fields that the row has, numbers as floats; the first 16 digits."""

    def plain(value):
        if isinstance(value, list):
            return [plain(each) for each in value]
        return float(value) if isinstance(value, int | float) else value

    content = json.dumps({field: plain(row[field]) for field in fields if field in row}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def test_the_ledger_has_exactly_the_rows_that_were_given():
    assert set(ROWS) == set(GIVEN)


def test_the_ledger_has_fifty_five_rows():
    assert len(ROWS) == 55


@pytest.mark.parametrize("name", GIVEN)
def test_a_row_still_says_what_was_given(name):
    assert digest(ROWS[name], WORDS) == GIVEN[name]["words"], (
        f"{name}: one of {', '.join(WORDS)} is not as it was given"
    )


@pytest.mark.parametrize("name", GIVEN)
def test_a_range_changes_only_with_a_reason_in_the_row(name):
    row = ROWS[name]
    assert digest(row, RANGE) == GIVEN[name]["range"] or row.get("range_changed_because"), (
        f"{name}: accept or null is not as it was given; a range changes only with a reason in the row "
        "(`range_changed_because`), never after seeing a result"
    )


def test_the_ledger_of_the_project_can_be_read():
    assert [claim.id for claim in read_ledger(LEDGER)] == list(ROWS)


def test_every_figure_that_the_ledger_names_is_there():
    assert {claim.figure for claim in read_ledger(LEDGER) if claim.figure} <= set(registry())


def test_every_row_that_a_result_answers_names_its_figure():
    assert [claim.id for claim in read_ledger(LEDGER) if claim.query and not claim.figure] == []


def test_every_figure_of_a_row_reads_the_table_that_answers_it():
    answered = [claim for claim in read_ledger(LEDGER) if claim.query]
    tables = {claim.id: {query.table for query in claim.query.values()} for claim in answered}
    assert [claim.id for claim in answered if not tables[claim.id] <= set(registry()[claim.figure].sources)] == []


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_has_rows(tier):
    assert [row["id"] for row in ROWS.values() if row["tier"] == tier]
