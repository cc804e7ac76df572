"""Facts of the machine that a timing or the last digit of a number may depend on. `machine` and `blas` do not raise; a
fact that the system does not report is None."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import psutil

from jouleproof.measure.caches import cache_bytes
from jouleproof.measure.threads import cores

CPUINFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
FLAGS = {  # instruction sets that kernels are chosen by, under the name that /proc/cpuinfo gives their list
    "flags": re.compile(r"avx\w*|f16c|fma|amx\w*"),
    "Features": re.compile(r"neon|asimd\w*|sve\w*|sme\w*|i8mm|bf16"),
}
GPU_QUERY = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
GPU_TIMEOUT_S = 10

Fact = TypeVar("Fact")


@cache
def machine() -> dict[str, Any]:
    """Facts that do not change while the process runs, looked up once."""
    first = _or_none(_first_processor) or {}
    return {
        "processor": first.get("model name") or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "cores": _or_none(lambda: psutil.cpu_count(logical=False)) or os.cpu_count(),
        "threads": os.cpu_count(),
        "usable_threads": cores(),
        "memory_bytes": _or_none(lambda: psutil.virtual_memory().total),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "flags": processor_flags(first),
        "cache_bytes": _or_none(lambda: dict(cache_bytes())) or None,
        "governor": _or_none(lambda: GOVERNOR.read_text(encoding="utf-8").strip()) or None,
        "gpus": _or_none(gpus),
        "container": _or_none(container),
    }


def processor_flags(processor: Mapping[str, str]) -> list[str] | None:
    """Instruction sets that kernels are chosen by, sorted. processor: its fields in /proc/cpuinfo."""
    for name, chosen in FLAGS.items():
        if name in processor:
            return sorted({flag for flag in processor[name].split() if chosen.fullmatch(flag)})
    return None


def gpus() -> list[dict[str, str]]:
    """Name and driver of each NVIDIA GPU, as nvidia-smi lists them; empty where it is not installed. Raises OSError or
    subprocess.SubprocessError if it fails."""
    if shutil.which(GPU_QUERY[0]) is None:
        return []
    done = subprocess.run(GPU_QUERY, capture_output=True, encoding="utf-8", timeout=GPU_TIMEOUT_S, check=True)
    rows = [line.rpartition(",") for line in done.stdout.splitlines() if line.strip()]
    return [{"name": name.strip(), "driver": driver.strip()} for name, _, driver in rows]


def container(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> str | None:
    """Kind of container that the process runs in: "apptainer", "kubernetes", "podman" or "docker"."""
    signs = {
        "apptainer": {"APPTAINER_NAME", "SINGULARITY_NAME"} & environment.keys(),
        "kubernetes": "KUBERNETES_SERVICE_HOST" in environment,
        "podman": (root / "run/.containerenv").exists(),
        "docker": (root / ".dockerenv").exists(),
    }
    return next((kind for kind, sign in signs.items() if sign), None)


def blas() -> dict[str, dict[str, Any] | None]:
    """Library that NumPy and torch multiply matrices with: its name, version, threads, and the processor that its
    kernels are for. None for a package that this process has not imported, or that does not say."""
    packages = {"numpy": _numpy_blas, "torch": _torch_blas}
    return {name: _or_none(look_up) if name in sys.modules else None for name, look_up in packages.items()}


def _numpy_blas() -> dict[str, Any]:
    package = _folder("numpy")
    pools = _blas_pools()
    bundled = [path for path in pools if {package, package.with_name("numpy.libs")} & set(path.parents)]
    shared = [path for path in pools if package.parent not in path.parents]
    loaded = next((pools[path] for path in (*bundled, *shared)), {})
    built = sys.modules["numpy"].show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "name": built["name"],
        "version": loaded.get("version") or built["version"],
        "threads": loaded.get("num_threads"),
        "kernels": loaded.get("architecture"),
    }


def _torch_blas() -> dict[str, Any]:
    """Describe torch's library. Where it is linked statically, the text on how torch was built is all there is."""
    torch = sys.modules["torch"]
    built, folder, pools = torch.__config__.show(), _folder("torch"), _blas_pools()
    loaded = next((pools[path] for path in pools if folder in path.parents), {})
    return {
        "name": _first_match(r"BLAS_INFO=(\w+)", built),
        "version": loaded.get("version") or _first_match(r"Math Kernel Library Version ([\d.]+)", built),
        "threads": torch.get_num_threads(),
        "kernels": loaded.get("architecture") or _first_match(r"CPU capability usage: (\w+)", built),
    }


def _blas_pools() -> dict[Path, Mapping[str, Any]]:
    """Libraries for linear algebra that this process has loaded, by their file; empty without threadpoolctl."""
    try:
        from threadpoolctl import threadpool_info  # type: ignore[import-untyped]
    except ImportError:
        return {}
    return {Path(pool["filepath"]): pool for pool in threadpool_info() if pool["user_api"] == "blas"}


def _folder(module: str) -> Path:
    return Path(sys.modules[module].__file__ or "").parent


def _first_match(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    return match and match[1]


def _or_none(look_up: Callable[[], Fact]) -> Fact | None:
    """Look up a fact; None if that fails in any way, since no result may be lost over a fact about the machine."""
    try:
        return look_up()
    except Exception:
        return None


def _first_processor() -> dict[str, str]:
    """Fields of the first processor in /proc/cpuinfo."""
    fields: dict[str, str] = {}
    with CPUINFO.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if not line.strip() and fields:
                break
            key, _, value = line.partition(":")
            fields[key.strip()] = value.strip()
    return fields
