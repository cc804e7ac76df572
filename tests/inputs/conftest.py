"""What the tests of the inputs share: a small server on the loopback that behaves well or badly, and tiny inputs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jouleproof.inputs.catalogue import KINDS, Entry
from jouleproof.inputs.fetch import Patience
from jouleproof.inputs.files import Digest
from jouleproof.inputs.stand_in import generate

CONTENT = bytes(range(256)) * 2000
IMPATIENT = Patience(connect_s=0.5, idle_s=0.3)


def digest_of(content: bytes) -> Digest:
    return Digest(len(content), hashlib.sha256(content).hexdigest())


def file_table(file: str = "folder/tiny.bin", content: bytes = CONTENT, **more: str) -> dict[str, Any]:
    """A row of an input's `files`."""
    return {"file": file, **asdict(digest_of(content)), **more}


def make_entry(*, files: list[dict[str, Any]] | None = None, **more: Any) -> Entry:
    """A tiny input. more: the keys that say where it is from, and others that differ."""
    (kind,) = KINDS.keys() & more
    table = {"title": "A tiny input", "files": files or [file_table()], "licence": "MIT", "citation": "Nobody, 2020"}
    return KINDS[kind].model_validate({"id": "tiny", **table, **more})


generated = cache(generate)
"""A stand-in's content, made once in a run of the tests."""


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class Server:
    """Serves CONTENT at /right, and breaks a promise at each other path. sent: bytes given out; asked: paths."""

    def __init__(self) -> None:
        self.sent = 0
        self.asked: list[str] = []
        self.over = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}{path}"

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the inner class has the other self
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                try:
                    getattr(self, f"_{self.path.strip('/')}", self._missing)()
                except (BrokenPipeError, ConnectionResetError):
                    return

            def _give(self, content: bytes, *, length: int | None = None) -> None:
                self.send_response(200)
                if length is not None:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                self._write(content)

            def _write(self, content: bytes) -> None:
                self.wfile.write(content)
                self.wfile.flush()
                server.sent += len(content)

            def _redirect(self, to: str) -> None:
                self.send_response(302)
                self.send_header("Location", to)
                self.end_headers()

            def _missing(self) -> None:
                self.send_error(404, "Not Found")

            def _right(self) -> None:
                self._give(CONTENT, length=len(CONTENT))

            def _broken_off(self) -> None:
                self._give(CONTENT[:1000], length=len(CONTENT))

            def _short(self) -> None:
                self._give(CONTENT[:1000])

            def _stalled(self) -> None:
                self._give(CONTENT[:1000], length=len(CONTENT))
                server.over.wait()

            def _silent(self) -> None:
                server.over.wait()

            def _wrong(self) -> None:
                self._give(CONTENT[::-1], length=len(CONTENT))

            def _endless(self) -> None:
                self._give(CONTENT)
                while not server.over.is_set():
                    self._write(bytes(1 << 16))

            def _moved(self) -> None:
                self._redirect("/right")

            def _loop(self) -> None:
                self._redirect("/loop")

            def _to_a_local_file(self) -> None:
                self._redirect("file:///etc/hostname")

            def log_message(self, *_: object) -> None:
                return

        return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = Server()
    running.thread.start()
    yield running
    running.over.set()
    running.http.shutdown()
    running.thread.join()
    running.http.server_close()


@pytest.fixture
def served(server: Server) -> Callable[..., Entry]:
    """An entry whose file is at that path of the server."""

    def make(path: str, *, stand_in: str | None = None) -> Entry:
        return make_entry(url=server.url(path), stand_in=stand_in)

    return make
