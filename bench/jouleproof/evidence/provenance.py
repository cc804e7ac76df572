"""Provenance of a result: code, config, inputs, machine, libraries, time and contention."""

import hashlib
import json
import os
import resource
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jouleproof.errors import UserError
from jouleproof.files import write_text
from jouleproof.measure.clocks import Stopwatch
from jouleproof.measure.contention import ContentionWatch
from jouleproof.measure.machine import blas, machine
from jouleproof.power.meters import opened

LIBRARIES = (
    *("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "numba", "llvmlite", "torch", "ml_dtypes", "gfloat"),
    *("torchao", "transformers", "peft", "tokenizers", "safetensors", "gguf", "snakemake", "pooch"),
)
STAND_IN = "stand-in"  # origin of an input
PACKAGE = Path(__file__).resolve().parents[1]
SOURCES = "bench/jouleproof"  # of the package, in the project's folder
Inputs = Mapping[str, Mapping[str, Any]]  # by id: origin, sha256 of each file …
GIT_REPOSITORY = (  # variables that name a repository; git sets them for its hooks, which may run the tests
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE"),
)


class ProvenanceRecorder:
    """Observes a run from its creation until `write`."""

    def __init__(self) -> None:
        self._watch = ContentionWatch()
        self._stopwatch = Stopwatch()

    def write(
        self, path: Path, *, config: Any, inputs: Inputs, timed: bool, user_code: Mapping[str, str] | None = None
    ) -> None:
        """Write the provenance beside a result. path: the result's. inputs: by id, or by the path of a file or folder
        that the config names. user_code: sha256 of the files of user-defined objects.

        timed: whether the result holds timings, which no other run repeats to the digit.
        """
        contention, meter = self._watch.reading(), opened()
        cpu_s, wall_s = self._stopwatch.cpu_s(), self._stopwatch.wall_s()
        record = {
            "result": path.name,
            "timed": timed,
            "code": code_version(),
            "config_sha256": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
            "inputs": dict(inputs),
            **({"user_code": dict(user_code)} if user_code else {}),
            "machine": machine(),
            "blas": blas(),
            "libraries": library_versions(),
            "cpu_s": round(cpu_s, 3),
            "wall_s": round(wall_s, 3),
            "peak_memory_bytes": peak_memory_bytes(),
            "contention": {**asdict(contention), "busy": contention.busy},
            **({"meter": meter} if meter else {}),
        }
        write_text(provenance_path(path), json.dumps(record, indent=1, sort_keys=True) + "\n")


def provenance_path(result: Path) -> Path:
    return result.with_name(f"{result.stem}.provenance.json")


def read_provenance(result: Path) -> dict[str, Any]:
    """Read the provenance of a result. Raises UserError if it is absent or not JSON."""
    path = provenance_path(result)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"provenance: {path} cannot be read ({error}); run `snakemake -f {result}`") from error


def merged(inputs: Iterable[Inputs]) -> Inputs:
    """Inputs of all that something rests on, by id. Where one of them had a stand-in for an input, the stand-in counts;
    otherwise the last record."""
    every: dict[str, Mapping[str, str]] = {}
    for input_id, record in (item for records in inputs for item in records.items()):
        if input_id not in every or every[input_id]["origin"] != STAND_IN:
            every[input_id] = record
    return every


def origins_of(results: Iterable[Path]) -> dict[str, str]:
    """Origins of the inputs that results rest on, by id. Raises UserError as `read_provenance` does."""
    inputs = merged(read_provenance(result)["inputs"] for result in results)
    return {input_id: record["origin"] for input_id, record in inputs.items()}


def stand_ins_in(origins: Mapping[str, str]) -> list[str]:
    """Ids of the inputs that are stand-ins, sorted."""
    return sorted(input_id for input_id, origin in origins.items() if origin == STAND_IN)


def write_inputs(checkpoint: Path, inputs: Inputs) -> None:
    """Write the inputs that a checkpoint rests on next to it."""
    write_text(_inputs_path(checkpoint), json.dumps(inputs, indent=1, sort_keys=True) + "\n")


def read_inputs(checkpoint: Path) -> Inputs:
    """Read the inputs that a checkpoint rests on; none if it was made elsewhere. Raises UserError if they are not
    JSON."""
    path = _inputs_path(checkpoint)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"provenance: {path} cannot be read ({error}); run `snakemake -f {path}`") from error


def _inputs_path(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".inputs.json")


def code_version() -> dict[str, Any]:
    """Commit of this project, and whether files were changed since; both None unless its sources run from a checkout of
    its repository. A repository around an installed package, or around an unpacked archive, is another one."""
    root = project_root(PACKAGE)
    top, _, commit = os.fsdecode((root and git(root, "rev-parse", "--show-toplevel", "HEAD")) or b"").rpartition("\n")
    if root is None or not top or Path(top).resolve() != root:
        return {"commit": None, "dirty": None}
    status = git(root, "status", "--porcelain", "--untracked-files=normal")
    return {"commit": commit, "dirty": None if status is None else bool(status)}


def project_root(package: Path) -> Path | None:
    """Folder of the project whose sources the package is; None for an installed package."""
    root = package.resolve().parents[1]
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return root if project == package.name and (root / SOURCES).resolve() == package.resolve() else None


def git(folder: Path, *arguments: str, timeout_s: float = 10) -> bytes | None:
    """Run git in a folder, whatever repository the environment names. Returns its output, or None if it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in GIT_REPOSITORY}
    command = ("git", "--no-optional-locks", *arguments)
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s
        )
        done.check_returncode()
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.rstrip(b"\n")


def peak_memory_bytes() -> int:
    """Peak memory of this process or of its largest child that has ended."""
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return largest if sys.platform == "darwin" else 1024 * largest


@cache
def library_versions() -> dict[str, str | None]:
    """Versions of the installed libraries that a number may depend on; None for one that is not installed."""
    versions: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except (PackageNotFoundError, KeyError):  # KeyError: its metadata is damaged
            versions[name] = None
    return versions
