"""Files that are whole or absent: written beside their name, checked as they are written, renamed at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from jouleproof.errors import UserError
from jouleproof.files import atomic

CHUNK_BYTES = 1 << 18


class InputError(UserError):
    """A mistake or a lack, about the inputs, that the user can mend; one line."""

    def __str__(self) -> str:
        return f"inputs: {super().__str__()}"


class WrongContent(Exception):
    """Bytes that are not the ones asked for; the message says how, in words that follow the name of the file."""


@dataclass(frozen=True)
class Digest:
    """What identifies a file's content.

    bytes: size, >= 0.  sha256: 64 lower-case hexadecimal digits.
    """

    bytes: int
    sha256: str


def write_checked(path: Path, chunks: Iterable[bytes], expected: Digest) -> None:
    """Write `chunks` to `path` if, and only if, they are exactly the expected content.

    Stops at the first chunk that makes more bytes than expected. Raises WrongContent.
    """
    with new_file(path) as file:
        written = _written(file, chunks, limit=expected.bytes)
        if written != expected:
            raise WrongContent(difference(written, expected))


def write_new(path: Path, content: bytes) -> Digest:
    """Write content that nothing is known about yet, and return what identifies it."""
    with new_file(path) as file:
        return _written(file, [content], limit=len(content))


def copy_checked(source: Path, path: Path, expected: Digest) -> None:
    """Copy a file, checking it on the way."""
    write_checked(path, chunks_of(source), expected)


def chunks_of(path: Path) -> Iterator[bytes]:
    """The file's content in pieces. Raises InputError where it cannot be read."""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except (OSError, ValueError) as error:  # ValueError where no file can have such a name
        raise InputError(f"cannot read {path!s:.300}: {getattr(error, 'strerror', None) or error}") from error


def check(path: Path, expected: Digest) -> None:
    """Raise WrongContent unless the file has exactly the expected content."""
    size, sha256 = 0, hashlib.sha256()
    for chunk in chunks_of(path):
        size += len(chunk)
        sha256.update(chunk)
    content = Digest(size, sha256.hexdigest())
    if content != expected:
        raise WrongContent(difference(content, expected))


def difference(content: Digest, expected: Digest) -> str:
    """How the content differs: has …, expected …."""
    if content.bytes > expected.bytes:
        return f"has more than the expected {expected.bytes:,} bytes"
    if content.bytes < expected.bytes:
        return f"has {content.bytes:,} bytes, expected {expected.bytes:,}"
    return f"has sha256 {content.sha256[:12]}…, expected {expected.sha256[:12]}… ({expected.bytes:,} bytes)"


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under `path` when the block ends well, and leaves nothing behind when it does not.

    Raises InputError where the folder cannot be written or the disk is full.
    """
    try:
        with atomic(path) as temporary, temporary.open("wb") as file:
            yield file
    except InputError:
        raise
    except UserError as error:
        raise InputError(str(error)) from error


def _written(file: IO[bytes], chunks: Iterable[bytes], *, limit: int) -> Digest:
    size, sha256 = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            break
        sha256.update(chunk)
        file.write(chunk)
    return Digest(size, sha256.hexdigest())
