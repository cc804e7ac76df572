"""Results, sources and the checkout may lie behind links, and in folders of any name."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from jouleproof.cli import app
from jouleproof.drawing.registry import folders_in, registry
from jouleproof.errors import UserError
from jouleproof.evidence import tables
from jouleproof.evidence.provenance import provenance_path
from jouleproof.files import write_text
from jouleproof.settings import check_results, read_settings

ROOT = Path(__file__).resolve().parent.parent
ODD = "a blank, 'quotes\", größe ✓, 50% #1 $HOME"
DOCUMENT = '#let results = sys.inputs.at("results", default: "/results")\n#read(results + "/size.txt")\n'


@pytest.fixture
def linked(tmp_path):
    """Return a folder of results that is a link to another one, both with odd names."""
    scratch, home = tmp_path / f"scratch {ODD}", tmp_path / f"home {ODD}"
    scratch.mkdir()
    home.mkdir()
    (home / "results").symlink_to(scratch)
    return home / "results"


def test_the_paper_is_typeset_from_a_linked_folder_and_a_linked_checkout(linked, tmp_path):
    (linked / "size.txt").write_text("tiny", encoding="utf-8")
    for source in {source for figure in registry(folders_in(ROOT / "figures")).values() for source in figure.sources}:
        write_text(provenance_path(linked / f"{source}.parquet"), '{"inputs": {}}')
    (tmp_path / "checkout").symlink_to(ROOT)
    (tmp_path / "small.typ").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "source.typ").symlink_to("small.typ")
    command = [sys.executable, tmp_path / "checkout/paper/build.py", "--out", "results/paper.pdf"]
    done = subprocess.run(
        [*command, "--source", tmp_path / "source.typ"], cwd=linked.parent, capture_output=True, encoding="utf-8"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (linked / "paper.pdf").read_bytes().startswith(b"%PDF") and linked.is_symlink()


def test_a_job_writes_its_table_through_a_link(linked):
    out = linked / "toy/dice.parquet"
    assert CliRunner().invoke(app, ["run", "tests.ground.toy", "dice", "--out", str(out)]).exit_code == 0
    assert tables.read(out)["value"].tolist() == [6] and linked.is_symlink()


def test_a_link_to_a_folder_is_a_folder_of_results_and_one_to_nothing_is_one_line(linked, tmp_path):
    check_results(linked)
    (tmp_path / "gone").symlink_to(tmp_path / "unmounted")
    with pytest.raises(UserError, match="config: results: .*gone cannot be written"):
        check_results(tmp_path / "gone")


@pytest.mark.parametrize("folder", ["results", "/scratch/me/größe_50%+1", "runs/a.b-c=d,e:@f"])
def test_a_folder_of_results_may_be_anywhere(folder):
    assert read_settings({"size": "mine", "results": folder}, {}).results == folder


@pytest.mark.parametrize("folder", ["-x", "a&b", "a;b", "$HOME/a", "a*", "a(b)", "a#b", "a\\b", "a`b`", "", "a b"])
def test_a_folder_of_results_that_a_shell_would_read_is_one_line(folder):
    with pytest.raises(UserError, match="config: workflows/config: results: String should match pattern"):
        read_settings({"size": "mine", "results": folder}, {})


def test_a_results_folder_on_a_read_only_file_system_is_called_that(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda place: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(UserError, match=r"cannot be written \(Read-only file system\); name another"):
        check_results(tmp_path / "results")
