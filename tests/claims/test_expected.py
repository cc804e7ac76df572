"""Comparison of verdicts with those that were accepted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.errors import UserError
from jouleproof.evidence.expected import Accepted, accepted, compare, key_of, name_of, read_expected, write_expected
from jouleproof.evidence.verdicts import VERDICTS
from tests.claims.samples import verdict_row

REPRODUCED = Accepted("reproduced", "2.5 x", "[2.1, 2.9]", "measured")
WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=10)
ROWS = st.builds(Accepted, st.sampled_from(VERDICTS), WORDS, WORDS, st.sampled_from(["measured", "simulated"]))
KEYS = st.tuples(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), st.sampled_from(["real", "stand-in"]))


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
    assert read_expected(path) == expected or not all(expected.values())


def test_the_same_rows_give_the_same_bytes_in_any_order_of_the_keys(tmp_path):
    one, two = ("default", "real"), ("tiny", "stand-in")
    write_expected({one: {"mx.thing": REPRODUCED}, two: {}}, tmp_path / "a")
    write_expected({two: {}, one: {"mx.thing": REPRODUCED}}, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_expected_where_nothing_was_accepted(tmp_path):
    assert read_expected(tmp_path / "expected.toml") == {}


@pytest.mark.parametrize(
    "content", ["[default", "default = 3", '[default.real]\n"mx.thing" = { verdict = "partly" }\n']
)
def test_a_damaged_file_is_one_line_that_names_it(tmp_path, content):
    path = tmp_path / "expected.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="cannot be read") as caught:
        read_expected(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        ([{}], "real"),
        ([{"a": "local"}], "real"),
        ([{"a": "downloaded"}], "real"),
        ([{"a": "local"}, {"b": "downloaded"}], "real"),
        ([{"a": "local"}, {"a": "local", "b": "stand-in"}], "stand-in"),
    ],
)
def test_local_and_downloaded_inputs_are_real_and_one_stand_in_is_enough_to_be_none(origins, origin):
    assert key_of("default", [verdict_row(inputs=inputs) for inputs in origins]) == ("default", origin)


@pytest.mark.parametrize(
    ("rows", "before", "failures"),
    [
        ([verdict_row()], {"mx.thing": REPRODUCED}, []),
        ([verdict_row(estimate=2.6, low=2.2)], {"mx.thing": REPRODUCED}, []),
        ([verdict_row(verdict="not yet run")], {}, []),
        ([verdict_row()], {}, ["mx.thing: was not yet run, is reproduced."]),
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
    comparison = compare(rows, before)
    assert comparison.warnings == [] and len(comparison.failures) == len(failures)
    assert all(line.startswith(words) for line, words in zip(comparison.failures, failures, strict=True))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"deterministic": False}, "(rests on timings)"),
        ({"near_bound": True}, "(within numerical tolerance of a bound)"),
    ],
)
def test_a_timed_verdict_that_moved_or_one_near_a_bound_is_a_warning(changes, why):
    comparison = compare([verdict_row(verdict="partly", **changes)], {"mx.thing": REPRODUCED})
    assert comparison.failures == [] and [line.endswith(why) for line in comparison.warnings] == [True]


def test_one_version_that_moved_leaves_the_other_alone():
    rows = [verdict_row(version="published", verdict="partly"), verdict_row(version="corrected")]
    expected = {"mx.thing (published)": REPRODUCED, "mx.thing (corrected)": REPRODUCED}
    assert [failure.partition(":")[0] for failure in compare(rows, expected).failures] == ["mx.thing (published)"]
