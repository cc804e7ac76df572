"""Which code and which libraries the provenance names."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jouleproof.errors import UserError
from jouleproof.evidence import provenance
from jouleproof.evidence.provenance import GIT_REPOSITORY, ProvenanceRecorder, code_version, project_root

NOTHING = {"commit": None, "dirty": None}
OURS, THEIRS = '[project]\nname = "jouleproof"\n', '[project]\nname = "foreign"\n'


def repository(folder):
    """Make a repository of the files in a folder; returns its commit."""
    identity = ("-c", "user.name=N", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "--allow-empty", "-m", "all")):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def package(monkeypatch, folder, project=OURS, sources="bench/jouleproof"):
    """Make a folder with a package in it the one that runs. project: content of pyproject.toml beside it."""
    path = folder / sources
    path.mkdir(parents=True)
    (path / "__init__.py").write_text("")
    if project:
        (folder / "pyproject.toml").write_text(project)
    monkeypatch.setattr(provenance, "PACKAGE", path)
    return path


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """Keep git from finding a repository around the test's folder."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    package(monkeypatch, folder)
    return folder


def test_the_commit_is_that_of_the_project_wherever_the_job_runs(project, tmp_path, monkeypatch):
    commit = repository(project)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    repository(elsewhere)
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    assert code_version() == {"commit": commit, "dirty": False}


@pytest.mark.parametrize("variable", GIT_REPOSITORY)
def test_a_variable_that_names_another_repository_is_not_heard(project, tmp_path, monkeypatch, variable):
    commit = repository(project)
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert code_version() == {"commit": commit, "dirty": False}


@pytest.mark.parametrize("name", ["with a blank", "größe ✓", "a'b\"c", "a#b%c", "two\nlines"])
@pytest.mark.parametrize("linked", [False, True])
def test_the_commit_is_read_below_any_folder_and_through_a_link(tmp_path, monkeypatch, name, linked):
    path = package(monkeypatch, tmp_path / name)
    commit = repository(tmp_path / name)
    if linked:
        (tmp_path / "link").symlink_to(name)
        monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "link" / path.relative_to(tmp_path / name))
    assert code_version() == {"commit": commit, "dirty": False}


def test_a_worktree_and_a_submodule_have_the_commit_of_the_project(project, tmp_path, monkeypatch):
    commit = repository(project)
    subprocess.run(["git", "worktree", "add", "-q", str(tmp_path / "tree")], cwd=project, check=True)
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    add = ("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(project), "inner")
    subprocess.run(["git", "init", "-q"], cwd=thesis, check=True)
    subprocess.run(["git", *add], cwd=thesis, check=True, capture_output=True)
    repository(thesis)
    for folder in (tmp_path / "tree", thesis / "inner"):
        monkeypatch.setattr(provenance, "PACKAGE", folder / "bench/jouleproof")
        assert code_version() == {"commit": commit, "dirty": False}


def test_a_repository_that_git_does_not_trust_has_no_commit(project, monkeypatch):
    repository(project)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert code_version() == NOTHING


def test_a_new_file_counts_whatever_the_users_git_shows(project):
    commit = repository(project)
    subprocess.run(["git", "config", "status.showUntrackedFiles", "no"], cwd=project, check=True)
    (project / "new.py").write_text("")
    assert code_version() == {"commit": commit, "dirty": True}


@pytest.mark.parametrize("change", ["bench/jouleproof/__init__.py", "new.py"])
def test_a_checkout_is_dirty_where_a_file_was_changed_or_added(project, change):
    commit = repository(project)
    (project / change).write_text("changed")
    assert code_version() == {"commit": commit, "dirty": True}


def test_outside_a_checkout_there_is_no_commit(project):
    assert code_version() == NOTHING


def test_a_repository_without_a_commit_has_none(project):
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    assert code_version() == NOTHING


def test_an_archive_unpacked_in_another_repository_has_no_commit(project):
    repository(project.parent)
    assert project_root(provenance.PACKAGE) == project and code_version() == NOTHING


@pytest.mark.parametrize("project_file", [THEIRS, OURS, "", "not TOML", "project = 3"])
def test_a_wheel_installed_in_a_repository_has_no_commit(tmp_path, monkeypatch, project_file):
    package(monkeypatch, tmp_path, project_file, ".venv/lib/python3.11/site-packages/jouleproof")
    repository(tmp_path)
    assert code_version() == NOTHING


def test_the_sources_of_another_project_of_the_same_shape_are_not_ours(tmp_path, monkeypatch):
    package(monkeypatch, tmp_path, THEIRS)
    repository(tmp_path)
    assert code_version() == NOTHING


def test_a_machine_without_git_has_no_commit(project, monkeypatch, tmp_path):
    repository(project)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_version() == NOTHING


def test_a_wheel_in_a_foreign_repository_says_null_when_it_is_run(tmp_path):
    """The package is copied as a wheel installs it, below a repository of somebody else, and run from there."""
    site = tmp_path / "site-packages"
    shutil.copytree(provenance.PACKAGE, site / "jouleproof", ignore=shutil.ignore_patterns("__pycache__", "studies"))
    (tmp_path / "pyproject.toml").write_text(THEIRS)
    repository(tmp_path)
    code = "from jouleproof.evidence import provenance as p; print(p.PACKAGE.parent, p.code_version())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{site.resolve()} {NOTHING}\n"


def test_the_tests_run_the_sources_of_this_project():
    assert project_root(provenance.PACKAGE) == Path(__file__).resolve().parents[2]


def test_a_library_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(provenance, "LIBRARIES", ("numpy", "nowhere_at_all"))
    versions = provenance.library_versions.__wrapped__()
    assert versions["numpy"] and versions["nowhere_at_all"] is None


def test_the_libraries_that_compile_and_run_models_are_named():
    named = {"numba", "llvmlite", "transformers", "peft", "scikit-learn", "snakemake", "safetensors", "pooch"}
    assert named <= set(provenance.library_versions())


def test_the_time_of_a_record_is_that_of_the_run_and_not_of_its_own_making(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "machine", lambda: time.sleep(0.3))
    recorder = ProvenanceRecorder()
    recorder.write(tmp_path / "t.parquet", config={}, inputs={}, timed=False)
    assert provenance.read_provenance(tmp_path / "t.parquet")["wall_s"] < 0.3


def test_an_input_that_is_a_stand_in_for_one_result_is_one_for_all_that_rests_on_it(tmp_path):
    for name, origin in (("a", "download"), ("b", "stand-in"), ("c", "local")):
        inputs = {"shared": {"origin": origin}, name: {"origin": origin}}
        ProvenanceRecorder().write(tmp_path / f"{name}.parquet", config={}, inputs=inputs, timed=False)
    for order in ("abc", "bca", "cab"):
        origins = provenance.origins_of(tmp_path / f"{name}.parquet" for name in order)
        assert origins == {"shared": "stand-in", "a": "download", "b": "stand-in", "c": "local"}
        assert provenance.stand_ins_in(origins) == ["b", "shared"]


def test_the_inputs_of_a_checkpoint_are_next_to_it_and_damage_to_them_is_one_line(tmp_path):
    checkpoint = tmp_path / "1.5M.safetensors"
    assert provenance.read_inputs(checkpoint) == {}
    provenance.write_inputs(checkpoint, {"a": {"origin": "stand-in"}})
    assert provenance.read_inputs(checkpoint) == {"a": {"origin": "stand-in"}}
    (tmp_path / "1.5M.inputs.json").write_text("{")
    with pytest.raises(UserError, match=r"1\.5M\.inputs\.json cannot be read"):
        provenance.read_inputs(checkpoint)
