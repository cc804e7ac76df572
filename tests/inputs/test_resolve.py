import errno
import json
import os
import resource
from pathlib import Path

import pytest

from jouleproof.inputs import InputError, load
from jouleproof.inputs import resolve as resolve_input
from jouleproof.inputs.resolve import default_cache
from jouleproof.inputs.stand_in import generate

from .conftest import CONTENT, IMPATIENT, file_table, files_under, make_entry

POINTS = "mlenergy-points"


@pytest.fixture
def resolve(tmp_path):
    """Resolve one entry, with default folders under tmp_path."""

    def run(entry, **options):
        places = {"inputs_dir": None, "cache_dir": tmp_path / "cache", "patience": IMPATIENT} | options
        return resolve_input(entry.id, tmp_path / "out", entries={entry.id: entry}, **places)

    return run


@pytest.fixture
def inputs_dir(tmp_path):
    (tmp_path / "inputs/folder").mkdir(parents=True)
    return tmp_path / "inputs"


def unreachable(**options):
    return make_entry(url="http://127.0.0.1:9/tiny.bin", **options)


def test_a_file_in_the_users_folder_is_taken_first(resolve, inputs_dir, served, server, tmp_path):
    (inputs_dir / "folder/tiny.bin").write_bytes(CONTENT)
    record = resolve(served("/right"), inputs_dir=inputs_dir)
    assert record.origin == "local"
    assert record.path().read_bytes() == CONTENT
    assert not server.asked
    assert files_under(tmp_path / "out") == ["tiny.json", "tiny/tiny.bin"]


@pytest.mark.parametrize("content", [CONTENT[::-1], CONTENT[:-1], CONTENT + b"x", b""])
def test_a_wrong_file_in_the_users_folder_is_an_error_and_never_passed_over(resolve, inputs_dir, tmp_path, content):
    (inputs_dir / "folder/tiny.bin").write_bytes(content)
    with pytest.raises(InputError) as caught:
        resolve(unreachable(stand_in=POINTS), inputs_dir=inputs_dir)
    message = str(caught.value)
    assert message.startswith(f"inputs: tiny: {inputs_dir}/folder/tiny.bin has ")
    assert "MIT. Put the right file there or remove this one, or choose the stand-in" in message
    assert "\n" not in message
    assert not files_under(tmp_path / "out")


def test_a_folder_of_inputs_that_does_not_exist_is_an_error(resolve, tmp_path):
    with pytest.raises(InputError, match="elsewhere is not a readable folder"):
        resolve(unreachable(stand_in=POINTS), inputs_dir=tmp_path / "elsewhere")


def test_what_is_not_in_the_users_folder_is_downloaded_into_the_cache(resolve, inputs_dir, served, tmp_path):
    record = resolve(served("/right"), inputs_dir=inputs_dir)
    assert record.origin == "downloaded"
    assert files_under(tmp_path / "cache") == ["folder/tiny.bin"]
    assert record.path().read_bytes() == CONTENT


def test_what_is_in_the_cache_is_not_downloaded_again(resolve, served, server):
    resolve(served("/right"))
    assert resolve(served("/right")).origin == "downloaded"
    assert server.asked == ["/right"]


def test_a_damaged_file_in_the_cache_is_replaced(resolve, served, tmp_path):
    (tmp_path / "cache/folder").mkdir(parents=True)
    (tmp_path / "cache/folder/tiny.bin").write_bytes(CONTENT[:-1])
    record = resolve(served("/right"))
    assert record.path().read_bytes() == CONTENT
    assert (tmp_path / "cache/folder/tiny.bin").read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_goes_even_when_no_other_can_be_had(resolve, tmp_path):
    (tmp_path / "cache/folder").mkdir(parents=True)
    (tmp_path / "cache/folder/tiny.bin").write_bytes(CONTENT[:-1])
    assert resolve(unreachable(stand_in=POINTS)).origin == "stand-in"
    assert not files_under(tmp_path / "cache")


def test_the_stand_in_takes_over_when_the_download_fails_and_says_why(resolve, capsys):
    record = resolve(unreachable(stand_in=POINTS))
    assert record.origin == "stand-in"
    assert record.path().read_bytes() == generate(POINTS, 0)
    asked, said = capsys.readouterr().err.splitlines()
    assert asked.startswith("inputs: tiny: fetching 512,000 bytes from http://127.0.0.1:9/tiny.bin")
    assert said.startswith("inputs: tiny: using the built-in stand-in, because http://127.0.0.1:9/tiny.bin failed: no ")


