"""A ledger is checked against the tables and figures that exist before any of its claims is judged."""

from pathlib import Path

import pytest

from jouleproof.cli.claims import built_in_ledgers
from jouleproof.errors import UserError
from jouleproof.evidence import tables
from jouleproof.evidence.estimates import LeftOutError, selected
from jouleproof.evidence.ledger import read_ledger
from jouleproof.evidence.ledger_check import check_figures, check_tables
from jouleproof.evidence.verdicts import NOT_YET_RUN, verdict
from tests.claims.samples import QUERY, claim, query, repeats, row, toml, write_table
from tests.figures.samples import FOLDER

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    {"format": name, "size": size, "tokens": 3, "fast": True, "seed": seed, "value": 2.5}
    for name in ("mxfp4", "mxfp8")
    for size in (0.5, 0.1)
    for seed in range(3)
]
ONE = {"format": "mxfp4", "size": 0.5}


class Run:
    """A folder with the ledger of a user's study and its results."""

    def __init__(self, folder):
        self.folder, self.ledger = folder, folder / "claims.toml"
        write_table(folder, ROWS, unit="fraction")

    def claims(self, *rows):
        self.ledger.write_text(toml(rows), encoding="utf-8")

    def claim(self, query=None, **changes):
        asked = {**QUERY, "where": ONE, **(query or {})}
        self.claims(row(**{"unit": "fraction", "query": {"-": asked}, **changes}))

    def check(self, built_in=()):
        check_tables([self.ledger], self.folder, built_in)

    def refused(self, **how):
        with pytest.raises(UserError) as caught:
            self.check(**how)
        (line,) = str(caught.value).splitlines()
        assert line.startswith(f"claims: {self.ledger}: mx.thing: ")
        return line


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_the_built_in_ledgers_fit_their_tables_and_figures():
    ledgers = built_in_ledgers()
    check_tables(ledgers, FOLDER / "built_in", ledgers)
    check_tables(ledgers, FOLDER / "own", ledgers)
    check_figures(ledgers, ROOT / "figures")


@pytest.mark.parametrize(
    ("unit", "times", "table"),
    [
        ("fraction", 1.0, "fraction"),
        ("share", 1.0, "fraction"),
        ("share of tasks", 1.0, "share"),
        ("%", 100.0, "fraction"),
        ("fraction", 0.01, "%"),
        ("x", 1.0, "ratio"),
        ("W", 1000.0, "kW"),
        ("mJ/token", 1000.0, "J/token"),
        ("kWh", 1 / 3.6e6, "J"),
        ("nats/token", 4.0, "nats/byte"),
        ("dB", 1.0, "dB"),
    ],
)
def test_a_claim_in_the_unit_of_its_table_is_judged(run, unit, times, table):
    write_table(run.folder, ROWS, unit=table)
    run.claim({"times": times}, unit=unit)
    run.check()


@pytest.mark.parametrize(
    ("unit", "times", "table", "words"),
    [
        ("%", 1.0, "fraction", "'%' with times = 1, but mx/thing has m in 'fraction'; set times = 100, or state"),
        ("fraction", 1.0, "%", "set times = 0.01, or state the claim in '%'"),
        ("fraction", 100.0, "share", "set times = 1"),
        ("dB", 20.0, "dB", "set times = 1"),
        ("W", 1.0, "kW", "set times = 1000, or state the claim in 'kW'"),
        ("fraction", 1.0, "x", "unit = 'fraction', but mx/thing has m in 'x'; state the claim in 'x'"),
        ("fraction", 0.5, "x", "state the claim in 'x'"),
        ("J", 1.0, "W", "state the claim in 'W'"),
        ("nats/token", 1.0, "nats/byte", "state the claim in 'nats/byte'"),
        ("percents", 100.0, "fraction", "state the claim in 'fraction'"),
        ("nats/token", 4.0, "bits/byte", "state the claim in 'bits/byte'"),
    ],
)
@pytest.mark.parametrize("key", ["query", "against"])
def test_a_claim_in_another_unit_than_its_table_is_refused(run, key, unit, times, table, words):
    write_table(run.folder, ROWS, unit=table)
    run.claim({"times": times}, unit=unit)
    if key == "against":
        query = {**QUERY, "where": ONE, "times": times, "bound": "lower"}
        run.claims(row(unit=unit, against=query))
    line = run.refused()
    assert f": {key}" in line and words in line


