"""The text that `make accept` writes into README and docs."""

from pathlib import Path

import pytest

from jouleproof.cli.claims import built_in_ledgers
from jouleproof.errors import UserError
from jouleproof.evidence import pages
from jouleproof.evidence.expected import Accepted, read_expected
from jouleproof.evidence.ledger import read_ledgers
from jouleproof.study import built_in_studies
from tests.claims.samples import INF, claim

ROOT = Path(__file__).resolve().parents[2]
REPRODUCED = Accepted("reproduced", "2.5 x", "[2.1, 2.9]", "measured")
CITED = Accepted("cited: supports", "3 x", "[3, 3]", "cited")
TITLES = {"mx": "formats", "joint": "together"}
MARKED = "head\n<!-- x: written by `make accept` -->\nold\n<!-- end of x -->\ntail\n"


def rows(table):
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines() if line[:1] == "|"]


def test_every_area_has_its_counts_and_all_have_their_sum():
    claims = [claim(), claim(id="mx.b"), claim(id="joint.a", area="joint", versions=["published", "corrected"])]
    accepted = {"mx.thing": REPRODUCED, "mx.b": CITED, "joint.a (corrected)": REPRODUCED}
    head, _, *counts = rows(pages.areas(claims, accepted, TITLES))
    assert head[2:] == ["reproduced", "partly", "not reproduced", "inconclusive", "cited or not testable"]
    assert counts == [
        ["formats", "2", "1", "0", "0", "0", "1"],
        ["together", "1", "1", "0", "0", "0", "0"],
        ["all", "3", "2", "0", "0", "0", "1"],
    ]


def test_a_row_gives_claim_promise_result_verdict_evidence_and_limits():
    table = pages.verdicts([claim(published=2.5, flags=["one model"])], {"mx.thing": REPRODUCED}, TITLES)
    assert rows(table)[2] == [
        "`mx.thing` It is better.",
        "2.5",
        "[2, 3] x",
        "2.5 x [2.1, 2.9]",
        "**reproduced**",
        "measured",
        "1",
    ]
    assert table.endswith("### Limits\n\n1. one model")


def test_a_limit_stands_once_however_many_rows_have_it():
    claims = [claim(flags=["a", "b"]), claim(id="mx.b", flags=["b", "c"])]
    table = pages.verdicts(claims, {"mx.thing": REPRODUCED, "mx.b": REPRODUCED}, TITLES)
    assert [row[-1] for row in rows(table)[2:]] == ["1, 2", "2, 3"]
    assert table.endswith("1. a\n2. b\n3. c")


def test_a_claim_without_a_published_number_says_so():
    table = pages.verdicts([claim(accept=[-INF, 0.05])], {"mx.thing": REPRODUCED}, TITLES)
    assert rows(table)[2][1:3] == ["a direction", "[-∞, 0.05] x"]


def test_a_second_version_does_not_repeat_the_claim_and_what_was_not_run_is_counted():
    claims = [claim(versions=["published", "corrected"]), claim(id="mx.b")]
    accepted = {f"mx.thing ({version})": REPRODUCED for version in ("published", "corrected")}
    table = pages.verdicts(claims, accepted, TITLES)
    assert [row[0] for row in rows(table)[2:]] == ["`mx.thing` (published) It is better.", "`mx.thing` (corrected)"]
    assert "Not yet run: 1." in table


def test_the_examples_are_aligned_lines_of_the_claims_that_were_chosen():
    claims = [claim(), claim(id="mx.another")]
    text = pages.examples(claims, {"mx.thing": REPRODUCED, "mx.another": CITED}, ["mx.thing", "mx.gone"])
    fence, head, _, line, end = text.splitlines()
    assert (fence, end) == ("```text", "```")
    assert head.index("accepted") == line.index("[2, 3]")


def test_a_text_takes_the_place_of_the_old_one_and_can_be_replaced_again():
    once = pages.replaced(MARKED, "x", "new")
    assert once == "head\n<!-- x: written by `make accept` -->\n\nnew\n\n<!-- end of x -->\ntail\n"
    assert pages.replaced(once, "x", "new") == once


@pytest.mark.parametrize("page", ["", MARKED.partition("old")[0], MARKED.partition("old")[2]])
def test_a_page_without_its_marks_is_one_line(page):
    with pytest.raises(UserError, match="has no <!-- x"):
        pages.replaced(page, "x", "new")


def test_a_table_that_a_page_marks_is_made_from_its_csv(tmp_path):
    (tmp_path / "mx").mkdir()
    (tmp_path / "mx/speed.csv").write_text('format,"GB/s"\nmxfp4,"1,5"\n')
    page = "a\n<!-- table mx/speed: written by `make accept` -->\nold\n<!-- end of table -->\nb\n"
    written = pages.result_tables(page, tmp_path)
    assert written == (
        "a\n<!-- table mx/speed: written by `make accept` -->\n\n| format | GB/s |\n| --- | --- |\n| mxfp4 | 1,5 |\n\n"
        "<!-- end of table -->\nb\n"
    )
    assert pages.result_tables(written, tmp_path) == written


def test_a_table_that_is_not_there_is_one_line_that_names_it(tmp_path):
    page = "<!-- table mx/speed: written by `make accept` -->\n<!-- end of table -->"
    with pytest.raises(UserError, match=r"mx/speed\.csv"):
        pages.result_tables(page, tmp_path)


def test_the_committed_pages_show_the_accepted_verdicts():
    claims, titles = read_ledgers(built_in_ledgers()), {study.name: study.title for study in built_in_studies()}
    accepted = read_expected(ROOT / "paper/expected.toml")["default", "real"]
    readme, verdicts = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/verdicts.md"))
    assert pages.areas(claims, accepted, titles) in readme
    assert pages.examples(claims, accepted) in readme
    assert pages.verdicts(claims, accepted, titles) in verdicts
    example = accepted["phase_split.interference"]
    assert f"{example.estimate.split()[0]} {example.interval}" in " ".join(readme.split())
