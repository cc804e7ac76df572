"""The verdict table, as a terminal shows it."""

from jouleproof.evidence import show
from tests.claims.samples import verdict_row

WAITING = {"verdict": "not yet run", "estimate": None, "low": None, "high": None}


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


def test_the_terminal_marks_the_rows_that_rest_on_a_stand_in():
    rows = [verdict_row(inputs={"a": "stand-in", "b": "local"}), verdict_row(id="mx.other", inputs={"b": "local"})]
    _, _, first, second, note = show.terminal(rows).splitlines()
    assert "reproduced † " in first and "†" not in second and note == "note: † rests on a stand-in"


def test_the_terminal_shows_a_run_in_which_nothing_ran():
    assert show.terminal([verdict_row(**WAITING)]).splitlines()[-1] == "not yet run: 1 in mx"
