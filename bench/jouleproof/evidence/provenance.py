"""Provenance of a result: code, config, inputs, machine, libraries, time and contention."""

import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from jouleproof.errors import UserError
from jouleproof.files import write_text
from jouleproof.measure.clocks import Stopwatch
from jouleproof.measure.contention import ContentionWatch
from jouleproof.power.meters import opened

LIBRARIES = ("numpy", "scipy", "pandas", "pyarrow", "torch", "ml_dtypes", "gfloat", "torchao", "tokenizers", "gguf")


class ProvenanceRecorder:
    """Observes a run from its creation until `write`."""

    def __init__(self) -> None:
        self._watch = ContentionWatch()
        self._stopwatch = Stopwatch()

    def write(self, path: Path, *, config: Any, inputs: Mapping[str, Mapping[str, str]], timed: bool) -> None:
        """Write the provenance beside a result. path: the result's. inputs: id -> {origin, sha256 of each file …}.

        timed: whether the result holds timings, which no other run repeats to the digit.
        """
        contention, meter = self._watch.reading(), opened()
        record = {
            "result": path.name,
            "timed": timed,
            "code": code_version(),
            "config_sha256": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
            "inputs": dict(inputs),
            "machine": machine(),
            "libraries": library_versions(),
            "cpu_s": round(self._stopwatch.cpu_s(), 3),
            "wall_s": round(self._stopwatch.wall_s(), 3),
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


def code_version() -> dict[str, Any]:
    """Commit, and whether files were changed since; both None outside a git checkout."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    commit, status = git("rev-parse", "HEAD"), git("status", "--porcelain")
    return {"commit": commit, "dirty": None if status is None else bool(status)}


def machine() -> dict[str, Any]:
    return {
        "processor": _processor_name(),
        "architecture": platform.machine(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "threads": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
    }


def peak_memory_bytes() -> int:
    """Peak memory of this process or of its largest child that has ended."""
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return largest if sys.platform == "darwin" else 1024 * largest


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def library_versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return versions
