"""`jouleproof claims`, run in a separate project folder."""

import json
from importlib import import_module

import pytest
from typer.testing import CliRunner

from jouleproof.cli import app
from jouleproof.evidence.expected import accepted, read_expected, write_expected
from jouleproof.evidence.verdicts import write_verdicts
from tests.claims.samples import QUERY, repeats, row, toml, verdict_row, write_table

MARKED = "<!-- {0}: written by `make accept` -->\nold\n<!-- end of {0} -->\n"
README = f"head\n{MARKED.format('examples')}{MARKED.format('areas')}tail\n"


class Project:
    """A working folder with a ledger of one claim, the only built-in one, and, on request, verdicts."""

    def __init__(self, folder):
        self.folder = folder
        self.readme, self.expected = folder / "README.md", folder / "paper/expected.toml"
        self.verdicts = folder / "docs/verdicts.md"
        self.ledger = folder / "claims.toml"
        for part in ("docs", "paper", "results/figures"):
            (folder / part).mkdir(parents=True)
        self.ledger.write_text(toml([row(query={"-": QUERY})]), encoding="utf-8")
        (folder / "results/figures/overview.png").write_bytes(b"a picture")
        self.readme.write_text(README, encoding="utf-8")
        self.verdicts.write_text(MARKED.format("verdicts"), encoding="utf-8")
        (folder / "docs/performance.md").write_text("Fast.\n", encoding="utf-8")

    def ran(self, *rows, size="default"):
        (self.folder / "results/verdicts.size.txt").write_text(size + "\n")
        write_verdicts(list(rows), self.folder / "results/verdicts.json")

    def accepts(self, verdict, size="default", origin="real"):
        rows = {"mx.thing": accepted(verdict_row(verdict=verdict))}
        write_expected({**read_expected(self.expected), (size, origin): rows}, self.expected)

    def run(self, *arguments):
        done = CliRunner().invoke(app, ["claims", *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Project(tmp_path)
    monkeypatch.setattr(import_module("jouleproof.cli.claims"), "built_in_ledgers", lambda: [made.ledger])
    return made


def test_judge_writes_the_verdicts_on_the_tables(project):
    write_table(project.folder / "results", repeats(2.5))
    assert project.run("judge").exit_code == 0
    (row,) = json.loads((project.folder / "results/verdicts.json").read_text(encoding="utf-8"))
    assert (row["id"], row["verdict"]) == ("mx.thing", "reproduced")


def test_ledgers_that_are_named_are_judged_in_place_of_the_built_in_ones(project):
    for name in ("other", "third"):
        (project.folder / f"{name}.toml").write_text(toml([row(id=f"mx.{name}", query={"-": QUERY})]), encoding="utf-8")
    assert project.run("judge", "--ledger", "other.toml", "--ledger", "third.toml", "--size", "mine").exit_code == 0
    rows = json.loads((project.folder / "results/verdicts.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows] == ["mx.other", "mx.third"]
    assert (project.folder / "results/verdicts.size.txt").read_text(encoding="utf-8") == "mine\n"


def test_judge_says_in_one_line_what_is_wrong_with_a_ledger_and_writes_nothing(project):
    project.ledger.write_text("[[claim]]\nid = 3\n")
    done = project.run("judge")
    assert done.exit_code == 1 and str(project.ledger) in done.stderr
    assert not (project.folder / "results/verdicts.json").exists()


def test_show_prints_the_table_and_where_to_read_on(project):
    project.ran(verdict_row())
    done = project.run("show")
    assert done.exit_code == 0
    assert "mx.thing" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["paper: results/paper.pdf", "report: results/report.html"]


@pytest.mark.parametrize("command", ["show", "check", "accept"])
def test_before_the_first_run_every_command_says_what_to_run(project, command):
    done = project.run(command)
    assert (done.exit_code, done.stderr) == (1, "claims: results/verdicts.json does not exist; run `snakemake` first\n")


@pytest.mark.parametrize(
    ("before", "deterministic", "code", "says"),
    [
        ("reproduced", True, 0, []),
        ("partly", True, 1, ["check: mx.thing: was partly, is reproduced."]),
        ("partly", False, 0, ["check: warning: mx.thing"]),
    ],
    ids=["as accepted", "moved", "a timing moved"],
)
def test_check_fails_where_a_verdict_moved_and_warns_where_a_timing_did(project, before, deterministic, code, says):
    project.ran(verdict_row(deterministic=deterministic))
    project.accepts(before)
    done = project.run("check")
    assert done.exit_code == code and len(done.stderr.splitlines()) == len(says)
    assert all(map(str.startswith, done.stderr.splitlines(), says))
    assert ("match paper/expected.toml" in done.stdout) == (code == 0)


@pytest.mark.parametrize(
    ("size", "inputs", "says"),
    [
        ("tiny", {}, "paper/expected.toml has no verdicts for config tiny; nothing to compare"),
        (
            "default",
            {"b": "stand-in", "a": "stand-in", "c": "local"},
            "nothing to compare: mx.thing rests on stand-ins for a, b, and no such verdict is accepted",
        ),
    ],
)
def test_check_only_says_so_where_the_combination_was_never_accepted(project, size, inputs, says):
    project.ran(verdict_row(inputs=inputs), size=size)
    project.accepts("partly")
    done = project.run("check")
    assert (done.exit_code, done.stderr, done.stdout.splitlines()[0]) == (0, "", f"check: {says}")


def test_check_fails_for_a_row_that_moved_whatever_has_nothing_to_compare(project):
    project.ran(verdict_row(inputs={"a": "stand-in"}), verdict_row(id="mx.other", inputs={"b": "stand-in"}))
    project.accepts("partly", origin="stand-in a")
    done = project.run("check")
    assert done.exit_code == 1 and done.stderr.startswith("check: mx.thing: was partly, is reproduced.")
    assert "mx.other rests on stand-ins for b" in done.stdout and "match" not in done.stdout


def test_check_counts_what_matches(project):
    project.ran(verdict_row(), verdict_row(id="mx.other", inputs={"b": "stand-in"}))
    project.accepts("reproduced")
    done = project.run("check")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "check: 1 of 2 verdicts of config default match paper/expected.toml"


def test_a_file_of_accepted_verdicts_that_nobody_could_have_written_is_one_line(project):
    project.ran(verdict_row())
    project.expected.write_text('[default.stand-in]\n"mx.thing" = {}\n', encoding="utf-8")
    for command in ("check", "accept"):
        done = project.run(command)
        assert done.exit_code == 1 and done.stderr.startswith("claims: paper/expected.toml cannot be read: section")
        assert len(done.stderr.splitlines()) == 1


def test_check_without_the_size_of_the_run_is_one_line(project):
    project.ran(verdict_row())
    (project.folder / "results/verdicts.size.txt").unlink()
    done = project.run("check")
    assert done.exit_code == 1 and "results/verdicts.size.txt cannot be read" in done.stderr


def test_what_was_accepted_passes_the_check(project):
    project.ran(verdict_row(), verdict_row(id="mx.other", verdict="not yet run", estimate=None, low=None, high=None))
    assert project.run("accept").exit_code == 0
    assert project.run("check").exit_code == 0


def test_rows_that_were_not_run_are_not_accepted(project):
    project.ran(verdict_row(), verdict_row(id="mx.other", verdict="not yet run"))
    project.run("accept")
    assert set(read_expected(project.expected)["default", "real"]) == {"mx.thing"}


def test_accepting_a_default_run_with_real_inputs_rewrites_readme_docs_and_picture(project):
    project.ran(verdict_row(inputs={"a": "downloaded"}))
    assert project.run("accept").exit_code == 0
    readme = project.readme.read_text(encoding="utf-8")
    assert readme.startswith("head\n") and readme.endswith("\ntail\n")
    assert "| all | 1 | 1 | 0 | 0 | 0 | 0 |" in readme and "old" not in readme
    assert "| 2.5 x [2.1, 2.9] | **reproduced** |" in project.verdicts.read_text(encoding="utf-8")
    assert (project.folder / "paper/overview.png").read_bytes() == b"a picture"


@pytest.mark.parametrize(("size", "inputs"), [("tiny", {}), ("default", {"a": "stand-in"})])
def test_accepting_any_other_run_leaves_the_readme_alone(project, size, inputs):
    project.ran(verdict_row(inputs=inputs), size=size)
    assert project.run("accept").exit_code == 0
    assert project.readme.read_text(encoding="utf-8") == README
    assert not (project.folder / "paper/overview.png").exists()


def test_accepting_one_combination_keeps_the_others(project):
    project.accepts("partly", "tiny", "stand-in a")
    project.ran(verdict_row())
    project.run("accept")
    assert set(read_expected(project.expected)) == {("tiny", "stand-in a"), ("default", "real")}


def test_accepting_a_default_run_with_some_stand_ins_writes_the_real_rows_into_readme_and_docs_but_no_picture(project):
    project.accepts("partly", origin="stand-in a")
    project.ran(verdict_row(), verdict_row(id="mx.other", inputs={"b": "stand-in"}))
    done = project.run("accept")
    assert done.exit_code == 0
    assert set(read_expected(project.expected)) == {
        ("default", "real"),
        ("default", "stand-in a"),
        ("default", "stand-in b"),
    }
    assert "| all | 1 | 1 | 0 | 0 | 0 | 0 |" in project.readme.read_text(encoding="utf-8")
    assert not (project.folder / "paper/overview.png").exists()
    assert "wrote 1 verdicts of config default that rest on stand-ins for b to paper/expected.toml" in done.stdout


def test_accepting_says_what_it_drops(project):
    project.accepts("partly", origin="stand-in a")
    project.ran(verdict_row(id="mx.other"))
    done = project.run("accept")
    assert "accept: dropped verdicts on stand-ins for a, which this run does not answer: mx.thing\n" in done.stdout
    assert set(read_expected(project.expected)) == {("default", "real")}


def test_accepting_twice_changes_nothing(project):
    project.ran(verdict_row())
    project.run("accept")
    before = project.expected.read_bytes(), project.readme.read_bytes()
    project.run("accept")
    assert (project.expected.read_bytes(), project.readme.read_bytes()) == before


def test_a_readme_that_lost_its_marks_is_one_line(project):
    project.ran(verdict_row())
    project.readme.write_text("head only\n")
    done = project.run("accept")
    assert done.exit_code == 1 and done.stderr.startswith("claims: the page has no <!-- examples")
