"""The artifact appendix: its facts about a run, and its typesetting from them alone."""

import json
import sys
from pathlib import Path

import pytest
import typst

from jouleproof.cli.claims import built_in_ledgers
from jouleproof.drawing.registry import Figure
from jouleproof.errors import UserError
from jouleproof.evidence.ledger import read_ledgers
from jouleproof.evidence.verdicts import write_verdicts
from jouleproof.study import built_in_studies, tables_read
from paper.appendix import appendix
from tests.claims.samples import QUERY, claim, verdict_row
from tests.pictures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
MACHINE = {
    "processor": "One",
    "architecture": "x86_64",
    "cores": 2,
    "memory_bytes": 2**33,
    "system": "S 1",
    "python": "3.11",
}
RECORD = {
    "wall_s": 60.0,
    "cpu_s": 30.0,
    "timed": False,
    "machine": MACHINE,
    "code": {"commit": "c" * 40, "dirty": False},
    "inputs": {},
    "peak_memory_bytes": 2**30,
}


@pytest.fixture(autouse=True)
def environment(tmp_path_factory, monkeypatch):
    """Make a small Python environment in place of the one that runs the tests."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "lib").mkdir()
    (folder / "lib/module.py").write_bytes(bytes(7))
    (folder / "python").symlink_to(sys.executable)
    monkeypatch.setattr(sys, "prefix", str(folder))


def record(results, name, **values):
    path = results / f"{name}.provenance.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**RECORD, **values}), encoding="utf-8")


def picture(name, kind, *sources):
    return {name: Figure(name, kind, "T", "C", sources, Path("m.py"))}


def of_claim(results, pictures=None, reads=None, **changes):
    return appendix(results, [claim(**changes)], pictures or {}, reads or {})["claims"]["mx.thing"]


def test_a_claim_takes_its_tables_and_those_of_its_picture_each_once(tmp_path):
    for name in ("mx/thing", "mx/aside", "mx/drawn"):
        record(tmp_path, name)
    entry = of_claim(
        tmp_path,
        picture("mx/seen", "figure", "mx/thing", "mx/drawn"),
        query={"-": QUERY},
        context=[{**QUERY, "table": "mx/aside"}, QUERY],
        figure="mx/seen",
    )
    assert entry["targets"] == ["results/mx/thing.parquet", "results/mx/aside.parquet", "results/figures/mx/seen.pdf"]
    assert entry["files"] == [f"results/figures/mx/seen.{suffix}" for suffix in ("pdf", "svg", "png")]
    assert (entry["wall_s"], entry["cpu_s"], entry["missing"]) == (180.0, 90.0, [])


def test_evidence_on_a_harder_case_is_part_of_the_command(tmp_path):
    record(tmp_path, "mx/thing")
    entry = of_claim(tmp_path, query={"-": QUERY}, against={**QUERY, "table": "mx/hard", "bound": "lower"})
    assert entry["targets"] == ["results/mx/thing.parquet", "results/mx/hard.parquet"]


def test_what_the_tables_are_made_from_counts_as_well(tmp_path):
    for name in ("placement/sensed", "phase_split/power_trace", "mx/other"):
        record(tmp_path, name)
    record(tmp_path, "phase_split/power_trace", wall_s=5.0, timed=True)
    reads = tables_read(built_in_studies())
    entry = of_claim(tmp_path, reads=reads, query={"-": {**QUERY, "table": "placement/sensed"}})
    assert (entry["wall_s"], entry["timed"]) == (65.0, True)


def test_a_table_of_text_is_shown_where_it_lies(tmp_path):
    record(tmp_path, "mx/thing")
    entry = of_claim(tmp_path, picture("mx/words", "table", "mx/thing"), query={"-": QUERY}, figure="mx/words")
    assert entry["targets"][-1] == "results/tables/mx/words.csv"
    assert [file.rpartition(".")[2] for file in entry["files"]] == ["csv", "tex", "html"]


def test_an_experiment_without_a_record_is_named_and_has_no_time(tmp_path):
    record(tmp_path, "mx/other")
    entry = of_claim(tmp_path, query={"-": QUERY})
    assert (entry["missing"], entry["wall_s"]) == (["mx/thing"], 0)


def test_a_claim_without_a_query_has_no_command(tmp_path):
    record(tmp_path, "mx/other")
    entry = of_claim(tmp_path, picture("mx/seen", "figure", "mx/other"), figure="mx/seen", untestable="no such machine")
    assert (entry["targets"], entry["files"]) == ([], [])


def test_a_machine_is_named_once_though_its_records_differ_in_what_the_appendix_does_not_show(tmp_path):
    record(tmp_path, "mx/one", machine={**MACHINE, "governor": "powersave"})
    record(tmp_path, "mx/other", machine={**MACHINE, "governor": "performance"})
    record(tmp_path, "mx/old")
    assert appendix(tmp_path, [], {}, {})["machines"] == [MACHINE]


def test_the_run_is_added_up_and_the_most_memory_counts(tmp_path):
    record(tmp_path, "mx/one", timed=True, peak_memory_bytes=3 * 2**30)
    record(tmp_path, "mx/other", inputs={"gsm8k_test": {"origin": "stand-in"}})
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs/a.csv").write_bytes(bytes(100))
    facts = appendix(tmp_path, [], {}, {})
    assert facts["time"] == {"experiments": 2, "timed": 1, "wall_s": 120.0, "cpu_s": 60.0, "together_s": 120.0}
    assert facts["peak_memory_bytes"] == 3 * 2**30 and facts["machines"] == [MACHINE]
    assert (facts["disk"]["inputs_bytes"], facts["disk"]["environment_bytes"]) == (100, 7)
    assert facts["disk"]["tables_bytes"] == sum(path.stat().st_size for path in (tmp_path / "mx").iterdir())
    (used,) = facts["inputs"]
    assert (used["id"], used["origin"], used["licence"]) == ("gsm8k_test", "stand-in", "MIT")


def test_without_a_virtual_environment_its_size_is_not_guessed(tmp_path, monkeypatch):
    record(tmp_path, "mx/one")
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert appendix(tmp_path, [], {}, {})["disk"]["environment_bytes"] is None


def test_a_folder_in_which_nothing_ran_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no provenance of a run here"):
        appendix(tmp_path, [], {}, {})


def test_every_claim_of_the_ledger_has_a_command_for_existing_pictures_or_says_why_not(tmp_path):
    record(tmp_path, "mx/one")
    claims = read_ledgers(built_in_ledgers())
    entries = appendix(tmp_path, claims, FIGURES, {})["claims"]
    assert {claim.id for claim in claims if not entries[claim.id]["targets"]} == {
        claim.id for claim in claims if not claim.query
    }
    assert all(entries[claim.id]["files"] for claim in claims if claim.query and claim.figure)


def typeset(folder, rows, **values):
    """Typeset the appendix; return its headings and the PDF."""
    results = folder / "results"
    record(results, "mx/thing", **values)
    claims = [claim(query={"-": QUERY}), claim(id="own.thing", area="own", untestable="None here.")]
    facts = appendix(results, claims, {}, {})
    (results / "appendix.json").write_text(json.dumps(facts), encoding="utf-8")
    write_verdicts(rows, results / "verdicts.json")
    (results / "verdicts.size.txt").write_text("tiny\n")
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for name in ("appendix.typ", "numbers.typ"):
        (folder / "paper").mkdir(exist_ok=True)
        (folder / "paper" / name).write_bytes((ROOT / "paper" / name).read_bytes())
    titles = json.dumps({study.name: study.title for study in built_in_studies()})
    asked = {"root": str(folder), "ignore_system_fonts": True, "sys_inputs": {"titles": titles}}
    source = str(folder / "paper/appendix.typ")
    headings = json.loads(typst.query(source, "heading", field="body", **asked))
    return [heading.get("text") for heading in headings], typst.compile(source, timestamp=0, **asked)


ROWS = [
    verdict_row(),
    verdict_row(version="corrected", verdict="cited", reading="supports", accept=(None, 3.0)),
    verdict_row(id="own.thing", area="own", verdict="not testable here", estimate=None, low=None, high=None),
]


def test_the_sections_stand_in_the_order_that_evaluators_use(tmp_path):
    headings, pdf = typeset(tmp_path, ROWS)
    assert headings == [
        "Abstract",
        "Checklist",
        "How to get it",
        "Requirements",
        "Installation",
        "Workflow",
        "Claims, one by one",
        "MX formats",
        "own",
        "Customisation",
        "What is not supported",
    ]
    assert pdf.startswith(b"%PDF")


def test_a_record_without_memory_and_a_run_outside_a_checkout_are_typeset_too(tmp_path):
    code = {"commit": None, "dirty": None}
    _, pdf = typeset(tmp_path, ROWS, peak_memory_bytes=0, code=code)
    assert pdf.startswith(b"%PDF")


def test_the_same_records_give_the_same_bytes(tmp_path):
    assert typeset(tmp_path, ROWS)[1] == typeset(tmp_path, ROWS)[1]
