"""Files that are complete or absent: written under a temporary name, verified as they are written, renamed at the
end."""

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
    """A mistake in the inputs, or a missing input, that the user can correct; the message is one line."""

    def __str__(self) -> str:
        return f"inputs: {super().__str__()}"


class WrongContent(ValueError):
    """Content that differs from what is expected; the message says how and follows the name of the file."""


@dataclass(frozen=True)
class Digest:
    """Size and hash that identify a file's content.

    bytes: size, >= 0.  sha256: 64 lower-case hexadecimal digits.
    """

    bytes: int
    sha256: str


class CheckedWriter:
    """Writes to a file what must be exactly the expected content, and stops at the first byte too many."""

    def __init__(self, file: IO[bytes], expected: Digest) -> None:
        self._file, self._expected, self._size, self._sha256 = file, expected, 0, hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Write a piece. Raises WrongContent if it exceeds the expected size."""
        self._size += len(chunk)
        if self._size > self._expected.bytes:
            raise WrongContent(difference(Digest(self._size, ""), self._expected))
        self._sha256.update(chunk)
        self._file.write(chunk)

    def flush(self) -> None:
        """Flush the file."""
        self._file.flush()

    def finish(self) -> None:
        """Raise WrongContent unless all of the expected content has been written."""
        written = Digest(self._size, self._sha256.hexdigest())
        if written != self._expected:
            raise WrongContent(difference(written, self._expected))


def write_checked(path: Path, chunks: Iterable[bytes], expected: Digest) -> None:
    """Write `chunks` to `path` if, and only if, they are exactly the expected content.

    Stops at the first chunk that exceeds the expected size. Raises WrongContent.
    """
    with new_file(path) as file:
        writer = CheckedWriter(file, expected)
        for chunk in chunks:
            writer.write(chunk)
        writer.finish()


def write_new(path: Path, content: bytes) -> Digest:
    """Write content of unknown digest, and return its digest."""
    with new_file(path) as file:
        file.write(content)
    return Digest(len(content), hashlib.sha256(content).hexdigest())


def copy_checked(source: Path, path: Path, expected: Digest) -> None:
    """Copy a file, verifying it on the way."""
    write_checked(path, chunks_of(source), expected)


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield the file's content in pieces. Raises InputError if it cannot be read."""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except (OSError, ValueError) as error:  # ValueError if no file can have such a name
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
    """Describe how the content differs: has …, expected …."""
    if content.bytes > expected.bytes:
        return f"has more than the expected {expected.bytes:,} bytes"
    if content.bytes < expected.bytes:
        return f"has {content.bytes:,} bytes, expected {expected.bytes:,}"
    return f"has sha256 {content.sha256[:12]}…, expected {expected.sha256[:12]}… ({expected.bytes:,} bytes)"


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears as `path` if the block succeeds, and leaves nothing behind if it fails.

    Raises InputError if the folder is not writable or the disk is full.
    """
    try:
        with atomic(path) as temporary, temporary.open("wb") as file:
            yield file
    except InputError:
        raise
    except UserError as error:
        raise InputError(str(error)) from error
