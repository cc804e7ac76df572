"""Reading and writing files that are either complete or absent."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from zlib import crc32

from jouleproof.errors import UserError, system_reason

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, which replaces `path` if the block succeeds and is deleted if it fails.

    Raises UserError if the folder is not writable or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        advice = "; make its folder writable or choose another" if isinstance(error, PermissionError) else ""
        raise UserError(f"{path}: cannot be written ({system_reason(error)}){advice}") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if error.errno is None:
            raise
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text atomically, as UTF-8 and with its line endings unchanged."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_parquet(path: Path | IO[bytes], columns: list[str] | None = None) -> "pa.Table":
    """Read a table. Raises OSError or an exception of pyarrow if the file is not parquet or its text is not UTF-8;
    pyarrow itself reports the latter only when a value is accessed."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=columns)
    table.validate(full=True)
    return table


def checksum(*paths: Path | str) -> int:
    """CRC-32 of the contents of several files. With it in a compiled function, numba's cache on disk notices edits to
    code outside the function's file."""
    return crc32(b"".join(Path(path).read_bytes() for path in paths))
