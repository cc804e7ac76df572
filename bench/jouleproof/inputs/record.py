"""The note that goes with a resolved input: which files, their content, where they came from, whose they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from jouleproof.inputs.catalogue import Entry, catalogue, only, relative_path, sha256_hex, take
from jouleproof.inputs.catalogue import entry as find_entry
from jouleproof.inputs.files import Digest, InputError, WrongContent, check, write_new

Origin: TypeAlias = Literal["local", "downloaded", "stand-in"]


@dataclass(frozen=True)
class RecordedFile:
    """One file of a record. path: relative to the record's folder, with forward slashes."""

    path: str
    bytes: int
    sha256: str

    @property
    def digest(self) -> Digest:
        """What identifies its content."""
        return Digest(self.bytes, self.sha256)


@dataclass(frozen=True)
class Record:
    """A resolved input, with its origin. folder: where the record and its files lie; not written."""

    id: str
    title: str
    origin: Origin
    files: Mapping[str, RecordedFile]
    licence: str
    citation: str
    folder: Path

    def path(self, name: str | None = None) -> Path:
        """Where the file of that name lies; without a name, the only file. Raises InputError where there is none."""
        asked = name or (next(iter(self.files)) if len(self.files) == 1 else "")
        if asked not in self.files:
            wrong = f"there is no file {asked}" if asked else "one file of many was asked for without its name"
            raise InputError(f"{self.id}: {wrong}; its files: {', '.join(self.files)}")
        return self.folder / self.files[asked].path

    def provenance(self) -> dict[str, str]:
        """What a result that rests on this input says of it."""
        hashes = {f"sha256 of {name}": file.sha256 for name, file in self.files.items()}
        return {"origin": self.origin, "licence": self.licence, "citation": self.citation} | hashes


def write(record: Record) -> Path:
    """Write <folder>/<id>.json, whole or not at all; the same record makes the same bytes."""
    path = record.folder / f"{record.id}.json"
    content = {
        "id": record.id,
        "title": record.title,
        "origin": record.origin,
        "files": {
            name: {"path": file.path, "bytes": file.bytes, "sha256": file.sha256} for name, file in record.files.items()
        },
        "licence": record.licence,
        "citation": record.citation,
    }
    write_new(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
    return path


def load(record_path: Path, *, known: Mapping[str, Entry] | None = None) -> Record:
    """Read a record and verify every file that it names, by size and sha256.

    What is not a stand-in must also be what the catalogue (`known`, by default the built-in one) promises.
    Raises InputError, in one line, on a record or a file that is missing, malformed or altered.
    """
    again = f"make it again with `snakemake -f {record_path}`"
    record = _read(record_path)
    entry = find_entry(record.id, catalogue() if known is None else known)
    if set(record.files) != {file.name for file in entry.files}:
        raise InputError(f"{record_path}: it lists other files than the catalogue does; {again}")
    for file in entry.files:
        recorded = record.files[file.name]
        if record.origin != "stand-in" and recorded.digest != file.digest:
            raise InputError(f"{record_path}: {file.name} is not recorded as what the catalogue promises; {again}")
        try:
            check(record.path(file.name), recorded.digest)
        except WrongContent as error:
            raise InputError(f"{record.id}: {record.path(file.name)} {error}; {again}") from error
    return record


def _read(path: Path) -> Record:
    try:
        table = take({"it": json.loads(path.read_bytes())}, "it", dict)
        only(table, {"id", "title", "origin", "files", "licence", "citation"})
        if take(table, "origin", str) not in get_args(Origin):
            raise ValueError(f"origin is {table['origin']!r}, not one of {', '.join(get_args(Origin))}")
        record = Record(
            id=take(table, "id", str),
            title=take(table, "title", str),
            origin=table["origin"],
            files={name: _file(take(table["files"], name, dict)) for name in take(table, "files", dict)},
            licence=take(table, "licence", str),
            citation=take(table, "citation", str),
            folder=path.parent,
        )
        if path.name != f"{record.id}.json":
            raise ValueError(f"it is the record of {record.id}")
        return record
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # JSON and UTF-8 errors too
        raise InputError(f"{path} is no record of an input: {' '.join(str(error).split()):.300}") from error


def _file(table: Mapping[str, Any]) -> RecordedFile:
    only(table, {"path", "bytes", "sha256"})
    return RecordedFile(
        relative_path(take(table, "path", str)), take(table, "bytes", int), sha256_hex(take(table, "sha256", str))
    )
