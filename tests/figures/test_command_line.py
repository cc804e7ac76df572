"""`python -m figures NAME`, on tables in a folder of its own."""

import json

import pytest
from typer.testing import CliRunner

from jouleproof.drawing import style
from jouleproof.drawing.draw import app
from jouleproof.evidence.provenance import provenance_path
from jouleproof.evidence.tables import write
from tests.figures.samples import tables


@pytest.fixture
def run(tmp_path):
    """A function that writes the tables of a figure with an input of that origin, and makes the figure."""

    def run(name, sources, origin="local"):
        for source in sources:
            path = tmp_path / f"{source}.parquet"
            write(tables(False)[source], path)
            provenance_path(path).write_text(json.dumps({"inputs": {"gsm8k_test": {"origin": origin}}}))
        done = CliRunner().invoke(app, [name, "--results", str(tmp_path)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


@pytest.fixture
def saved(monkeypatch):
    """What was to be saved: figure and path. Saving itself is tested elsewhere."""
    saved = []
    monkeypatch.setattr(style, "save", lambda *arguments: saved.append(arguments))
    return saved


def test_a_figure_is_made_from_its_tables_and_saved_under_its_name(run, saved, tmp_path):
    assert run("mx/qsnr", ["mx/qsnr"]).exit_code == 0
    assert [stem for _, stem in saved] == [tmp_path / "figures/mx/qsnr"]


@pytest.mark.parametrize(
    ("origin", "footnote"),
    [("local", "● measured"), ("stand-in", "● measured   stand-in used for: gsm8k_test")],
)
def test_a_figure_names_its_tier_and_its_stand_in(run, saved, origin, footnote):
    run("mx/qsnr", ["mx/qsnr"], origin)
    assert [figure.get_supxlabel() for figure, _ in saved] == [footnote]


def test_a_table_is_made_from_its_tables_with_its_tier(run, tmp_path):
    assert run("mx/formats", ["mx/formats"]).exit_code == 0
    made = tmp_path / "tables" / "mx"
    assert sorted(path.name for path in made.iterdir()) == ["formats.csv", "formats.html", "formats.tex"]
    assert "<p>measured</p>" in (made / "formats.html").read_text(encoding="utf-8")


def test_a_table_names_its_stand_in(run, tmp_path):
    run("mx/formats", ["mx/formats"], origin="stand-in")
    page = (tmp_path / "tables" / "mx" / "formats.html").read_text(encoding="utf-8")
    assert "<p>measured; stand-in used for gsm8k_test</p>" in page


def test_a_figure_that_is_not_known_is_one_line_that_names_those_that_are(run):
    done = run("mx/nothing", [])
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1 and "mx/qsnr" in done.stderr


def test_a_figure_without_its_table_is_one_line_that_says_what_to_run(run):
    done = run("mx/qsnr", [])
    assert done.exit_code == 1 and "is not there; run `snakemake" in done.stderr


def test_a_figure_without_its_tables_provenance_is_one_line(run, tmp_path):
    write(tables(False)["mx/qsnr"], tmp_path / "mx/qsnr.parquet")
    done = run("mx/qsnr", [])
    assert done.exit_code == 1 and "qsnr.provenance.json cannot be read" in done.stderr
