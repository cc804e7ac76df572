"""Files that are either whole or not there, written and read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from jouleproof.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path in the folder of `path` that takes its place when the block ends well, and goes when not.

    Raises UserError where the folder cannot be written or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); make its folder writable or choose another"
        ) from error
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
    """UTF-8, unchanged line ends, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_parquet(path: Path, columns: list[str] | None = None) -> "pa.Table":
    """Raises OSError or pyarrow's exceptions where the file is none, or its text is not UTF-8, which pyarrow by itself
    leaves to whoever looks at it first."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=columns)
    table.validate(full=True)
    return table


def checksum(*paths: Path | str) -> int:
    """Of the bytes of files together: what numba's cache on disk is told of code outside the file of a compiled
    function, whose edits it does not see."""
    return crc32(b"".join(Path(path).read_bytes() for path in paths))
