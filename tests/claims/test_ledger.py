"""Reading a ledger: what a row may contain, and a one-line error for each mistake."""

import pytest

from jouleproof.errors import UserError
from jouleproof.evidence.ledger import read_ledger
from tests.claims.samples import INF, QUERY, row, toml


@pytest.fixture
def read(tmp_path):
    def read(*rows):
        path = tmp_path / "claims.toml"
        path.write_text(toml(rows), encoding="utf-8")
        return read_ledger(path)

    return read


def message_of(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_rows_come_in_the_order_of_the_file(read):
    assert [claim.id for claim in read(row(id="b.b"), row(id="a.a"))] == ["b.b", "a.a"]


def test_a_row_without_versions_has_one(read):
    assert read(row())[0].versions == ["-"]


def test_an_open_range_is_read(read):
    assert read(row(accept=[-INF, INF]))[0].accept == (-INF, INF)


@pytest.mark.parametrize("null", [2.0, 3.0, 1.0, 4.0])
def test_no_effect_may_lie_on_a_bound_or_outside(read, null):
    assert read(row(null=null))[0].null == null


@pytest.mark.parametrize(
    "text", ["claim = [1]", "claim = 1", "claim = " + "[" * 5000, "x = 1", "claim = [" + "9" * 5000]
)
def test_what_is_no_ledger_is_one_line(tmp_path, text):
    (tmp_path / "claims.toml").write_text(text, encoding="utf-8")
    assert "claims.toml cannot be read: " in message_of(read_ledger, tmp_path / "claims.toml")


def test_a_wrong_key_of_an_optional_table_is_one_line_too(tmp_path):
    path = tmp_path / "claims.toml"
    path.write_text(toml([row()]) + "\n[claim.against]\nbond = 1\n", encoding="utf-8")
    with pytest.raises(UserError, match="against.bond: no such key; known here: table, metric"):
        read_ledger(path)


def test_a_duplicate_id_is_refused(read):
    assert "duplicate id 'mx.thing'" in message_of(read, row(), row())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"accept": [3.0, 2.0]}, "accept=[3.0, 2.0] is empty"),
        ({"accept": [float("nan"), 2.0]}, "nan is not a number"),
        ({"published": float("nan")}, "published: nan is not a number"),
        ({"published": True}, "published: "),
        ({"published": 30.0}, "published=30.0 lies outside accept=[2.0, 3.0]; both are in 'x'"),
        ({"accept": [INF, INF]}, "accept=[inf, inf] holds no number"),
        ({"accept": ["2", 3.0]}, "accept.0: Input should be a valid number"),
        ({"null": INF}, "null: inf is not finite"),
        ({"tolerance": INF}, "tolerance: inf is not finite"),
        ({"unit": ""}, "unit: "),
        ({"versions": ["a", "a"]}, "versions names a twice"),
        ({"query": {"-": {**QUERY, "times": -1.0}}}, "query.-.times: "),
        ({"query": {"-": {**QUERY, "times": 0.0}}}, "query.-.times: "),
        (
            {"query": {"-": {**QUERY, "where": {"size": float("nan")}}}},
            "query.-.where.size: a level is a text, a finite",
        ),
        ({"query": {"-": {**QUERY, "where": {"size": []}}}}, "query.-.where.size: a level is a text, a finite"),
        ({"query": {"-": {**QUERY, "where": {"size": [1, 1]}}}}, "query.-.where.size: duplicate level 1"),
        ({"tolerance": -0.1}, "tolerance: "),
        ({"null": 2.5}, "null=2.5 lies inside accept=[2.0, 3.0]"),
        ({"tier": "guessed"}, "tier=guessed is not one of measured, simulated, cited"),
        ({"quarry": "x"}, "quarry: no such key; known here: id, "),
        ({"id": "No Id"}, "id: "),
        ({"unit": 3}, "unit: "),
        ({"query": {"published": QUERY}}, "query has unknown versions ['published']"),
        ({"versions": ["published", "corrected"], "query": {"-": QUERY}}, "query has unknown versions ['-']"),
        ({"query": {"-": {**QUERY, "best": "min"}}}, "best and by must be set together"),
        ({"query": {"-": {**QUERY, "by": "format"}}}, "best and by must be set together"),
        ({"query": {"-": {**QUERY, "best": "median", "by": "format"}}}, "query.-.best: "),
        ({"query": {"-": {**QUERY, "bound": "upper"}}}, "query.-.bound: "),
        ({"query": {"-": {**QUERY, "table": "thing"}}}, "query.-.table: "),
        ({"query": {"-": {**QUERY, "wher": "x"}}}, "query.-.wher: no such key; known here: "),
        ({"query": {"-": {"table": "mx/thing", "metric": "m"}}}, "query.-.label: Field required"),
    ],
)
def test_a_wrong_row_is_one_line_that_names_it_and_what_is_wrong(read, changes, complaint):
    message = message_of(read, row(**changes))
    assert changes.get("id", "mx.thing") in message and complaint in message


def test_a_row_without_an_id_is_one_line(read):
    nameless = {key: value for key, value in row().items() if key != "id"}
    assert "a row without id" in message_of(read, nameless)


@pytest.mark.parametrize("content", [b"[[claim]\n", b"other = 1\n", b'[claim]\nid = "mx.thing"\n', b"\xff"])
def test_a_file_that_is_no_ledger_is_one_line_that_names_it(tmp_path, content):
    path = tmp_path / "claims.toml"
    path.write_bytes(content)
    assert f"claims: {path} cannot be read" in message_of(read_ledger, path)


def test_a_ledger_that_is_not_there_is_one_line(tmp_path):
    assert "claims.toml" in message_of(read_ledger, tmp_path / "claims.toml")
