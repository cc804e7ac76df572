"""Files that a config names by path: which they are, and that a change of one is noticed."""

import os
from pathlib import Path

import pytest

from jouleproof.errors import UserError
from jouleproof.paths import check_file, data_files, expanded, fingerprints, named_paths, provenance_of


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    """Change to a folder with a file and a folder of files."""
    (tmp_path / "model/shards").mkdir(parents=True)
    for name in ("trace.csv", "bare", "model/config.json", "model/shards/1.safetensors", "model/.git", "code"):
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "config",
    [
        {"data": "trace.csv"},
        {"data": [{"of": ("code", "./trace.csv")}]},
        {"trace.csv": 1},
        {"data": Path("trace.csv")},
        {"data": {"csv:trace.csv"}},
    ],
)
def test_a_file_is_found_wherever_a_config_names_it(config):
    assert data_files(config) == [Path("trace.csv")]


def test_words_that_happen_to_be_names_of_files_are_none():
    assert data_files({"service": "code", "of": ["bare", "hub:a/b@c", "1.5", "nowhere.csv", "a\0.b", "x" * 5000]}) == []


def test_a_knob_that_is_a_path_is_one_also_as_a_bare_name():
    assert data_files({"trace": expanded("bare")}) == [Path("bare")]


def test_the_files_of_a_folder_are_found_at_any_depth_and_hidden_ones_are_not(working_folder):
    (working_folder / "model" / "loop").symlink_to(working_folder / "model")
    for name in ("model", "folder:./model", str(working_folder / "model")):
        base = Path(name.partition(":")[2] or name)
        assert data_files({"models": [expanded(name) if name == "model" else name]}) == [
            base / "config.json",
            base / "shards/1.safetensors",
        ]


@pytest.mark.parametrize("folder", [".", "..", "/", "./"])
def test_a_folder_that_the_run_writes_into_is_none(folder):
    assert named_paths({"folder": folder}) == []


def test_a_link_that_leads_elsewhere_is_a_change_even_to_an_older_file(working_folder):
    new, old, link = (working_folder / name for name in ("new.bin", "old.bin", "link.bin"))
    for file, year in ((new, 2), (old, 1)):
        file.write_bytes(bytes(2_000_000))
        os.utime(file, (year * 10**7, year * 10**7))
    link.symlink_to(new)
    before = fingerprints([link])
    link.unlink()
    link.symlink_to(old)
    assert fingerprints([link]) != before


def test_a_small_file_that_is_replaced_by_one_of_the_same_size_and_time_is_a_change(working_folder):
    file = working_folder / "trace.csv"
    before, status = fingerprints([file]), file.stat()
    file.write_text("tracE.csv")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fingerprints([file]) != before
    file.write_text("trace.csv")
    assert fingerprints([file]) == before


def test_provenance_has_size_and_hash_of_every_file():
    record = provenance_of(Path("model"))
    assert {name for name in record if name.startswith("sha256")} == {
        "sha256 of config.json",
        "sha256 of shards/1.safetensors",
    }
    assert record["bytes of config.json"] == len("model/config.json") and record["origin"] == "local"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_one_line(working_folder):
    (working_folder / "trace.csv").chmod(0)
    with pytest.raises(UserError, match=r"trace\.csv cannot be read \(Permission denied\)"):
        check_file(Path("trace.csv"))
