import os
import socket
import time
from dataclasses import replace

import pytest
import requests

from jouleproof.inputs.fetch import Unavailable, fetch
from jouleproof.inputs.files import InputError

from .conftest import CONTENT, IMPATIENT, files_under, make_entry


def refused(entry, folder):
    """Return the reason why the download failed, after checking that it left nothing behind."""
    with pytest.raises(Unavailable) as caught:
        fetch(entry, folder, patience=IMPATIENT)
    assert not files_under(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_right_answer_becomes_the_file(served, tmp_path):
    fetch(served("/right"), tmp_path, patience=IMPATIENT)
    assert files_under(tmp_path) == ["folder/tiny.bin"]
    assert (tmp_path / "folder/tiny.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(("umask", "right"), [(0o077, 0o600), (0o002, 0o664)])
def test_a_download_has_the_mode_that_the_umask_leaves(served, tmp_path, umask, right):
    before = os.umask(umask)
    try:
        fetch(served("/right"), tmp_path, patience=IMPATIENT)
    finally:
        os.umask(before)
    assert (tmp_path / "folder/tiny.bin").stat().st_mode & 0o777 == right


def test_a_redirect_is_followed(served, tmp_path):
    fetch(served("/moved"), tmp_path, patience=IMPATIENT)
    assert files_under(tmp_path) == ["folder/tiny.bin"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nothing_here", "it answered 404 Not Found"),
        ("/broken_off", "the connection was closed early"),
        ("/short", "what it sent has 1,000 bytes, expected 512,000"),
        ("/stalled", "no data for 0.3 s"),
        ("/silent", "no data for 0.3 s"),
        ("/wrong", "what it sent has sha256 "),
        ("/endless", "what it sent has more than the expected 512,000 bytes"),
        ("/loop", "Exceeded 30 redirects"),
        ("/to_a_local_file", "No connection adapters"),
    ],
)
def test_a_bad_answer_is_refused_with_its_reason_and_leaves_nothing(served, tmp_path, path, reason):
    assert reason in refused(served(path), tmp_path)


@pytest.mark.parametrize("path", ["/broken_off", "/wrong", "/nothing_here"])
def test_a_server_is_asked_again_as_often_as_patience_allows(served, server, tmp_path, monkeypatch, path):
    pauses = []
    monkeypatch.setattr("pooch.core.time.sleep", pauses.append)
    with pytest.raises(Unavailable):
        fetch(served(path), tmp_path, patience=replace(IMPATIENT, retries=2))
    assert server.asked == [path] * 3 and pauses == [1, 2]


def test_a_second_answer_may_be_right(served, server, tmp_path, monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    fetch(served("/right_at_last"), tmp_path, patience=replace(IMPATIENT, retries=1))
    assert (tmp_path / "folder/tiny.bin").read_bytes() == CONTENT and len(server.asked) == 2


def test_a_doi_is_resolved_by_pooch(served, tmp_path, monkeypatch):
    asked = []

    class Archive:
        def __init__(self, **_): ...

        def __call__(self, url, content, _):
            asked.append(url)
            content.write(CONTENT)

    monkeypatch.setattr("pooch.DOIDownloader", Archive)
    entry = make_entry(url="doi:10.5281/zenodo.1/tiny.bin")
    fetch(entry, tmp_path)
    assert asked == ["doi:10.5281/zenodo.1/tiny.bin"] and files_under(tmp_path) == ["folder/tiny.bin"]


def test_a_download_stops_when_too_much_arrives(served, server, tmp_path):
    refused(served("/endless"), tmp_path)
    assert server.sent < 64 * len(CONTENT)


def test_a_stalled_download_ends_after_the_time_without_progress(served, tmp_path):
    start = time.monotonic()
    refused(served("/stalled"), tmp_path)
    assert time.monotonic() - start < 5


def test_offline_is_a_reason(tmp_path):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/tiny.bin"
    assert refused(make_entry(url=url), tmp_path) == "no connection (Connection refused)"


def test_a_name_that_does_not_resolve_is_a_reason(tmp_path):
    assert "no connection" in refused(make_entry(url="http://nowhere.invalid/x"), tmp_path)


def test_an_interrupt_in_mid_download_leaves_nothing(served, tmp_path, monkeypatch):
    def interrupted(response, chunk_size):
        yield CONTENT[:1000]
        raise KeyboardInterrupt

    monkeypatch.setattr(requests.Response, "iter_content", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(served("/right"), tmp_path, patience=IMPATIENT)
    assert not files_under(tmp_path)


def test_a_bad_answer_does_not_touch_the_file_that_was_there(served, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/tiny.bin").write_bytes(b"before")
    with pytest.raises(Unavailable):
        fetch(served("/wrong"), tmp_path, patience=IMPATIENT)
    assert files_under(tmp_path) == ["folder/tiny.bin"]
    assert (tmp_path / "folder/tiny.bin").read_bytes() == b"before"


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_source(served, tmp_path):
    (tmp_path / "folder").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="folder.*cannot be written"):
        fetch(served("/right"), tmp_path, patience=IMPATIENT)


def test_what_must_be_brought_is_not_downloaded(tmp_path):
    assert refused(make_entry(bring="Make it yourself."), tmp_path) == "Make it yourself."
