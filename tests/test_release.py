"""The release archive on a small scale: a made-up tree, wheels and inputs."""

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

import workflows.release
from jouleproof.errors import UserError
from jouleproof.evidence.provenance import code_version, git
from jouleproof.inputs import catalogue
from jouleproof.inputs.catalogue import parse
from workflows.lock import LOCK
from workflows.release import collect_inputs, collect_packages, release, requirements, write_archive

ROOT = Path(__file__).resolve().parent.parent
TIME = 1_700_000_000
INPUT = """
[{id}]
title = "A thing"
{source}
licence = "{licence}"
citation = "Somebody 2020"
{more}
files = [{{ file = "things/{id}.csv", bytes = 4, sha256 = "{sha256}" }}]
"""


def an_input(id="thing", source='bring = "Write it down."', licence="MIT", more=""):
    return INPUT.format(id=id, source=source, licence=licence, more=more, sha256=hashlib.sha256(b"text").hexdigest())


@pytest.fixture
def folders(tmp_path):
    wheels, inputs = tmp_path / "wheels", tmp_path / "inputs"
    files = {
        wheels / "b-1-py3-none-any.whl": b"wheel b",
        wheels / "a-1-py3-none-any.whl": b"wheel a",
        inputs / "things/thing.csv": b"text",
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return wheels, inputs


def tree(**extra):
    """Make a tar file as `git archive` does: folders, a file, a program."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        folder = tarfile.TarInfo("workflows")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, mode in (("workflows/run.sh", 0o775), ("README.md", 0o664)):
            header = tarfile.TarInfo(name)
            header.mode, header.size, header.mtime, header.uid = mode, len(name), 5, 1000
            archive.addfile(header, io.BytesIO(name.encode()))
        for name, target in extra.items():
            header = tarfile.TarInfo(name)
            header.type, header.linkname = tarfile.SYMTYPE, target
            archive.addfile(header)
    return packed.getvalue()


def written(out, folders, left_out=None):
    top, members = release("abc", tree(), *folders, left_out or {})
    write_archive(out, top, members, TIME)
    return top


def test_the_archive_unpacks_to_the_tree_the_wheels_and_the_inputs(folders, tmp_path):
    top = written(tmp_path / "r.tar.gz", folders)
    with tarfile.open(tmp_path / "r.tar.gz") as archive:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4 and later
        archive.extractall(tmp_path / "out", **safely)
    unpacked = tmp_path / "out" / top
    files = {path.relative_to(unpacked).as_posix(): path for path in unpacked.rglob("*") if path.is_file()}
    contents = {name: path.read_bytes() for name, path in files.items()}
    note = contents.pop("INSTALL.md").decode()
    assert contents == {
        "README.md": b"README.md",
        "workflows/run.sh": b"workflows/run.sh",
        "wheelhouse/a-1-py3-none-any.whl": b"wheel a",
        "wheelhouse/b-1-py3-none-any.whl": b"wheel b",
        "inputs/things/thing.csv": b"text",
    }
    assert os.access(tmp_path / "out" / top / "workflows/run.sh", os.X_OK)
    assert "commit abc" in note and "`torch==" in note and "PIP_NO_INDEX=1" in note and "lock.py install run" in note


def test_two_archives_have_the_same_bytes_whenever_and_by_whomever_files_were_written(folders, tmp_path):
    written(tmp_path / "one.tar.gz", folders)
    for path in tmp_path.rglob("*.whl"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    written(tmp_path / "other.tar.gz", folders)
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "other.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "one.tar.gz") as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(TIME, 0, 0, "")}


def test_a_link_in_the_tree_is_refused(folders):
    with pytest.raises(UserError, match="out is neither a file nor a folder"):
        release("abc", tree(out="/etc/passwd"), *folders, {})


def test_the_note_names_what_was_left_out_and_why(folders):
    _, members = release("abc", tree(), *folders, {"power": "to be supplied by you"})
    (note,) = [content for path, content, _ in members if path == "INSTALL.md"]
    assert b"- `power`: to be supplied by you\n" in note


def test_what_make_and_the_tests_install_goes_along_but_torch():
    names = {line.partition("==")[0] for line in requirements(ROOT)}
    assert {"numpy", "torchao", "snakemake", "pytest", "setuptools", "hypothesis"} <= names
    assert not names & {"torch", "jupyterlab", "xllamacpp"}


def test_a_lock_that_is_not_current_stops_the_release(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (tmp_path / LOCK).write_text("numpy==2\n", encoding="utf-8")
    with pytest.raises(UserError, match="release: .* was made for other dependencies"):
        requirements(tmp_path)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Make a folder with one small wheel, the only place where pip may look."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_thing-1-py3-none-any.whl", "w") as wheel:
        metadata = "tiny_thing-1.dist-info"
        wheel.writestr(
            f"{metadata}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1\nRequires-Dist: nowhere\n"
        )
        wheel.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{metadata}/RECORD", "")
    for name, value in (("CONFIG_FILE", os.devnull), ("NO_INDEX", "1"), ("FIND_LINKS", str(folder))):
        monkeypatch.setenv(f"PIP_{name}", value)
    return folder


def test_each_pin_brings_the_file_of_its_hash_and_no_other(shelf, tmp_path):
    wheel = shelf / "tiny_thing-1-py3-none-any.whl"
    line = f"tiny-thing==1 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    collect_packages(tmp_path / "wheels", [line])
    (brought,) = (tmp_path / "wheels").iterdir()
    assert brought.read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("version", ["1", "2"], ids=["another hash", "not to be had"])
def test_a_package_that_cannot_be_had_stops_the_release(shelf, tmp_path, version):
    with pytest.raises(UserError, match="pip did not provide every package"):
        collect_packages(tmp_path / "wheels", [f"tiny-thing=={version} --hash=sha256:{'0' * 64}"])


def test_inputs_come_from_the_first_place_that_has_them_and_are_checked(tmp_path):
    entries = parse(an_input(source='url = "http://localhost:9/thing.csv"'))
    (tmp_path / "cache/things").mkdir(parents=True)
    (tmp_path / "cache/things/thing.csv").write_bytes(b"text")
    assert collect_inputs(tmp_path / "out", entries, [tmp_path / "absent", tmp_path / "cache"]) == {}
    assert (tmp_path / "out/things/thing.csv").read_bytes() == b"text"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "to be supplied by you"),
        ({"source": 'url = "http://localhost:9/thing.csv"', "licence": "none stated"}, "its licence"),
        ({"source": 'url = "http://localhost:9/thing.csv"', "more": 'stand_in = "gsm8k-test"'}, "not available"),
    ],
    ids=["the user's own", "no licence", "no network, a stand-in"],
)
def test_inputs_that_cannot_be_included_are_left_out_with_the_reason(tmp_path, changes, why):
    left_out = collect_inputs(tmp_path, parse(an_input(**changes)), [])
    assert set(left_out) == {"thing"} and why in left_out["thing"]
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_an_input_that_is_missing_and_has_no_stand_in_stops_the_release(tmp_path):
    with pytest.raises(UserError, match="release: thing: http://localhost:9/thing.csv failed"):
        collect_inputs(tmp_path, parse(an_input(source='url = "http://localhost:9/thing.csv"')), [])


def test_what_the_user_has_to_bring_is_never_taken_from_the_users_folder(tmp_path):
    entries = {id: entry for id, entry in catalogue().items() if id in ("acme_power", "mlenergy")}
    for entry in entries.values():
        for file in entry.files:
            (tmp_path / "mine" / file.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "mine" / file.file).write_bytes(b"anything")
    assert set(collect_inputs(tmp_path / "out", entries, [tmp_path / "mine"])) == {"mlenergy"}
    assert not (tmp_path / "out").exists()


def test_the_real_tree_goes_in_as_it_was_committed(folders):
    if code_version()["commit"] is None:
        pytest.skip("not a git clone")
    _, members = release("abc", git(ROOT, "archive", "--format=tar", "HEAD"), *folders, {})
    names = {path for path, _, _ in members}
    of_package = ("inputs/catalogue.toml", "inputs/committed/acme_power.parquet", "studies/mx/claims.toml")
    data = {f"bench/jouleproof/{name}" for name in of_package}
    assert {"Makefile", "Snakefile", LOCK, *data} <= names
    assert not any(name.startswith(("results/", ".venv/", "dist/")) for name in names)


def test_the_commit_of_a_repository_around_the_project_is_not_released(monkeypatch, tmp_path):
    monkeypatch.setattr(workflows.release, "code_version", lambda: {"commit": None, "dirty": None})
    monkeypatch.setattr(workflows.release, "ROOT", tmp_path)
    with pytest.raises(UserError, match="is not a git clone of this project"):
        workflows.release.main()
    assert not list(tmp_path.iterdir())
