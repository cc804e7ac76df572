"""What inputs there are: where each comes from, what identifies it, whose it is (catalogue.toml, read strictly)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from jouleproof.inputs.files import Digest, InputError
from jouleproof.inputs.stand_in import GENERATORS

_CATALOGUE = Path(__file__).with_name("catalogue.toml")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REQUIREMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9.+!]+")
_READER = re.compile(r"[a-z_][\w.]*:[a-z_]\w*")
_WHEEL = ("wheel", "wheel_bytes", "wheel_sha256")


@dataclass(frozen=True)
class Url:
    """One file at an http(s) address."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class Wheel:
    """Members of one wheel on the package index. requirement: name==version; digest: the wheel's own."""

    requirement: str
    digest: Digest

    def __str__(self) -> str:
        return f"wheel {self.requirement} on the package index"


@dataclass(frozen=True)
class Parts:
    """One file, cut into a member of each of several wheels: (wheel, member's path inside it), in order."""

    parts: tuple[tuple[Wheel, str], ...]

    def __str__(self) -> str:
        return f"wheels {self.parts[0][0].requirement} and {len(self.parts) - 1} more on the package index"


@dataclass(frozen=True)
class Bring:
    """What only the user can provide; `how` is a sentence that says how."""

    how: str

    def __str__(self) -> str:
        return "yours to bring"


Source: TypeAlias = Url | Wheel | Parts | Bring


@dataclass(frozen=True)
class InputFile:
    """One file of an input.

    file: its path under the folder that the user names, with forward slashes.
    name: its path inside the input, unique there; what a study asks for.
    member: its path inside the wheel; None where it comes from elsewhere.
    """

    file: str
    name: str
    digest: Digest
    member: str | None = None


@dataclass(frozen=True)
class Entry:
    """One input of the catalogue.

    stand_in: the generator that can take its place, or None. reader: `module:function` that reads its file, or the
    files that `reads` names; experiments are given what it returns, or the file's path where there is no reader.
    """

    id: str
    title: str
    source: Source
    files: tuple[InputFile, ...]
    licence: str
    citation: str
    stand_in: str | None = None
    reader: str | None = None
    reads: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Size of all its files together."""
        return sum(file.digest.bytes for file in self.files)


@cache
def catalogue() -> Mapping[str, Entry]:
    """Every input by its id, in the order of the file."""
    return parse(_CATALOGUE.read_text(encoding="utf-8"))


def entry(id: str, known: Mapping[str, Entry] | None = None) -> Entry:
    """The input of that id. Raises InputError, listing the ids that there are."""
    known = catalogue() if known is None else known
    if id not in known:
        raise InputError(f"{id!r} is not in the catalogue; known ids: {', '.join(known)}")
    return known[id]


def parse(text: str) -> Mapping[str, Entry]:
    """Read a catalogue. Raises InputError, naming the table and the key, on anything unknown, missing or malformed."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"catalogue.toml: {error}") from error
    entries = {id: _entry(id, table) for id, table in tables.items()}
    owner: dict[str, str] = {}
    for found in entries.values():
        for file in found.files:
            if owner.setdefault(file.file, found.id) != found.id:
                raise InputError(f"catalogue.toml: {file.file} belongs to both {owner[file.file]} and {found.id}")
    return MappingProxyType(entries)


def relative_path(text: str) -> str:
    """A path that cannot leave the folder it is joined to, unchanged.

    Raises ValueError on absolute paths, drive letters, backslashes, and empty, `.` or `..` parts.
    """
    if "\\" in text or ":" in text or any(part in ("", ".", "..") for part in text.split("/")):
        raise ValueError(f"{text!r} is not a plain relative path with forward slashes")
    return text


def sha256_hex(text: str) -> str:
    """A sha256 in 64 lower-case hexadecimal digits, unchanged. Raises ValueError on anything else."""
    if not _SHA256.fullmatch(text):
        raise ValueError(f"{text!r} is not a sha256 of 64 lower-case hexadecimal digits")
    return text


def take(table: Mapping[str, Any], key: str, kind: type, default: Any = ...) -> Any:
    """The value of a key, which must be of that type (True is no int, and no text is empty). Raises ValueError."""
    value = table.get(key, default)
    if value is ...:
        raise ValueError(f"{key} is missing")
    if value is default:
        return value
    if type(value) is not kind or value == "" or (isinstance(value, int) and value < 0):
        raise ValueError(f"{key} is {value!r}, not a {'whole number from 0' if kind is int else kind.__name__}")
    return value


