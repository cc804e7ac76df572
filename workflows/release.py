"""Build the release archive: everything that is needed to install and run without a network, except torch.

    python -m workflows.release        # `make release`: dist/jouleproof-<version>.tar.gz

It holds the files of the last commit, the packages that `make` and `make test` install for this platform and this
Python, the inputs whose licence permits redistribution, and INSTALL.md, which names what is missing. The same commit,
packages and inputs give the same bytes.
"""

import gzip
import io
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from jouleproof.errors import UserError, one_line_errors
from jouleproof.evidence.provenance import code_version, git
from jouleproof.files import atomic
from jouleproof.inputs import catalogue, default_cache
from jouleproof.inputs.catalogue import BringEntry, CommittedEntry, Entry
from jouleproof.inputs.fetch import Unavailable, fetch
from jouleproof.inputs.files import copy_checked
from workflows.lock import LOCK, LockError, check, pinned, torch_pin

ROOT = Path(__file__).resolve().parent.parent
INCLUDED = ("run", "test")  # pins of the lock; torch is not: its builds are large and differ between accelerators
REDISTRIBUTABLE = ("Apache-2.0", "CC-BY-4.0", "MIT")

INSTALL = """# Install and run without a network

Jouleproof {version}, commit {commit}. The packages are for Python {python} on {platform}; each keeps its own licence.

1. Put the wheel of `{torch}` for your machine, and of what its build needs beyond `wheelhouse/` (the CPU build:
   nothing; CUDA builds: `nvidia-*`, `triton`), into `wheelhouse/`.
2. In this folder:

       export PIP_NO_INDEX=1 PIP_FIND_LINKS="$PWD/wheelhouse" JOULEPROOF_INPUTS="$PWD/inputs"
       make PYTHON=python{python}

   or, into a separate environment: `python workflows/lock.py install run` instead of `make`, then `snakemake`.

## Inputs that are not included

{left_out}
"""


def release(
    commit: str, tree: bytes, wheels: Path, inputs: Path, left_out: Mapping[str, str], root: Path = ROOT
) -> tuple[str, Iterator[tuple[str, bytes | Path, int]]]:
    """Return the archive's name without suffix, and its members sorted by path: path below that name, content, mode.

    tree: output of `git archive`. wheels, inputs: folders whose files are included. left_out: reason by id of the
    input.
    """
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    note = INSTALL.format(
        version=version,
        commit=commit,
        python=".".join(platform.python_version_tuple()[:2]),
        platform=f"{platform.system()} {platform.machine()}",
        torch=torch_pin((root / LOCK).read_text(encoding="utf-8")),
        left_out="\n".join(f"- `{id}`: {why}" for id, why in left_out.items()) or "None.",
    )
    members: dict[str, tuple[bytes | Path, int]] = {"INSTALL.md": (note.encode(), 0o644)}
    with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
        for member in archive:
            if member.isfile():
                members[member.name] = cast(BinaryIO, archive.extractfile(member)).read(), member.mode & 0o755
            elif not member.isdir():
                raise UserError(f"release: {member.name} is neither a file nor a folder; the archive holds only these")
    for name, folder in (("wheelhouse", wheels), ("inputs", inputs)):
        for path in folder.rglob("*"):
            if path.is_file():
                members[f"{name}/{path.relative_to(folder).as_posix()}"] = path, 0o644
    return f"jouleproof-{version}", ((path, *members[path]) for path in sorted(members))


def write_archive(out: Path, top: str, members: Iterable[tuple[str, bytes | Path, int]], time: int) -> None:
    """Write the members under the folder `top`, all with one time (seconds since 1970) and without an owner.

    The fastest level of compression suffices: wheels are already compressed.
    """
    with (
        atomic(out) as temporary,
        temporary.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=time) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, content, mode in members:
            header = tarfile.TarInfo(f"{top}/{path}")
            header.mtime, header.mode = time, mode
            if isinstance(content, Path):
                header.size = content.stat().st_size
                with content.open("rb") as opened:
                    archive.addfile(header, opened)
            else:
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))


def collect_inputs(folder: Path, entries: Mapping[str, Entry], places: Sequence[Path]) -> dict[str, str]:
    """Put every input that may be redistributed, and is not in the tree, below `folder`: from the first place that has
    it or from its source.

    Returns why the others are left out, by id. Raises UserError if one without a stand-in is missing.
    """
    left_out = {}
    for id, entry in entries.items():
        if isinstance(entry, CommittedEntry):
            continue
        if isinstance(entry, BringEntry):
            left_out[id] = f"to be supplied by you; a stand-in takes its place. {entry.bring}"
        elif not entry.licence.startswith(REDISTRIBUTABLE):
            left_out[id] = f"its licence ({entry.licence}) is not known to allow redistribution"
        else:
            try:
                _collect(entry, folder, places)
            except Unavailable as why:
                if entry.stand_in is None:
                    raise UserError(f"release: {id}: {entry.source} failed: {why}") from why
                left_out[id] = f"not available when this archive was made; from {entry.source}, {entry.licence}"
    return left_out


def _collect(entry: Entry, folder: Path, places: Sequence[Path]) -> None:
    for place in places:
        if all((place / file.file).is_file() for file in entry.files):
            for file in entry.files:
                copy_checked(place / file.file, folder / file.file, file.digest)
            return
    fetch(entry, folder)


def requirements(root: Path) -> list[str]:
    """Return the lines of the lock whose packages are included. Raises UserError if the lock is not current."""
    try:
        pins = pinned(check(root))
    except LockError as error:
        raise UserError(f"release: {error}") from error
    return [*dict.fromkeys(line for name in INCLUDED for line in pins[name])]


def collect_packages(folder: Path, requirements: Sequence[str]) -> None:
    """Download the files of the lock by hash, with pip and from the index in its settings: wheels where there are any.

    requirements: lines of the lock.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-build-isolation", "--require-hashes", "--dest", str(folder), "--requirement", "/dev/stdin"]
    done = subprocess.run(command, input="\n".join(requirements), encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        raise UserError("release: pip did not provide every package; its message is above")


def _git(*arguments: str) -> bytes:
    output = git(ROOT, *arguments, timeout_s=600)
    if output is None:
        raise UserError(f"release: git {' '.join(arguments):.80} failed")
    return output


def main() -> None:
    commit, dirty = code_version().values()
    if commit is None:
        raise UserError(f"release: {ROOT} is not a git clone of this project; a release is made from one")
    if dirty:
        print("release: files have changed since the last commit; the archive holds that commit", file=sys.stderr)
    time = int(_git("log", "--no-show-signature", "-1", "--format=%ct", commit))
    tree = _git("-c", "tar.umask=0022", "-c", "core.autocrlf=false", "archive", "--format=tar", commit)
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="release.", dir=dist) as name:
        wheels, inputs = Path(name) / "wheels", Path(name) / "inputs"
        wheels.mkdir()
        inputs.mkdir()
        inputs_dir = os.environ.get("JOULEPROOF_INPUTS")
        places = [*([Path(inputs_dir)] if inputs_dir else []), default_cache()]
        left_out = collect_inputs(inputs, catalogue(), places)
        collect_packages(wheels, requirements(ROOT))
        top, members = release(commit, tree, wheels, inputs, left_out)
        out = dist / f"{top}.tar.gz"
        write_archive(out, top, members, time)
    for id, why in left_out.items():
        print(f"release: without {id}: {why}")
    print(f"release: {out} ({out.stat().st_size:,} bytes)")


if __name__ == "__main__":
    with one_line_errors():
        main()