def test_rows_of_several_units_are_refused(run):
    write_table(run.folder, [{**one, "unit": "s" if one["seed"] else "ms"} for one in ROWS])
    run.claim(unit="s")
    assert "query.-: its rows mix the units ms, s" in run.refused()


def test_context_has_a_unit_of_its_own(run):
    run.claims(row(unit="dB", context=[{**QUERY, "where": ONE}]))
    run.check()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"where": {**ONE, "fromat": "mxfp4"}}, "has no column 'fromat'; did you mean 'format'?"),
        ({"where": {**ONE, "scale": "floor"}}, "has no column 'scale'; known: fast, format, size, tokens"),
        ({"by": "fromat", "best": "min"}, "has no column 'fromat'"),
        ({"weight": "token"}, "has no column 'token'; did you mean 'tokens'?"),
        ({"across": ["sizes"]}, "has no column 'sizes'; did you mean 'size'?"),
        ({"weight": "format"}, "weight: 'format' has mxfp4, mxfp8, not numbers of at least 0"),
        ({"metric": "em"}, "has no metric 'em'; known: m"),
        ({"where": {**ONE, "size": "0.5"}}, "where.size: '0.5' is a text, but mx/thing has 0.1, 0.5"),
        ({"where": {**ONE, "format": 4}}, "where.format: 4 is a number, but mx/thing has mxfp4, mxfp8"),
        ({"where": {**ONE, "fast": 1}}, "where.fast: 1 is a number, but mx/thing has True"),
        ({"where": {**ONE, "tokens": True}}, "where.tokens: True is a truth value, but mx/thing has 3"),
        ({"where": {**ONE, "format": "mxpf4"}}, "where.format: 'mxpf4' is not 'mxfp4'"),
        ({"units": "sedes"}, "units: 'sedes' is not 'seeds'"),
        ({"units": "sees"}, "units: 'sees' is not 'seeds'"),
        (
            {"where": {"size": 0.5}},
            "its rows mix 2 levels of 'format' (mxfp4, mxfp8); name one in where, or 'format' in",
        ),
        ({"where": {}, "across": ["format"]}, "its rows mix 2 levels of 'size' (0.1, 0.5)"),
    ],
)
@pytest.mark.parametrize("key", ["query", "context"])
def test_a_query_that_does_not_fit_its_table_is_one_line_that_says_what_would(run, key, query, words):
    asked = {**QUERY, "where": ONE, **query}
    run.claims(row(unit="fraction", query={"-": asked}) if key == "query" else row(context=[asked]))
    line = run.refused()
    assert f": {key}" in line and words in line


@pytest.mark.parametrize(
    "query",
    [
        {"where": {"size": 0.5}, "across": ["format"]},
        {"where": {"size": 0.5, "format": ["mxfp4", "mxfp8"]}},
        {"where": {"size": 0.5}, "best": "min", "by": "format"},
        {"where": {**ONE, "fast": True, "tokens": 3.0}},
        {"where": {**ONE, "size": 5.0}},
        {"where": {**ONE, "format": "mxfp6"}},
        {"units": "seeds", "weight": "tokens"},
        {"units": "rows of servers"},
        {"table": "mx/other", "metric": "none"},
    ],
)
def test_a_query_that_fits_or_that_a_config_can_leave_out_is_judged(run, query):
    run.claim(query)
    run.check()


def test_a_column_that_follows_from_those_that_are_named_does_not_mix(run):
    rows = [{"question": number, "tokens": 10 + number, "value": 2.5} for number in range(4)]
    write_table(run.folder, rows)
    run.claim({"where": {}, "across": ["question"]}, unit="x")
    run.check()