def only(table: Mapping[str, Any], keys: set[str]) -> None:
    """Raise ValueError where the table has a key beyond these."""
    if unknown := sorted(set(table) - keys):
        raise ValueError(f"unknown key {', '.join(unknown)}; known: {', '.join(sorted(keys))}")


def _entry(id: str, table: Any) -> Entry:
    try:
        if not isinstance(table, dict) or not re.fullmatch(r"[a-z][a-z0-9_]*", id):
            raise ValueError("an input is a table [id], its id made of a-z, 0-9 and _")
        source, keys = _source(table)
        only(table, keys | {"title", "files", "licence", "citation", "stand_in", "reader", "reads"})
        found = Entry(
            id=id,
            title=take(table, "title", str),
            source=source,
            files=_files(take(table, "files", list), in_wheel=isinstance(source, Wheel)),
            licence=take(table, "licence", str),
            citation=take(table, "citation", str),
            stand_in=take(table, "stand_in", str, None),
            reader=take(table, "reader", str, None),
            reads=tuple(take(table, "reads", list, [])),
        )
        if found.reader is not None and not _READER.fullmatch(found.reader):
            raise ValueError(f"reader {found.reader!r} is not module:function")
        names = [file.name for file in found.files]
        if absent := [name for name in found.reads if name not in names]:
            raise ValueError(f"reads: {absent[0]!r} is none of its files: {', '.join(names)}")
        if found.reader and len(names) > 1 and not found.reads:
            raise ValueError("reads is missing: it says which of the files the reader is given")
        if len(found.files) > 1 and (isinstance(source, Url | Parts) or found.stand_in):
            raise ValueError("a url, parts or a stand-in make one file, and more are listed")
        if found.stand_in is not None and found.stand_in not in GENERATORS:
            raise ValueError(f"stand_in {found.stand_in!r} is not one of {', '.join(GENERATORS)}")
        return found
    except ValueError as error:
        raise InputError(f"catalogue.toml: [{id}]: {error}") from error


def _source(table: Mapping[str, Any]) -> tuple[Source, set[str]]:
    kinds = [kind for kind in ("url", "wheel", "parts", "bring") if kind in table]
    if len(kinds) != 1:
        raise ValueError(f"exactly one of url, wheel, parts and bring says where it is from, not {kinds or 'none'}")
    if kinds == ["wheel"]:
        return _wheel(table), set(_WHEEL)
    if kinds == ["parts"]:
        return _parts(take(table, "parts", list)), {"parts"}
    text = take(table, kinds[0], str)
    if kinds == ["bring"]:
        return Bring(text), {"bring"}
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
        raise ValueError(f"url {text!r} is not an http(s) address")
    return Url(text), {"url"}


def _wheel(table: Mapping[str, Any]) -> Wheel:
    text = take(table, "wheel", str)
    if not _REQUIREMENT.fullmatch(text):
        raise ValueError(f"wheel {text!r} is not name==version")
    return Wheel(text, Digest(take(table, "wheel_bytes", int), sha256_hex(take(table, "wheel_sha256", str))))


def _parts(tables: list[Any]) -> Parts:
    if len(tables) < 2 or not all(isinstance(table, dict) for table in tables):
        raise ValueError("parts is a list of at least two {wheel, wheel_bytes, wheel_sha256, member}")
    for table in tables:
        only(table, {*_WHEEL, "member"})
    return Parts(tuple((_wheel(table), relative_path(take(table, "member", str))) for table in tables))


def _files(tables: list[Any], *, in_wheel: bool) -> tuple[InputFile, ...]:
    if not tables or not all(isinstance(table, dict) for table in tables):
        raise ValueError("files is a list of at least one {file, bytes, sha256}")
    paths = [PurePosixPath(relative_path(take(table, "file", str))) for table in tables]
    if len(set(paths)) < len(paths):
        raise ValueError("a file is listed twice")
    folder = _common_folder(paths)
    return tuple(
        _file(table, str(path.relative_to(folder)), in_wheel=in_wheel)
        for table, path in zip(tables, paths, strict=True)
    )


def _file(table: Mapping[str, Any], name: str, *, in_wheel: bool) -> InputFile:
    only(table, {"file", "bytes", "sha256"} | ({"member"} if in_wheel else set()))
    return InputFile(
        file=table["file"],
        name=name,
        digest=Digest(take(table, "bytes", int), sha256_hex(take(table, "sha256", str))),
        member=relative_path(take(table, "member", str)) if in_wheel else None,
    )


def _common_folder(paths: list[PurePosixPath]) -> PurePosixPath:
    return next(folder for folder in paths[0].parents if all(path.is_relative_to(folder) for path in paths))
