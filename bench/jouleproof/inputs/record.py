"""Record of a resolved input: its files, their digests, their origin and their licence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, ValidationError

from jouleproof.inputs.catalogue import Entry, RelativePath, Sha256, Size, Table, Text
from jouleproof.inputs.catalogue import entry as find_entry
from jouleproof.inputs.files import Digest, InputError, WrongContent, check, write_new
from jouleproof.knobs import complaints

Origin: TypeAlias = Literal["committed", "local", "downloaded", "stand-in"]


class RecordedFile(Table):
    """One file of a record. path: relative to the record's folder, with forward slashes."""

    path: RelativePath
    bytes: Size
    sha256: Sha256

    @property
    def digest(self) -> Digest:
        """Size and digest that identify its content."""
        return Digest(self.bytes, self.sha256)


class Record(Table):
    """A resolved input, with its origin. folder: the folder of the record and its files; not written."""

    id: Text
    title: Text
    origin: Origin
    files: dict[str, RecordedFile]
    licence: Text
    citation: Text
    folder: Path = Field(exclude=True)

    def path(self, name: str | None = None) -> Path:
        """Return the path of the file of that name, or of the only file. Raises InputError if there is none."""
        asked = name or (next(iter(self.files)) if len(self.files) == 1 else "")
        if asked not in self.files:
            wrong = f"there is no file {asked}" if asked else "a file name is needed"
            raise InputError(f"{self.id}: {wrong}; its files: {', '.join(self.files)}")
        return self.folder / self.files[asked].path

    def provenance(self) -> dict[str, str]:
        """Provenance of this input, as the results that rest on it record it."""
        hashes = {f"sha256 of {name}": file.sha256 for name, file in self.files.items()}
        return {"origin": self.origin, "licence": self.licence, "citation": self.citation} | hashes


def write(record: Record) -> Path:
    """Write <folder>/<id>.json atomically; the same record gives the same bytes."""
    path = record.folder / f"{record.id}.json"
    write_new(path, (json.dumps(record.model_dump(), indent=2, ensure_ascii=False) + "\n").encode())
    return path


def load(record_path: Path, *, entries: Mapping[str, Entry] | None = None) -> Record:
    """Read a record and verify every file that it names, by size and sha256.

    Unless it is a stand-in, it must also match the catalogue (`entries`, by default the built-in one).
    Raises InputError, in one line, if a record or a file is missing, malformed or altered.
    """
    again = f"recreate it with `snakemake -f {record_path}`"
    record = _read(record_path)
    named = find_entry(record.id, entries).named
    if set(record.files) != set(named):
        raise InputError(f"{record_path}: its files are not those of the catalogue; {again}")
    for name, file in named.items():
        recorded = record.files[name]
        if record.origin != "stand-in" and recorded.digest != file.digest:
            raise InputError(f"{record_path}: {name}: its digest is not the catalogue's; {again}")
        try:
            check(record.path(name), recorded.digest)
        except WrongContent as error:
            raise InputError(f"{record.id}: {record.path(name)} {error}; {again}") from error
    return record


def _read(path: Path) -> Record:
    """Read the record, and set its folder to that of its file: no record can contain one, since no JSON is a path."""
    try:
        record = Record.model_validate({"folder": path.parent, **json.loads(path.read_bytes())})
        if path.name != f"{record.id}.json":
            raise ValueError(f"it is the record of {record.id}")
        return record
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, RecursionError) as error:  # includes JSON and UTF-8 errors
        wrong = complaints(error, Record, what="key") if isinstance(error, ValidationError) else [str(error)]
        raise InputError(f"{path} is not a record of an input: {' '.join('; '.join(wrong).split()):.300}") from error