def test_a_metric_may_be_left_out_of_the_table_of_a_built_in_study_or_of_another_study(run):
    run.claim({"metric": "speed"})
    run.check(built_in=[run.ledger])
    run.claim({"metric": "speed"}, id="spin.thing", area="spin")
    run.check()


def test_rows_of_a_better_tier_than_the_claims_are_refused(run):
    run.claim(tier="simulated")
    assert "its rows are measured, which is better than tier = 'simulated'" in run.refused()
    write_table(run.folder, repeats(2.5), tier="cited", unit="fraction")
    run.claim({"where": {}})
    run.check()


def test_every_claim_that_is_wrong_has_a_line(run):
    run.claims(*(row(id=f"mx.{name}", unit="%", query={"-": {**QUERY, "where": ONE}}) for name in ("a", "b")))
    with pytest.raises(UserError) as caught:
        run.check()
    assert [line.split(": ")[2] for line in str(caught.value).splitlines()] == ["mx.a", "mx.b"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "ms"}, "has no metric=ms; it has m."),
        ({"where": {"size": 5.0}}, "has no size=5.0; it has 0.1, 0.5."),
        (
            {"where": {"format": "mxpf4"}},
            "has no format=mxpf4; it has mxfp4. This run's config omits it, or the ledger ",
        ),
        ({"where": {"format": "mxpf4"}}, "misspells it (did you mean mxfp4?)."),
    ],
)
def test_a_level_that_is_not_there_is_named_with_those_that_are(tmp_path, changes, words):
    write_table(tmp_path, [{"format": "mxfp4", "size": size, "value": 2.5} for size in (0.5, 0.1)])
    row = verdict(claim(query={"-": query(**changes)}), "-", tmp_path)
    assert row.verdict == NOT_YET_RUN and words in row.reason


def test_a_table_that_is_not_there_is_named(tmp_path):
    asked = claim(query={"-": query()})
    assert verdict(asked, "-", tmp_path).reason == "This run has no table mx/thing; of that study, it has none."
    write_table(tmp_path, repeats(2.5), "mx/things")
    assert verdict(asked, "-", tmp_path).reason.endswith("mx/thing; of that study, it has things.")


def test_a_figure_that_does_not_exist_is_one_line(tmp_path):
    ledger, figures = tmp_path / "claims.toml", tmp_path / "figures"
    figures.mkdir()
    (figures / "shares.py").write_text("")

    def check(figure, built_in=ROOT / "figures"):
        ledger.write_text(toml([row(id="zeros.thing", area="zeros", figure=figure)]), encoding="utf-8")
        check_figures([ledger], built_in)

    check("zeros/shares")
    check("mx/matvec")
    check("mx/anything", tmp_path / "none")
    for figure, words in (
        ("zeros/share", "did you mean 'zeros/shares'?"),
        ("mx/none", "known: "),
        ("mxx/matvec", "did you mean 'mx/matvec'?"),
        ("none", "known: "),
    ):
        with pytest.raises(UserError, match=f"claims.toml: zeros.thing: figure: '{figure}' does not exist; {words}"):
            check(figure)


def test_a_built_in_claim_on_a_table_in_another_unit_is_refused(tmp_path):
    wrong = []
    for ledger in built_in_ledgers():
        cases = [(one.id, asked) for one in read_ledger(ledger) for asked in one.query.values()]
        for name, asked in cases:
            try:
                rows = selected(asked, tables.read(FOLDER / "built_in" / f"{asked.table}.parquet"))
            except LeftOutError:
                continue
            write_table(tmp_path / name, rows.assign(unit="kg").to_dict("records"), asked.table)
            with pytest.raises(UserError, match=f"{name}: query.*unit = "):
                check_tables([ledger], tmp_path / name, [ledger])
            wrong.append(name)
    assert len(set(wrong)) > 40
