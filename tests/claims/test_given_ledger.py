"""The claims of the studies are those that were specified: the same rows, words and ranges."""

import hashlib
import json
import tomllib
from functools import cache
from pathlib import Path

from jouleproof.cli.claims import built_in_ledgers
from jouleproof.evidence.ledger import read_ledgers
from jouleproof.evidence.tables import TIERS
from tests.pictures import FIGURES

WORDS = ("id", "says", "source", "unit", "published", "tier", "versions")
RANGE = ("accept", "null")
ROOT = Path(__file__).resolve().parents[2]
LEDGERS = sorted(ROOT.glob("bench/jouleproof/studies/*/claims.toml"))
ROWS = {row["id"]: row for path in LEDGERS for row in tomllib.loads(path.read_text(encoding="utf-8"))["claim"]}
GIVEN = json.loads(Path(__file__).with_name("ledger_digest.json").read_text(encoding="utf-8"))


@cache
def claims():
    return read_ledgers(built_in_ledgers())


def digest(row, fields):
    """Compute SHA-256 over the fields that the row has, numbers as floats; return the first 16 digits."""

    def plain(value):
        if isinstance(value, list):
            return [plain(item) for item in value]
        return float(value) if isinstance(value, int | float) else value

    content = json.dumps({field: plain(row[field]) for field in fields if field in row}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def test_the_ledger_has_exactly_the_fifty_five_rows_that_were_given():
    assert set(ROWS) == set(GIVEN) and len(ROWS) == 55
    assert sorted(claim.id for claim in claims()) == sorted(ROWS)


def test_every_row_still_says_what_was_given():
    changed = [name for name, given in GIVEN.items() if digest(ROWS.get(name, {}), WORDS) != given["words"]]
    assert changed == [], f"one of {', '.join(WORDS)} is not as it was given"


def test_a_range_changes_only_with_a_reason_in_the_row():
    rows = {name: ROWS.get(name, {}) for name in GIVEN}
    changed = [name for name, row in rows.items() if digest(row, RANGE) != GIVEN[name]["range"]]
    assert [name for name in changed if not rows[name].get("range_changed_because")] == [], (
        "accept or null is not as it was given; a range changes only with a reason in the row "
        "(`range_changed_because`), never after seeing a result"
    )


def test_every_row_that_a_result_answers_names_its_figure_and_every_figure_is_there():
    assert {claim.figure for claim in claims() if claim.figure} <= set(FIGURES)
    assert [claim.id for claim in claims() if claim.query and not claim.figure] == []


def test_every_figure_of_a_row_reads_the_table_that_answers_it():
    answered = [claim for claim in claims() if claim.query]
    tables = {claim.id: {query.table for query in claim.query.values()} for claim in answered}
    assert [claim.id for claim in answered if not tables[claim.id] <= set(FIGURES[claim.figure].sources)] == []


def test_every_tier_has_rows():
    assert [tier for tier in TIERS if not any(row["tier"] == tier for row in ROWS.values())] == []
