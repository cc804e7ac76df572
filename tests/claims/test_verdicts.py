"""A ledger and tables give the rows of verdicts.json."""

import json

import numpy as np
import pytest

from jouleproof.errors import UserError
from jouleproof.evidence.digits import number, span, with_span
from jouleproof.evidence.verdicts import NOT_TESTABLE, NOT_YET_RUN, read_verdicts, verdict, verdicts, write_verdicts
from tests.claims.samples import INF, QUERY, claim, query, repeats, verdict_row, write_table

PROMISED = {
    *("id", "area", "version", "says", "source", "published", "accept", "estimate", "low", "high", "unit", "verdict"),
    *("tier", "reason", "inputs", "flags", "figure"),
}


def asks(**changes):
    """Make a claim that reads mx/thing."""
    fields = {key: changes.pop(key) for key in ("context", "flags", "null", "accept", "figure") if key in changes}
    return claim(query={"-": query(**changes)}, **fields)


def answered(folder, **changes):
    return verdict(asks(**changes), "-", folder)


def message_of(folder, **changes):
    with pytest.raises(UserError) as caught:
        answered(folder, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_mean_of_the_rows_is_the_estimate(tmp_path):
    write_table(tmp_path, repeats(*[2.2, 2.4, 2.6] * 3))
    row = answered(tmp_path)
    assert row.estimate == pytest.approx(2.4)
    assert (row.verdict, row.tier) == ("reproduced", "measured")
    assert 2.2 <= row.low < row.estimate < row.high <= 2.6


def test_draws_of_a_model_give_their_range_however_many_there_are(tmp_path):
    write_table(tmp_path, repeats(*np.linspace(1.5, 2.5, 1001)))
    row = verdict(claim(query={"-": query(rows="draws")}), "-", tmp_path)
    assert (row.low, row.estimate, row.high) == pytest.approx((1.525, 2.0, 2.475))
    assert row.verdict == "inconclusive"


def test_a_claim_without_a_query_is_not_yet_run(tmp_path):
    row = verdict(claim(tier="simulated"), "-", tmp_path)
    assert (row.verdict, row.tier, row.estimate) == (NOT_YET_RUN, "simulated", None)


def test_a_claim_that_this_machine_cannot_answer_says_why(tmp_path):
    row = verdict(claim(tier="cited", untestable="No clock may be set.", figure="mx/thing"), "-", tmp_path, ("tiny",))
    assert (row.verdict, row.tier, row.reason) == (NOT_TESTABLE, "cited", "No clock may be set.")
    assert row.estimate is None and row.flags == ("tiny",) and row.figure == "mx/thing"
    with pytest.raises(ValueError, match="both a query and untestable"):
        claim(untestable="No clock may be set.", query={"-": QUERY})


def test_a_claim_whose_table_is_not_there_is_not_yet_run(tmp_path):
    assert answered(tmp_path).verdict == NOT_YET_RUN


def test_every_version_of_a_claim_has_its_own_verdict(tmp_path):
    write_table(tmp_path, repeats(2.5))
    both = claim(versions=["published", "corrected"], query={"corrected": QUERY})
    rows = verdicts([both], tmp_path)
    assert [(row.version, row.verdict) for row in rows] == [("published", NOT_YET_RUN), ("corrected", "reproduced")]


FORMATS = [{"format": name, "value": value} for name, value in (("a", 2.0), ("b", 3.0), ("c", 99.0))]
LAYERS = [
    {"format": name, "layer": layer, "value": value, "metric": metric}
    for name, layer, value, metric in (
        ("a", 1, 2.5, "m"),
        ("b", 1, 99.0, "m"),
        ("a", 2, 99.0, "m"),
        ("a", 1, 99.0, "n"),
    )
]
PAIRED = [*repeats(2.4, 2.6, format="a"), *repeats(2.9, 2.3, format="b")]
WEIGHTED = [
    {"format": name, "question": number, "tokens": tokens, "value": value}
    for name, values in (("a", (2.0, 4.0)), ("b", (3.0, 3.0)))
    for number, (tokens, value) in enumerate(zip((3, 1), values, strict=True))
]


@pytest.mark.parametrize(
    ("rows", "changes", "estimate"),
    [
        (LAYERS, {"where": {"format": "a", "layer": 1}}, 2.5),
        (FORMATS, {"where": {"format": ["a", "b"]}}, 2.5),
        (WEIGHTED[:2], {"weight": "tokens"}, (3 * 2 + 1 * 4) / 4),
        (PAIRED, {"best": "min", "by": "format"}, 2.5),
        (PAIRED, {"best": "max", "by": "format"}, 2.6),
        (WEIGHTED, {"best": "min", "by": "format", "weight": "tokens"}, 2.5),
    ],
    ids=["matching rows", "a list of levels", "weights", "the smallest", "the largest", "the smallest by weight"],
)
def test_the_query_says_which_rows_count_how_much_and_which_level_is_the_best(tmp_path, rows, changes, estimate):
    write_table(tmp_path, rows)
    assert answered(tmp_path, **changes).estimate == pytest.approx(estimate)


@pytest.mark.parametrize(
    "second",
    [repeats(2.1, format="b"), [{"format": "b", "repeat": number, "value": 2.0, "seed": 1} for number in range(2)]],
    ids=["fewer rows", "other units"],
)
def test_formats_whose_rows_do_not_pair_up_are_an_error(tmp_path, second):
    write_table(tmp_path, [*repeats(2.4, 2.6, format="a"), *second])
    assert "the rows at the levels of 'format' cannot be paired" in message_of(tmp_path, best="min", by="format")


def test_rows_of_two_tiers_are_an_error_that_names_them(tmp_path):
    rows = [{"repeat": number, "value": 2.0, "tier": tier} for number, tier in enumerate(("measured", "simulated"))]
    write_table(tmp_path, rows)
    assert "mix the tiers ['measured', 'simulated']" in message_of(tmp_path)


def test_the_tier_is_that_of_the_rows(tmp_path):
    write_table(tmp_path, repeats(2.5), tier="simulated")
    assert answered(tmp_path).tier == "simulated"


def test_a_claim_whose_rows_the_config_leaves_out_is_not_yet_run_and_says_which(tmp_path):
    write_table(tmp_path, repeats(2.5, format="a"))
    row = answered(tmp_path, where={"format": "b"})
    reason = "mx/thing has no format=b; it has a. This run's config omits it, or the ledger misspells it."
    assert (row.verdict, row.reason) == (NOT_YET_RUN, reason)


def test_the_best_of_formats_is_not_answered_from_some_of_them(tmp_path):
    write_table(tmp_path, repeats(2.5, format="a"))
    row = answered(tmp_path, where={"format": ["a", "b"]}, best="min", by="format")
    assert row.verdict == NOT_YET_RUN and row.reason.startswith("mx/thing has no format=b; it has a. ")


def test_a_published_number_is_cited_and_never_reproduced(tmp_path):
    write_table(tmp_path, repeats(*[2.5, 2.6] * 4), tier="cited")
    row = answered(tmp_path)
    assert row.verdict == "cited"
    assert "was published, not run; it lies in [2, 3]" in row.reason


def test_a_column_that_is_missing_is_an_error_that_names_it(tmp_path):
    write_table(tmp_path, repeats(2.5))
    assert "mx/thing has no column 'scale'" in message_of(tmp_path, where={"scale": "floor"})


def test_a_table_without_its_provenance_is_an_error_that_names_it(tmp_path):
    write_table(tmp_path, repeats(2.5)).with_name("thing.provenance.json").unlink()
    assert "thing.provenance.json cannot be read" in message_of(tmp_path)


def test_the_reason_gives_label_interval_and_range(tmp_path):
    write_table(tmp_path, repeats(2.5, 2.5))
    assert answered(tmp_path).reason == "The thing: [2.5, 2.5] lies in [2, 3]."


@pytest.mark.parametrize(
    ("value", "changes", "words"),
    [
        (1.5, {"null": 1.0}, "lies outside [2, 3], on the claimed side of no effect."),
        (0.5, {"null": 1.0}, "[0.5, 0.5] lies outside [2, 3]."),
        (2.5, {"bound": "lower"}, "[2.5, 2.5] covers only a part of what is claimed and does not exceed [2, 3]."),
        (0.5, {"bound": "lower"}, "[0.5, 0.5] covers only a part of what is claimed and does not exceed [2, 3]."),
        (0.5, {"accept": [float("-inf"), 1.0]}, "lies in [-∞, 1]."),
    ],
)
def test_the_reason_says_where_the_interval_lies(tmp_path, value, changes, words):
    write_table(tmp_path, repeats(value))
    assert answered(tmp_path, **changes).reason.endswith(words)


def test_the_reason_of_an_interval_across_a_bound_says_so(tmp_path):
    write_table(tmp_path, repeats(1.0, 3.0, 1.0, 3.0))
    row = answered(tmp_path)
    assert row.verdict == "inconclusive"
    assert row.reason.endswith("straddles a bound of [2, 3].")


def test_context_is_in_the_reason_and_not_in_the_verdict(tmp_path):
    write_table(tmp_path, repeats(2.5))
    write_table(tmp_path, repeats(99.0), "mx/other")
    row = answered(tmp_path, context=[query(table="mx/other", label="Elsewhere")])
    assert (row.verdict, row.estimate) == ("reproduced", 2.5)
    assert row.reason == "The thing: [2.5, 2.5] lies in [2, 3]. Elsewhere: 99 [99, 99]."


def test_context_that_was_not_run_is_left_out(tmp_path):
    write_table(tmp_path, repeats(2.5))
    row = answered(tmp_path, context=[query(table="mx/other", label="Elsewhere")])
    assert row.reason == "The thing: [2.5, 2.5] lies in [2, 3]."


def test_a_stand_in_is_a_flag_after_those_of_the_ledger(tmp_path):
    write_table(tmp_path, repeats(2.5), inputs={"b": "stand-in", "a": "stand-in", "c": "local"})
    row = answered(tmp_path, flags=["one model"])
    assert row.flags == ("one model", "a is a stand-in", "b is a stand-in")
    assert row.inputs == {"a": "stand-in", "b": "stand-in", "c": "local"}


def test_every_verdict_of_a_run_has_the_inputs_of_its_tables_alone(tmp_path):
    write_table(tmp_path, repeats(2.5), inputs={"a": "stand-in", "b": "local"})
    write_table(tmp_path, repeats(2.5), "mx/other", inputs={"b": "local"})
    write_table(tmp_path, repeats(2.5), "mx/third", inputs={"c": "stand-in"})
    claims = [
        claim(query={"-": query()}),
        claim(id="mx.other", query={"-": query(table="mx/other")}),
        claim(id="mx.harder", query={"-": query(table="mx/other")}, against=query(table="mx/third", bound="lower")),
        claim(id="mx.unknown"),
    ]
    a, b, c = {"a": "stand-in"}, {"b": "local"}, {"c": "stand-in"}
    assert [row.inputs for row in verdicts(claims, tmp_path)] == [a | b, b, b | c, {}]


def test_a_stand_in_of_the_context_is_a_flag_too(tmp_path):
    write_table(tmp_path, repeats(2.5))
    write_table(tmp_path, repeats(2.5), "mx/other", inputs={"a": "stand-in"})
    row = answered(tmp_path, context=[query(table="mx/other", label="Elsewhere")])
    assert row.flags == ("a is a stand-in",)


@pytest.mark.parametrize(
    ("timed", "busy", "flags"),
    [(True, True, ("the machine was busy",)), (True, False, ()), (False, True, ()), (False, False, ())],
)
def test_a_busy_machine_is_a_flag_where_the_result_is_a_timing(tmp_path, timed, busy, flags):
    write_table(tmp_path, repeats(2.4, 2.5, 2.6), timed=timed, busy=busy)
    assert answered(tmp_path).flags == flags


def test_a_busy_machine_is_no_flag_on_a_count_beside_timings(tmp_path):
    write_table(tmp_path, repeats(2.5), timed=True, busy=True)
    assert answered(tmp_path).flags == ()


@pytest.mark.parametrize("timed", [True, False])
def test_a_timing_is_not_deterministic(tmp_path, timed):
    write_table(tmp_path, repeats(2.5), timed=timed)
    assert answered(tmp_path).deterministic is not timed


@pytest.mark.parametrize(
    ("value", "near"), [(2 * (1 + 5e-5), True), (3 * (1 - 5e-5), True), (2.0, False), (2.5, False), (2.001, False)]
)
def test_an_interval_that_ends_within_tolerance_of_a_bound_says_so(tmp_path, value, near):
    write_table(tmp_path, repeats(value))
    assert answered(tmp_path).near_bound is near


def test_the_figure_goes_with_the_verdict(tmp_path):
    write_table(tmp_path, repeats(2.5))
    assert answered(tmp_path, figure="mx/thing").figure == "mx/thing"


def test_what_is_written_is_read(tmp_path):
    write_table(tmp_path, repeats(2.5), inputs={"a": "stand-in"})
    rows = verdicts([asks(flags=["one"]), claim(id="mx.other", accept=[float("-inf"), 1])], tmp_path)
    write_verdicts(rows, tmp_path / "verdicts.json")
    assert read_verdicts(tmp_path / "verdicts.json") == rows


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_verdicts([verdict_row()], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_is_json_without_nan_or_infinity(tmp_path):
    rows = verdicts([claim(accept=[float("-inf"), float("inf")]), claim(id="mx.other", accept=[1, 2])], tmp_path)
    write_verdicts(rows, tmp_path / "verdicts.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    first, _ = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert first["accept"] == [None, None]


def test_a_number_that_is_none_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_verdicts([verdict_row(estimate=float("nan"))], tmp_path / "verdicts.json")
    assert list(tmp_path.iterdir()) == []


def test_an_object_has_the_promised_keys_and_what_check_needs(tmp_path):
    write_verdicts([verdict_row()], tmp_path / "verdicts.json")
    (row,) = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"))
    assert set(row) == PROMISED | {"deterministic", "near_bound", "reading"}


def test_verdicts_that_are_not_there_say_which_command_makes_them(tmp_path):
    with pytest.raises(UserError, match=r"verdicts\.json does not exist; run `snakemake` first"):
        read_verdicts(tmp_path / "verdicts.json")


def test_verdicts_that_the_system_refuses_are_one_line_in_its_words(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)$"):
        read_verdicts(tmp_path)


@pytest.mark.parametrize("content", ["", "[{}]", "{}1", '[{"accept": 3, "flags": []}]', '{"a": 1}'])
def test_damaged_verdicts_are_one_line_that_names_them(tmp_path, content):
    (tmp_path / "verdicts.json").write_text(content)
    with pytest.raises(UserError, match="is damaged") as caught:
        read_verdicts(tmp_path / "verdicts.json")
    assert "\n" not in str(caught.value)


def test_a_number_has_four_significant_digits_and_an_exponent_only_where_it_must():
    texts = [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (-0.5, "-0.5"),
        (3.76470588, "3.765"),
        (0.00123456, "0.001235"),
        (0.0001, "0.0001"),
        (0.00001234, "1.23e-05"),
        (123456.0, "123500"),
        (1e6, "1e+06"),
        (float("inf"), "∞"),
        (float("-inf"), "-∞"),
    ]
    assert [(value, number(value)) for value, text in texts if number(value) != text] == []


def test_a_side_that_is_none_is_open():
    assert [span(1.0, 2.5), span(None, 2.0), span(0.0, None)] == ["[1, 2.5]", "[-∞, 2]", "[0, ∞]"]


def test_an_estimate_is_written_before_its_interval_and_nothing_where_there_is_none():
    assert [with_span(2.0, 1.0, 3.0), with_span(None, None, None)] == ["2 [1, 3]", ""]


def harder(**changes):
    return query(**{"table": "mx/harder", "bound": "lower", "label": "The harder case", **changes})


@pytest.mark.parametrize(
    ("values", "decided", "estimate", "begins", "holds"),
    [
        ((4.0, 4.4), "not reproduced", 4.2, "The harder case: ", "The thing: 1.1"),
        (
            (2.9, 3.2),
            "inconclusive",
            1.1,
            "The thing: ",
            "The harder case that follows does not lie wholly in the range",
        ),
        ((1.0, 1.3), "reproduced", 1.1, "The thing: ", "The harder case: 1.15"),
    ],
    ids=["tells against it", "leaves the question open", "is only reported"],
)
def test_a_harder_case_decides_where_it_tells_against_the_claim(tmp_path, values, decided, estimate, begins, holds):
    write_table(tmp_path, repeats(*[1.0, 1.2] * 5))
    write_table(tmp_path, repeats(*values * 5), name="mx/harder")
    row = verdict(claim(accept=[-INF, 3.0], query={"-": query()}, against=harder()), "-", tmp_path)
    assert row.verdict == decided and row.estimate == pytest.approx(estimate)
    assert row.reason.startswith(begins) and holds in row.reason


def test_a_factor_brings_rows_into_the_claims_unit(tmp_path):
    write_table(tmp_path, repeats(*[1.0, 1.2] * 5))
    row = verdict(claim(accept=[4.0, 5.0], query={"-": query(times=4.0)}), "-", tmp_path)
    assert row.verdict == "reproduced" and row.estimate == pytest.approx(4.4)


@pytest.mark.parametrize("name", ["mx/harder", "mx/absent"])
def test_evidence_that_this_run_does_not_have_changes_nothing(tmp_path, name):
    write_table(tmp_path, repeats(*[1.0, 1.2] * 5))
    write_table(tmp_path, repeats(4.0), name="mx/harder")
    against = harder(table=name, where={"metric": "absent"})
    row = verdict(claim(accept=[-INF, 3.0], query={"-": query()}, against=against), "-", tmp_path)
    assert row.verdict == "reproduced"


def test_evidence_against_has_to_be_a_lower_bound():
    with pytest.raises(ValueError, match="lower"):
        claim(query={"-": query()}, against=harder(bound=None))


def test_evidence_that_nearly_tells_against_a_claim_is_near_a_bound(tmp_path):
    write_table(tmp_path, repeats(*[1.0, 1.2] * 5))
    write_table(tmp_path, repeats(*[2.99] * 10), name="mx/harder")
    row = claim(accept=[-INF, 3.0], query={"-": query()}, against=harder(), tolerance=0.02)
    assert verdict(row, "-", tmp_path).near_bound
    assert not verdict(claim(accept=[-INF, 3.0], query={"-": query()}, against=harder()), "-", tmp_path).near_bound
