"""Tables in the user's files: CSV or parquet by their content, names as they are written, and numbers that are
numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from jouleproof.errors import UserError, system_reason
from jouleproof.files import read_parquet

if TYPE_CHECKING:
    import pandas as pd

KNOWN = ".csv, .csv.gz, .csv.bz2, .csv.xz, .parquet"
PARQUET = b"PAR1"
MOST_BYTES = 1 << 30  # of a file, and of what it unpacks to
PACKED: Mapping[bytes, str] = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}  # modules
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
OTHER_FILES: Mapping[bytes, str] = {
    b"PK\x03\x04": "a spreadsheet or a zip archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"ARROW1": "a Feather file",
    b"FEA1": "a Feather file",
    b"\x28\xb5\x2f\xfd": "packed by zstd",
    b"version https://git-lfs": "a pointer of Git LFS (`git lfs pull` fetches the file)",
}
NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal", "string", "empty")  # by pandas' infer_dtype
OTHER_TYPES: Mapping[str, str] = {
    "datetime64": "a date",
    "datetime": "a date",
    "date": "a date",
    "period": "a date",
    "time": "a time of day",
    "timedelta64": "a duration",
    "timedelta": "a duration",
    "boolean": "true or false",
    "complex": "complex",
    "mixed-integer": "a mixture of numbers and others",
}


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or parquet file; its content decides which, not its name. Every value of a CSV file is text, as it is
    written: NA and 007 are names. The index, `line` or `record`, is the line on which a row of a CSV file begins, and a
    row's number from 1 in parquet. The file is opened once, so that a pipe can be read too.

    Raises UserError, in one line, if the file cannot be read, is of another kind, or is damaged.
    """
    content = _unpacked(path)
    for start, kind in OTHER_FILES.items():
        if content.startswith(start):
            raise UserError(f"{path}: is {kind}; known: {KNOWN}")
    table = _parquet(path, content) if content.startswith(PARQUET) else csv_table(path, _text(path, content))
    if not table.columns.is_unique:
        raise UserError(f"{path}: column {table.columns[table.columns.duplicated()][0]!r} appears twice")
    return table


def numbers(values: pd.Series[Any], needed: str, source: object) -> pd.Series[float]:
    """Return a column as float64, NaN where a cell holds no number; a number that is written as text is one.

    needed: the unit, and source: the table, for the message. Raises UserError where the column holds what would turn
    into another number: dates, durations, truth values.
    """
    import numpy as np
    import pandas as pd
    from pandas.api.types import infer_dtype

    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    kind = infer_dtype(values, skipna=True)
    if kind not in NUMBERS:
        first = values.dropna().iloc[0]
        words = OTHER_TYPES.get(kind, f"of type {type(first).__name__}")
        raise UserError(f"{source}: {values.name} is {words}; needed: {needed}")
    as_numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return pd.Series(as_numbers, index=values.index, name=values.name)


def _unpacked(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = _limited(path, file)
    except (OSError, ValueError) as error:  # ValueError if no file can have such a name
        raise UserError(f"{path}: cannot be read ({system_reason(error)})") from error
    for start, module in PACKED.items():
        if content.startswith(start):
            try:
                with import_module(module).open(io.BytesIO(content)) as file:
                    return _limited(path, file)
            except (MemoryError, UserError):
                raise
            except Exception as error:  # each raises errors of its own, and a Python may lack one
                raise UserError(f"{path}: cannot be unpacked by {module} ({system_reason(error)})") from error
    return content


def _limited(path: Path, file: IO[bytes]) -> bytes:
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UserError(f"{path}: holds more than {MOST_BYTES >> 20:,} MiB; split it")
    return content


def _text(path: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-16" if content.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        raise UserError(
            f"{path}, line {line}: cannot be read: neither parquet nor text in UTF-8; known: {KNOWN}"
        ) from error
    if "\0" in text:
        line = 1 + text.count("\n", 0, text.index("\0"))
        raise UserError(f"{path}, line {line}: holds a NUL byte; save it as UTF-8")
    return text


def _parquet(path: Path, content: bytes) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        table = read_parquet(io.BytesIO(content)).to_pandas().reset_index(drop=True)
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise UserError(f"{path}: cannot be read: {' '.join(str(error).split()):.300}") from error
    table.index = pd.RangeIndex(1, len(table) + 1, name="record")
    return table


def csv_table(path: Path, text: str) -> pd.DataFrame:
    """Return the rows of a CSV file as text, but for blank lines. The index, `line`, is where each begins in the file.

    path: for messages. Raises UserError if the text is not CSV or a row has more or fewer cells than the header.
    """
    import pandas as pd

    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    reader, line = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    try:
        for row in reader:
            if len(row) > 1 or "".join(row).strip():
                if header and len(row) != len(header):
                    raise UserError(f"{path}, line {line}: {len(row)} cells; the header has {len(header)}")
                if header:
                    rows.append(row)
                    lines.append(line)
                else:
                    header = row
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}, line {line}: is not CSV: {error}") from error
    if not header:
        raise UserError(f"{path}: is empty")
    return pd.DataFrame(rows, columns=header, index=pd.Index(lines, dtype=int, name="line"), dtype="str")
