"""Reading and writing files that are either complete or absent."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import IO, TYPE_CHECKING
from zlib import crc32

from jouleproof.errors import UserError, system_reason

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, which replaces `path` if the block succeeds and is deleted if it fails.

    As with files that are written in place, a link stays one, an existing file keeps its mode, and a new one has the
    mode that the umask leaves. Raises UserError if the folder is not writable, the disk is full, or `path` is a device.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        status = target.stat() if target.exists() else os.fstat(handle)
        os.close(handle)
    except OSError as error:
        advice = "; make its folder writable or choose another" if isinstance(error, PermissionError) else ""
        raise UserError(f"{path}: cannot be written ({system_reason(error)}){advice}") from error
    try:
        if not S_ISREG(status.st_mode):
            raise UserError(f"{path}: cannot be written (it is not a regular file)")
        yield temporary
        temporary.chmod(S_IMODE(status.st_mode))  # some libraries replace the file by a private one
        temporary.replace(target)
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
