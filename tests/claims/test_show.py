"""The verdict table, as a terminal and as README show it."""

import pytest

from jouleproof.errors import UserError
from jouleproof.evidence import show
from jouleproof.evidence.expected import Accepted
from tests.claims.samples import INF, claim, verdict_row

REPRODUCED = Accepted("reproduced", "2.5 x", "[2.1, 2.9]", "measured")
WAITING = {"verdict": "not yet run", "estimate": None, "low": None, "high": None}


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_terminal_has_a_line_per_row_that_ran_and_counts_the_others():
    rows = [
        verdict_row(),
        verdict_row(id="mx.other", version="corrected"),
        verdict_row(id="mx.third", **WAITING),
        *(verdict_row(id=f"joint.{name}", area="joint", **WAITING) for name in "ab"),
    ]
    head, _, *lines, empty, waiting = show.terminal(rows).splitlines()
    assert [line.split()[0] for line in (head, *lines)] == ["claim", "mx.thing", "mx.other"]
    assert (empty, waiting) == ("", "not yet run: 1 in mx, 2 in joint")


def test_the_terminals_columns_are_aligned():
    rows = [verdict_row(), verdict_row(id="mx.a_much_longer_name", verdict="not reproduced")]
    head, _, *lines = show.terminal(rows).splitlines()
    places = {line.index("[2, 3]") for line in lines} | {head.index("accepted")}
    assert len(places) == 1


def test_the_terminal_gives_range_estimate_interval_verdict_and_tier():
    line = show.terminal([verdict_row(accept=(None, 3.0))]).splitlines()[2]
    assert line.split() == ["mx.thing", "[-∞,", "3]", "2.5", "x", "[2.1,", "2.9]", "reproduced", "measured"]


def test_the_terminal_leaves_the_cells_of_a_row_without_a_number_empty():
    row = verdict_row(verdict="not testable here", estimate=None, low=None, high=None)
    assert show.terminal([row]).splitlines()[2].split() == [
        "mx.thing",
        "[2,",
        "3]",
        "not",
        "testable",
        "here",
        "measured",
    ]


def test_the_terminal_counts_nothing_where_everything_ran():
    assert "not yet run" not in show.terminal([verdict_row()])


def test_the_terminal_names_each_stand_in_once_and_no_other_flag():
    rows = [verdict_row(flags=("one model", "a is a stand-in")), verdict_row(id="mx.b", flags=("a is a stand-in",))]
    assert [line for line in show.terminal(rows).splitlines() if "note" in line] == ["note: a is a stand-in"]


def test_the_terminal_shows_a_run_in_which_nothing_ran():
    assert show.terminal([verdict_row(**WAITING)]).splitlines()[-1] == "not yet run: 1 in mx"


def test_the_markdown_table_has_a_row_per_accepted_verdict_and_counts_the_others():
    claims = [claim(), claim(id="mx.other"), claim(id="joint.a", area="joint", versions=["published", "corrected"])]
    lines = show.markdown(claims, {"mx.thing": REPRODUCED, "joint.a (corrected)": REPRODUCED}).splitlines()
    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == ["mx.thing", "joint.a"]
    assert "Not yet run: 2 rows (1 in `mx`, 1 in `joint`)." in lines


def test_a_row_of_markdown_gives_claim_promise_result_verdict_and_evidence():
    lines = show.markdown([claim(published=2.5)], {"mx.thing": REPRODUCED}).splitlines()
    assert cells(lines[4]) == [
        "`mx.thing` It is better.",
        "2.5",
        "[2, 3] x",
        "2.5 x [2.1, 2.9]",
        "**reproduced**",
        "measured",
    ]


def test_every_line_of_the_markdown_table_has_six_cells():
    lines = show.markdown([claim(), claim(id="mx.b")], {"mx.thing": REPRODUCED, "mx.b": REPRODUCED}).splitlines()
    assert {len(cells(line)) for line in lines if line.startswith("|")} == {6}


def test_a_version_is_named_after_its_claim():
    table = show.markdown([claim(versions=["corrected"])], {"mx.thing (corrected)": REPRODUCED})
    assert "| `mx.thing` (corrected) It is better. |" in table


def test_a_claim_without_a_published_number_says_so_beside_the_range_that_counts_as_agreement():
    lines = show.markdown([claim(accept=[-INF, 0.05])], {"mx.thing": REPRODUCED}).splitlines()
    assert cells(lines[4])[1:3] == ["a direction", "[-∞, 0.05] x"]


def test_the_limits_of_a_verdict_stand_beside_the_claim():
    assert "It is better. *Limit: one model.*" in show.markdown([claim(flags=["one model"])], {"mx.thing": REPRODUCED})


def test_a_table_takes_the_place_of_the_old_one_and_leaves_the_rest():
    old = f"head\n\n{show.BEGIN}\nold\n{show.END}\n\ntail\n"
    table = show.markdown([claim()], {})
    assert show.replace_table(old, table) == f"head\n\n{table}\n\ntail\n"


def test_a_table_that_was_replaced_can_be_replaced_again():
    table = show.markdown([claim()], {"mx.thing": REPRODUCED})
    once = show.replace_table(f"{show.BEGIN}{show.END}", table)
    assert show.replace_table(once, table) == once


@pytest.mark.parametrize("readme", ["", show.BEGIN, show.END, f"{show.END} {show.BEGIN}"])
def test_a_readme_without_its_marks_is_one_line(readme):
    with pytest.raises(UserError, match=r"README\.md has no"):
        show.replace_table(readme, "table")


def test_a_table_that_the_readme_marks_is_made_from_its_csv(tmp_path):
    (tmp_path / "mx").mkdir()
    (tmp_path / "mx/speed.csv").write_text('format,"GB/s"\nmxfp4,"1,5"\n')
    readme = "a\n<!-- table mx/speed: written by `make accept` -->\nold\n<!-- end of table -->\nb\n"
    made = show.replace_result_tables(readme, tmp_path)
    assert made == (
        "a\n<!-- table mx/speed: written by `make accept` -->\n\n| format | GB/s |\n| --- | --- |\n| mxfp4 | 1,5 |\n\n"
        "<!-- end of table -->\nb\n"
    )
    assert show.replace_result_tables(made, tmp_path) == made


def test_a_table_that_is_not_there_is_one_line_that_names_it(tmp_path):
    readme = "<!-- table mx/speed: written by `make accept` -->\n<!-- end of table -->"
    with pytest.raises(UserError, match=r"mx/speed\.csv"):
        show.replace_result_tables(readme, tmp_path)
