"""Conversions of files as their makers publish them: to the tables that the project carries (in committed/), and to the
file that a user brings.

A published file is identified by its hash before it is read; nothing in it is ever executed. A table keeps all rows of
the columns in use, with the values that the published file has.
"""

from __future__ import annotations

import io
import json
import pickletools
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from jouleproof.errors import system_reason
from jouleproof.files import read_parquet
from jouleproof.inputs.catalogue import BringEntry, CommittedEntry, Published, function_of
from jouleproof.inputs.catalogue import entry as find_entry
from jouleproof.inputs.files import InputError, WrongContent, check, write_checked, write_new

if TYPE_CHECKING:
    import pyarrow as pa


def convert(id: str, source: Path, folder: Path) -> Path:
    """Convert an input's published files and write the result below `folder`, where the catalogue expects it.

    source: the published file, or a folder that holds it at any depth, under any name if its hash is known.
    Returns the path written. Raises InputError if the input has no conversion, the source lacks a published file, or
    what the user brings differs from the catalogue.
    """
    entry = find_entry(id)
    if not source.exists():
        raise InputError(f"{id}: there is no file or folder {source}")
    if isinstance(entry, CommittedEntry):
        content = function_of(entry.convert)([_find(id, file, source) for file in entry.published])
    elif isinstance(entry, BringEntry) and entry.convert:
        content = function_of(entry.convert)(source)
    else:
        raise InputError(f"{id}: nothing to convert: {entry.source} has the file as it is used")
    (file,) = entry.files
    if isinstance(entry, BringEntry):
        try:
            write_checked(folder / file.file, [content], file.digest)
        except WrongContent as error:
            raise InputError(f"{id}: {source}, converted, {error}. {entry.bring}") from error
    else:
        write_new(folder / file.file, content)
    return folder / file.file


def _find(id: str, published: Published, source: Path) -> Path:
    """Find a published file by size and hash, those of the published name first."""
    name = PurePosixPath(published.url).name
    paths = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    wrong = f"{source} holds no file of {published.bytes:,} bytes"
    for path in sorted(paths, key=lambda path: path.name != name):
        if path.stat().st_size == published.bytes:
            try:
                check(path, published.digest)
                return path
            except WrongContent as error:
                wrong = f"{path} {error}"
    raise InputError(f"{id}: {wrong}; needed: {name} from {published.url}")


def parquet(table: pa.Table) -> bytes:
    """Serialise a table without metadata, with or without dictionaries, whichever is smaller."""
    import pyarrow.parquet as pq

    contents = []
    for dictionaries in (False, True):
        sink = io.BytesIO()
        pq.write_table(
            table.replace_schema_metadata(None),
            sink,
            compression="zstd",
            compression_level=19,
            use_dictionary=dictionaries,
            store_schema=False,
            row_group_size=1 << 24,
        )
        contents.append(sink.getvalue())
    return min(contents, key=len)


def azure_trace(paths: Sequence[Path]) -> bytes:
    """Convert a trace of Azure's LLM inference services; its times have seven decimals."""
    import pyarrow as pa
    from pyarrow.csv import ConvertOptions, read_csv

    types = {"TIMESTAMP": pa.timestamp("ns"), "ContextTokens": pa.int64(), "GeneratedTokens": pa.int64()}
    return parquet(read_csv(paths[0], convert_options=ConvertOptions(column_types=types)))


def whole_csv(paths: Sequence[Path]) -> bytes:
    """Convert a CSV file with all its columns, numbers as numbers."""
    from pyarrow.csv import read_csv

    return parquet(read_csv(paths[0]))


def cpu_fragments(paths: Sequence[Path]) -> bytes:
    """Keep the columns of a workload's fragments that are in use (OpenDC)."""
    return parquet(read_parquet(paths[0], ["id", "duration", "cpu_usage"]))


def cpu_tasks(paths: Sequence[Path]) -> bytes:
    """Keep the columns of a workload's tasks that are in use (OpenDC)."""
    return parquet(read_parquet(paths[0], ["id", "submission_time", "duration", "cpu_capacity"]))


def json_lines(paths: Sequence[Path]) -> bytes:
    """Convert a file of JSON objects, one a line, with all their keys."""
    import pyarrow as pa

    lines = paths[0].read_text(encoding="utf-8").splitlines()
    return parquet(pa.Table.from_pylist([json.loads(line) for line in lines]))


def acme_power(paths: Sequence[Path]) -> bytes:
    """Convert the distributions of power in Acme's clusters. paths: gpu_power_kalos, gpu_power_seren, server_power.

    The files are pickles of lists of NumPy arrays: watts and percentages, one pair for each distribution.
    """
    import numpy as np
    import pyarrow as pa

    arrays = [np.frombuffer(content, "<f8") for path in paths for content in pickled_arrays(path)]
    watts, percentages = arrays[::2], arrays[1::2]
    names = ["gpu_power_w_kalos", "gpu_power_w_seren", "gpu_server_power_w_seren", "cpu_server_power_w_seren"]
    if len(watts) != len(names) or any(not np.array_equal(percentages[0], other) for other in percentages):
        raise InputError("acme_power: the files do not hold four distributions over the same percentages")
    return parquet(pa.table({"cdf_percent": percentages[0].round(4), **dict(zip(names, watts, strict=True))}))


def pickled_arrays(path: Path) -> list[bytes]:
    """Return the contents of the arrays in a pickle, in order. The pickle is disassembled, never loaded."""
    try:
        opcodes = list(pickletools.genops(path.read_bytes()))
    except OSError as error:
        raise InputError(f"cannot read {path}: {system_reason(error)}") from error
    except ValueError as error:
        raise InputError(f"{path} is not a pickle: {error}") from error
    return [content for opcode, content, _ in opcodes if opcode.name == "BINBYTES" and isinstance(content, bytes)]
