"""Comparison of verdicts with those that were accepted."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.errors import UserError
from jouleproof.evidence.expected import (
    Accepted,
    accepted,
    compare,
    dropped,
    merged,
    name_of,
    nothing_to_compare,
    read_expected,
    section_of,
    write_expected,
)
from jouleproof.evidence.verdicts import VERDICTS
from tests.claims.samples import verdict_row

REPRODUCED = Accepted("reproduced", "2.5 x", "[2.1, 2.9]", "measured")
PARTLY = Accepted("partly", "2.5 x", "[2.1, 2.9]", "measured")
WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=10)
ROWS = st.builds(Accepted, st.sampled_from(VERDICTS), WORDS, WORDS, st.sampled_from(["measured", "simulated"]))
IDS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
ORIGINS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["local", "committed", "stand-in"]))
SECTIONS = st.one_of(st.just("real"), st.sets(IDS, min_size=1).map(lambda ids: f"stand-in {', '.join(sorted(ids))}"))
KEYS = st.tuples(IDS, SECTIONS)
RUNS = st.lists(
    st.builds(
        verdict_row,
        id=st.sampled_from(["mx.thing", "mx.other", "joint.thing"]),
        verdict=st.sampled_from(VERDICTS),
        inputs=ORIGINS,
        deterministic=st.booleans(),
    ),
    unique_by=name_of,
)


def real(rows):
    return {("default", "real"): rows}


def test_what_is_accepted_is_what_a_reader_sees():
    assert accepted(verdict_row()) == REPRODUCED


def test_versions_of_a_claim_have_names_of_their_own():
    assert [name_of(verdict_row()), name_of(verdict_row(version="corrected"))] == ["mx.thing", "mx.thing (corrected)"]


def test_a_verdict_without_a_number_shows_none():
    row = verdict_row(verdict="cited", estimate=None, low=None, high=None)
    assert accepted(row) == Accepted("cited", "", "", "measured")


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.dictionaries(KEYS, st.dictionaries(WORDS.filter(bool), ROWS, max_size=3), max_size=3))
def test_what_is_written_is_read(tmp_path_factory, expected):
    path = tmp_path_factory.getbasetemp() / "expected.toml"
    write_expected(expected, path)
    assert read_expected(path) == {key: rows for key, rows in expected.items() if rows}


def test_the_same_rows_give_the_same_bytes_in_any_order_of_the_keys(tmp_path):
    one, two = ("default", "real"), ("tiny", "stand-in a")
    write_expected({one: {"mx.thing": REPRODUCED}, two: {}}, tmp_path / "a")
    write_expected({two: {}, one: {"mx.thing": REPRODUCED}}, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_reader_of_the_file_sees_the_stand_ins_in_the_head_of_their_section(tmp_path):
    write_expected({("default", "stand-in gsm8k_test, mlenergy"): {"mx.thing": REPRODUCED}}, tmp_path / "a")
    assert '[default."stand-in gsm8k_test, mlenergy"]' in (tmp_path / "a").read_text(encoding="utf-8").splitlines()


def test_nothing_is_expected_where_nothing_was_accepted(tmp_path):
    assert read_expected(tmp_path / "expected.toml") == {}


@pytest.mark.parametrize(
    "content",
    [
        *("[default", "default = 3", "[default]\nreal = 3", '[default.real]\n"mx.thing" = { verdict = "partly" }\n'),
        *("[default.stand-in]", '[default."stand-in "]', '[default."stand-in b, a"]', '[default."stand-in a, a"]'),
        *('[default."stand-in a,b, c,"]', "[default.measured]"),
    ],
)
def test_a_damaged_file_is_one_line_that_names_it(tmp_path, content):
    path = tmp_path / "expected.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="cannot be read") as caught:
        read_expected(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "section"),
    [
        ({}, "real"),
        ({"a": "local"}, "real"),
        ({"a": "downloaded"}, "real"),
        ({"a": "committed"}, "real"),
        ({"a": "local", "b": "downloaded", "c": "committed"}, "real"),
        ({"a": "local", "b": "stand-in"}, "stand-in b"),
        ({"b": "stand-in", "c": "committed", "a": "stand-in"}, "stand-in a, b"),
    ],
)
def test_a_row_is_filed_by_those_of_its_inputs_that_are_stand_ins(inputs, section):
    assert section_of(verdict_row(inputs=inputs)) == section


@pytest.mark.parametrize(
    ("rows", "before", "failures"),
    [
        ([verdict_row()], {"mx.thing": REPRODUCED}, []),
        ([verdict_row(estimate=2.6, low=2.2)], {"mx.thing": REPRODUCED}, []),
        ([verdict_row(verdict="not yet run")], {}, []),
        ([verdict_row()], {}, []),
        (
            [verdict_row(verdict="partly")],
            {"mx.thing": REPRODUCED},
            ["mx.thing: was reproduced, is partly. The thing: [2.1, 2.9] lies in [2, 3]."],
        ),
        ([verdict_row(verdict="not yet run")], {"mx.thing": REPRODUCED}, ["mx.thing: was reproduced, is not yet run."]),
        ([], {"mx.thing": REPRODUCED}, ["mx.thing: was reproduced, is no longer in the ledger"]),
    ],
    ids=["stayed", "the estimate alone moved", "still not run", "new", "moved", "no longer run", "gone"],
)
def test_a_verdict_that_moved_is_a_failure_that_says_from_where_to_where(rows, before, failures):
    comparison = compare(rows, "default", real(before))
    assert comparison.warnings == [] and len(comparison.failures) == len(failures)
    assert all(line.startswith(words) for line, words in zip(comparison.failures, failures, strict=True))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"deterministic": False}, "(rests on timings)"),
        ({"near_bound": True}, "(within numerical tolerance of a bound)"),
    ],
)
@pytest.mark.parametrize("inputs", [{}, {"a": "stand-in"}])
def test_a_timed_verdict_that_moved_or_one_near_a_bound_is_a_warning(changes, why, inputs):
    row = verdict_row(verdict="partly", inputs=inputs, **changes)
    comparison = compare([row], "default", {("default", section_of(row)): {"mx.thing": REPRODUCED}})
    assert comparison.failures == [] and [line.endswith(why) for line in comparison.warnings] == [True]


def test_one_version_that_moved_leaves_the_other_alone():
    rows = [verdict_row(version="published", verdict="partly"), verdict_row(version="corrected")]
    expected = real({"mx.thing (published)": REPRODUCED, "mx.thing (corrected)": REPRODUCED})
    failures = compare(rows, "default", expected).failures
    assert [failure.partition(":")[0] for failure in failures] == ["mx.thing (published)"]


MIXED = {
    ("default", "real"): {"mx.a": REPRODUCED, "mx.b": REPRODUCED},
    ("default", "stand-in x"): {"mx.b": PARTLY, "mx.c": PARTLY},
    ("tiny", "stand-in y"): {"mx.d": PARTLY},
}
RUN = [
    verdict_row(id="mx.a", inputs={"z": "committed"}),
    verdict_row(id="mx.b", inputs={"x": "stand-in", "z": "local"}, verdict="partly"),
    verdict_row(id="mx.c", inputs={"x": "stand-in"}),
    verdict_row(id="mx.d", inputs={"y": "stand-in"}),
]


def test_every_row_is_compared_with_its_own_combination_of_stand_ins():
    for rows in permutations(RUN):
        comparison = compare(rows, "default", MIXED)
        assert [line.partition(". ")[0] for line in comparison.failures] == ["mx.c: was partly, is reproduced"]
        assert comparison.warnings == []
        assert (comparison.unaccepted, comparison.unchanged) == ({"stand-in y": ["mx.d"]}, 2)


def test_a_row_that_is_accepted_for_other_stand_ins_alone_has_nothing_to_compare_and_has_not_gone():
    comparison = compare([verdict_row(inputs={"x": "stand-in"})], "default", real({"mx.thing": PARTLY}))
    assert (comparison.failures, comparison.unaccepted) == ([], {"stand-in x": ["mx.thing"]})


def test_a_row_that_is_no_longer_run_is_missed_even_if_only_a_stand_in_answered_it():
    expected = {("default", "stand-in x"): {"mx.thing": PARTLY}}
    assert len(compare([verdict_row(verdict="not yet run")], "default", expected).failures) == 1


def test_what_has_no_counterpart_is_one_line_that_names_the_rows_and_counts_many():
    assert nothing_to_compare("stand-in mlenergy", ["slm_energy.law"]) == (
        "slm_energy.law rests on stand-ins for mlenergy, and no such verdict is accepted"
    )
    assert nothing_to_compare("real", ["mx.a", "mx.b"]) == (
        "2 rows rest on no stand-in, and no such verdicts are accepted: mx.a, mx.b"
    )


def test_accepting_a_run_replaces_its_rows_and_keeps_those_of_other_stand_ins_and_sizes():
    after = merged(MIXED, "default", RUN)
    assert after == {
        ("default", "real"): {"mx.a": REPRODUCED, "mx.b": REPRODUCED},
        ("default", "stand-in x"): {"mx.b": PARTLY, "mx.c": REPRODUCED},
        ("default", "stand-in y"): {"mx.d": REPRODUCED},
        ("tiny", "stand-in y"): {"mx.d": PARTLY},
    }
    assert dropped(MIXED, after) == {}


def test_accepting_drops_what_the_ledger_lost_or_the_run_left_out_from_every_section_of_that_size():
    rows = [RUN[0], verdict_row(id="mx.b", verdict="not yet run")]
    after = merged(MIXED, "default", rows)
    assert after["default", "real"] == {"mx.a": REPRODUCED} and after["tiny", "stand-in y"] == {"mx.d": PARTLY}
    assert dropped(MIXED, after) == {("default", "real"): ["mx.b"], ("default", "stand-in x"): ["mx.b", "mx.c"]}


def test_two_runs_with_different_stand_ins_can_be_accepted_in_either_order(tmp_path):
    ledger = ["mx.c", "mx.a", "mx.b"]
    one = [verdict_row(id=id) for id in ledger]
    two = [verdict_row(id=id, inputs={"x": "stand-in"} if id != "mx.a" else {}) for id in ledger]
    for name, runs in (("a", (one, two)), ("b", (two, one))):
        expected = {}
        for run in runs:
            expected = merged(expected, "default", run)
        write_expected(expected, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert list(read_expected(tmp_path / "a")["default", "real"]) == ledger


@settings(derandomize=True, deadline=None, max_examples=100)
@given(RUNS, RUNS)
def test_a_run_that_was_accepted_has_nothing_to_report(earlier, run):
    expected = merged(merged({}, "default", earlier), "default", run)
    comparison = compare(run, "default", expected)
    ran = sum(row.verdict != "not yet run" for row in run)
    assert (comparison.failures, comparison.warnings, comparison.unaccepted) == ([], [], {})
    assert comparison.unchanged == ran
