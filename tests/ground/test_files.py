"""A file is complete or absent, whatever happens while it is written."""

import errno
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from jouleproof import files
from jouleproof.errors import UserError, one_line_errors
from jouleproof.files import atomic, write_text


def disk_full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupted_write(path, exception):
    with atomic(path) as temporary:
        temporary.write_text("half")
        raise exception


def test_a_finished_file_holds_what_was_written_and_nothing_else_lies_beside_it(tmp_path):
    write_text(tmp_path / "a.txt", "one\ntwo\r\nø\n")
    assert (tmp_path / "a.txt").read_bytes() == "one\ntwo\r\nø\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_folders_that_are_missing_are_made(tmp_path):
    write_text(tmp_path / "b" / "c" / "a.txt", "x")
    assert (tmp_path / "b" / "c" / "a.txt").read_text() == "x"


@pytest.fixture
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


WRITERS = {
    "text": lambda path: path.write_text("x", encoding="utf-8"),
    "parquet": lambda path: pq.write_table(pa.table({"a": [1]}), path),
    "safetensors": lambda path: save_file({"a": np.ones(1)}, path),  # which replaces the file by another
}


def mode(path):
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize(("umask", "right"), [(0o077, 0o600), (0o002, 0o664), (0o022, 0o644)], indirect=["umask"])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, umask, right, writer):
    with atomic(tmp_path / "folder" / "a.txt") as temporary:
        writer(temporary)
    assert (mode(tmp_path / "folder" / "a.txt"), mode(tmp_path / "folder")) == (right, 0o777 & ~umask)


def test_a_file_that_is_written_again_keeps_its_mode(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    (tmp_path / "a.txt").chmod(0o640)
    write_text(tmp_path / "a.txt", "y")
    assert (mode(tmp_path / "a.txt"), (tmp_path / "a.txt").read_text()) == (0o640, "y")


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to a file that is not there yet"])
def test_a_link_stays_a_link_and_its_file_is_written(tmp_path, there):
    (tmp_path / "scratch").mkdir()
    if there:
        (tmp_path / "scratch/b.txt").write_text("old")
    (tmp_path / "a.txt").symlink_to("scratch/b.txt")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").is_symlink() and (tmp_path / "scratch/b.txt").read_text() == "new"
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["b.txt"]


def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match=r"pipe: cannot be written \(it is not a regular file\)"):
        write_text(tmp_path / "pipe", "x")
    assert (tmp_path / "pipe").is_fifo() and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("exception", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), OSError("no number")])
def test_an_interrupted_write_leaves_nothing(tmp_path, exception):
    with pytest.raises(type(exception)):
        interrupted_write(tmp_path / "a.txt", exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exception", [ValueError("x"), KeyboardInterrupt()])
def test_an_interrupted_write_keeps_the_old_file(tmp_path, exception):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(type(exception)):
        interrupted_write(tmp_path / "a.txt", exception)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


@pytest.mark.parametrize("method", ["write_text", "replace"])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, method):
    monkeypatch.setattr(Path, method, disk_full)
    with pytest.raises(UserError) as caught:
        write_text(tmp_path / "a.txt", "x")
    assert str(caught.value) == f"{tmp_path / 'a.txt'}: cannot be written ({os.strerror(errno.ENOSPC)})"
    assert list(tmp_path.iterdir()) == []


def test_a_disk_too_full_for_a_temporary_file_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "open", disk_full)
    with pytest.raises(UserError) as caught:
        write_text(tmp_path / "a.txt", "x")
    assert str(caught.value) == f"{tmp_path / 'a.txt'}: cannot be written ({os.strerror(errno.ENOSPC)})"


def test_only_a_folder_without_permission_is_to_be_made_writable(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(files.os, "open", refused)
    with pytest.raises(UserError, match=r"a\.txt: cannot be written \(Permission denied\); make its folder writable"):
        write_text(tmp_path / "a.txt", "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(UserError, match=r"a\.txt: cannot be written"):
        write_text(folder / "a.txt", "x")


@pytest.mark.parametrize("where", ["folder/a.txt", "taken"], ids=["a file for a folder", "a folder for a file"])
def test_what_stands_in_the_way_is_one_line_and_nothing_is_left_beside_it(tmp_path, where):
    (tmp_path / "folder").write_text("a file")
    (tmp_path / "taken").mkdir()
    with pytest.raises(UserError, match=rf"{where}: cannot be written"):
        write_text(tmp_path / where, "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "taken"]


def test_a_users_mistake_is_printed_as_it_stands_and_exits_with_1(capsys):
    with pytest.raises(SystemExit) as caught, one_line_errors():
        raise UserError("what was wrong")
    assert (caught.value.code, capsys.readouterr().err) == (1, "what was wrong\n")


def test_a_mistake_of_ours_keeps_its_trace():
    with pytest.raises(ValueError, match="ours"), one_line_errors():
        raise ValueError("ours")
