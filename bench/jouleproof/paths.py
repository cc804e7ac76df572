"""Paths that a person writes, in a config or on the command line, and the files that a config names by path.

A relative path starts from the working folder, which `snakemake --directory` sets; `~` and `~user` are homes;
environment variables are not expanded.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from jouleproof.errors import UserError, system_reason

SMALL_BYTES = 1 << 20
_KIND = re.compile(r"[a-z_]+:")  # of `folder:PATH`


def expanded(text: str) -> str:
    """Return a path without `~`, and with a slash, so that `named_paths` never takes it for a name of another kind."""
    path = str(home_expanded(Path(text)))
    return path if "/" in path else f"./{path}"


def home_expanded(path: Path) -> Path:
    """Replace `~` or `~user` at the beginning of a path; it stays if there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def expanded_after_kind(text: str) -> str:
    """Expand the path in `kind:PATH`."""
    kind, colon, path = text.partition(":")
    return f"{kind}{colon}{expanded(path)}"


def check_file(path: Path) -> None:
    """Raise UserError unless the path is a file that can be read."""
    try:
        if not path.is_file():
            raise UserError(f"{path} {'is not a file' if path.exists() else 'is not a file: it does not exist'}")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({system_reason(error)})") from error


def named_paths(config: Any) -> list[Path]:
    """List the existing files and folders that a config names, under any key, in the config's order.

    A text names one if it has a slash or a dot, alone or after `kind:`. A folder that the working folder lies in does
    not count, since it also holds what the run writes.
    """
    candidates = (path for text in _texts(config) for path in _paths_in(text))
    return list(dict.fromkeys(path for path in candidates if _is_data(path)))


def data_files(config: Any) -> list[Path]:
    """List the files that a config names, and those in the folders that it names, without hidden ones."""
    return list(dict.fromkeys(file for path in named_paths(config) for file in files_at(path)))


def files_at(path: Path) -> list[Path]:
    """List the files in a folder, at any depth and through links, without hidden ones; a file is listed itself."""
    return [path] if path.is_file() else list(_files_below(path))


def fingerprints(files: Iterable[Path]) -> list[str]:
    """Describe the content of files: of a small one its hash, of a large one its size and time.

    A job whose inputs' fingerprints change runs again, also where a link now leads to an older file, or a small file
    was replaced by one of the same time.
    """
    return [f"{path}: {_fingerprint(path)}" for path in files]


def provenance_of(path: Path) -> dict[str, str | int]:
    """Size and sha256 of a file, or of every file in a folder, as read at this moment. Raises UserError if one cannot
    be read."""
    record: dict[str, str | int] = {"origin": "local", "licence": "the user's own"}
    for file in files_at(path):
        name = str(file.relative_to(path)) if file != path else path.name
        record |= {f"bytes of {name}": file.stat().st_size, f"sha256 of {name}": sha256(file)}
    return record


def sha256(file: Path) -> str:
    """Hash a file without holding it in memory. Raises UserError if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"config: {file} cannot be read ({system_reason(error)})") from error


def _fingerprint(file: Path) -> str:
    status = file.stat()
    return sha256(file) if status.st_size <= SMALL_BYTES else f"{status.st_size} bytes, {status.st_mtime_ns}"


def _texts(config: Any) -> Iterator[str | Path]:
    if isinstance(config, str | Path):
        yield config
    elif isinstance(config, Mapping):
        for key, value in config.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(config, list | tuple | AbstractSet):
        for value in config:
            yield from _texts(value)


def _paths_in(text: str | Path) -> Iterator[Path]:
    """Yield the paths that a text may stand for."""
    if isinstance(text, Path):
        yield text
        return
    kind = _KIND.match(text)
    for candidate in (text, text[kind.end() :] if kind else ""):
        if re.search(r"[./]", candidate):
            yield Path(candidate)


def _is_data(path: Path) -> bool:
    try:
        return path.is_file() or (path.is_dir() and not Path.cwd().is_relative_to(path.resolve()))
    except (OSError, ValueError):  # too long for a path, contains a zero byte, or in a folder that cannot be searched
        return False


def _files_below(folder: Path) -> Iterator[Path]:
    visited = set()
    for base, folders, names in os.walk(folder, followlinks=True):
        if (place := os.path.realpath(base)) in visited:  # a link to a folder above it
            folders.clear()
            continue
        visited.add(place)
        folders[:] = sorted(name for name in folders if name[0] != "." and name != "__pycache__")
        yield from (path for name in sorted(names) if name[0] != "." and (path := Path(base, name)).is_file())