def test_wrong_bytes_from_the_source_lead_to_the_stand_in_not_into_the_cache(resolve, served, tmp_path):
    assert resolve(served("/wrong", stand_in=POINTS)).origin == "stand-in"
    assert not files_under(tmp_path / "cache")


def test_an_input_that_cannot_be_had_is_one_line_with_all_that_helps(resolve, inputs_dir, tmp_path):
    entry = unreachable()
    with pytest.raises(InputError) as caught:
        resolve(entry, inputs_dir=inputs_dir)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("tiny", "folder/tiny.bin", "512,000 bytes", entry.files[0].sha256, entry.source, "MIT"):
        assert part in message
    assert f"it is not in {inputs_dir}, and the download failed: no connection" in message
    assert not files_under(tmp_path / "out")


def test_what_must_be_brought_and_is_not_there_says_how_to_make_it(resolve):
    with pytest.raises(InputError, match="no inputs folder is set. Boil an egg. Then name the folder"):
        resolve(make_entry(bring="Boil an egg."))


def test_required_never_takes_the_stand_in(resolve):
    with pytest.raises(InputError, match="is not available"):
        resolve(unreachable(stand_in=POINTS), mode="required")


def test_stand_in_never_looks_for_the_real_input(resolve, inputs_dir, served, server, capsys):
    (inputs_dir / "folder/tiny.bin").write_bytes(CONTENT)
    record = resolve(served("/right", stand_in=POINTS), inputs_dir=inputs_dir, mode="stand-in")
    assert record.origin == "stand-in"
    assert not server.asked
    assert not capsys.readouterr().err


def test_asking_for_a_stand_in_that_does_not_exist_is_an_error(resolve):
    with pytest.raises(InputError, match="tiny: no stand-in exists; folder/tiny.bin"):
        resolve(unreachable(), mode="stand-in")


def test_an_input_of_many_files_of_which_one_is_missing_is_not_local(resolve, inputs_dir, tmp_path):
    entry = make_entry(bring="Make both.", files=[file_table(), file_table("b.bin")])
    (inputs_dir / "folder/tiny.bin").write_bytes(CONTENT)
    with pytest.raises(InputError, match="folder/tiny.bin .*; b.bin .* is missing"):
        resolve(entry, inputs_dir=inputs_dir)
    assert not (tmp_path / "out/tiny.json").exists()


def test_the_written_record_is_the_returned_one_and_is_written_the_same_again(resolve, inputs_dir, tmp_path):
    (inputs_dir / "folder/tiny.bin").write_bytes(CONTENT)
    entry = unreachable()
    record = resolve(entry, inputs_dir=inputs_dir)
    first = (tmp_path / "out/tiny.json").read_bytes()
    assert load(tmp_path / "out/tiny.json", entries={"tiny": entry}) == record
    resolve(entry, inputs_dir=inputs_dir)
    assert (tmp_path / "out/tiny.json").read_bytes() == first
    assert json.loads(first)["files"]["tiny.bin"]["path"] == "tiny/tiny.bin"


def test_an_output_folder_that_cannot_be_written_is_one_line(resolve, tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"^inputs: .*/out/tiny/\S+ ?.*cannot be written"):
        resolve(unreachable(stand_in=POINTS), mode="stand-in")


def test_a_cache_that_cannot_be_written_is_one_line_and_no_silent_stand_in(resolve, served, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cache/.*cannot be written"):
        resolve(served("/right", stand_in=POINTS))


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(resolve, inputs_dir, tmp_path):
    (inputs_dir / "folder/tiny.bin").write_bytes(CONTENT)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(InputError, match="cannot be written"):
            resolve(unreachable(), inputs_dir=inputs_dir)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not files_under(tmp_path / "out")


def test_a_file_appears_under_its_name_only_when_it_is_whole(resolve, inputs_dir, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (inputs_dir / "folder/tiny.bin").write_bytes(CONTENT)
    monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        resolve(unreachable(), inputs_dir=inputs_dir)
    assert not files_under(tmp_path / "out")


def test_the_default_cache_follows_the_convention(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "jouleproof"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache/jouleproof"
