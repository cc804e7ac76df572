"""Fixtures of the tests of inputs: a small loopback server that behaves well or badly, and tiny inputs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
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
IMPATIENT = Patience(connect_s=0.5, idle_s=0.3, retries=0)


def digest_of(content: bytes) -> Digest:
    return Digest(len(content), hashlib.sha256(content).hexdigest())


def file_table(file: str = "folder/tiny.bin", content: bytes = CONTENT, **more: str) -> dict[str, Any]:
    """Make a row of an input's `files`."""
    return {"file": file, **asdict(digest_of(content)), **more}


def make_entry(*, files: list[dict[str, Any]] | None = None, **more: Any) -> Entry:
    """Make a tiny input. more: the keys of its source, and others that differ."""
    (kind,) = KINDS.keys() & more
    table = {"title": "A tiny input", "files": files or [file_table()], "licence": "MIT", "citation": "Nobody, 2020"}
    return KINDS[kind].model_validate({"id": "tiny", **table, **more})


generated = cache(generate)
"""A stand-in's content, made once in a run of the tests."""


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class Server(ThreadingHTTPServer):
    """Serves CONTENT at /right, and misbehaves in one way at each other path. sent: bytes sent; asked: paths
    requested."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent = 0
        self.asked: list[str] = []
        self.over = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        with suppress(BrokenPipeError, ConnectionResetError):
            ANSWERS.get(self.path, lambda it: it.send_error(404, "Not Found"))(self)

    def give(self, content: bytes, *, length: int | None = None) -> None:
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.write(content)

    def write(self, content: bytes) -> None:
        self.wfile.write(content)
        self.wfile.flush()
        self.server.sent += len(content)

    def redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.end_headers()

    def stall(self) -> None:
        self.give(CONTENT[:1000], length=len(CONTENT))
        self.server.over.wait()

    def never_end(self) -> None:
        self.give(CONTENT)
        while not self.server.over.is_set():
            self.write(bytes(1 << 16))

    def log_message(self, *_: object) -> None:
        return


ANSWERS: dict[str, Callable[[Handler], object]] = {
    "/right": lambda it: it.give(CONTENT, length=len(CONTENT)),
    "/broken_off": lambda it: it.give(CONTENT[:1000], length=len(CONTENT)),
    "/right_at_last": lambda it: it.give(CONTENT[: len(CONTENT) // 2 * len(it.server.asked)], length=None),
    "/short": lambda it: it.give(CONTENT[:1000]),
    "/stalled": Handler.stall,
    "/silent": lambda it: it.server.over.wait(),
    "/wrong": lambda it: it.give(CONTENT[::-1], length=len(CONTENT)),
    "/endless": Handler.never_end,
    "/moved": lambda it: it.redirect("/right"),
    "/loop": lambda it: it.redirect("/loop"),
    "/to_a_local_file": lambda it: it.redirect("file:///etc/hostname"),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def served(server: Server) -> Callable[..., Entry]:
    """Make an entry whose file is at that path of the server."""

    def make(path: str, *, stand_in: str | None = None) -> Entry:
        return make_entry(url=server.url(path), stand_in=stand_in)

    return make
