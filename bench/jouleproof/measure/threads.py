"""Number and placement of the threads of numerical libraries, to be set before any of them is imported, and the cores
that this process may use: the job's, which may be fewer than the machine's."""

import os
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
NUMBA = "NUMBA_NUM_THREADS"
MASK = "JOULEPROOF_CORES"  # the cores of a process whose children OpenMP may start on fewer

SPIN_S = 0.05  # OpenBLAS spins for 2**26 clock ticks, OpenMP less


def _mask(given: str = os.environ.get(MASK, "")) -> frozenset[int]:
    """Return the cores that the system lets this process use, as it was started; empty where it does not say."""
    if given:
        return frozenset(map(int, given.split(",")))
    return frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else frozenset()


STARTED_ON = _mask()  # before a library pins this process
GRANTED = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]  # by Snakemake, a batch system or the user


@cache
def cores() -> int:
    """Return the number of cores for the threads of this process: those that it may run on, or fewer, by the quota of
    its container or by the OMP_NUM_THREADS that it was started with."""
    limits = [len(STARTED_ON) or os.cpu_count() or 1, quota(), int(GRANTED) if GRANTED.isdecimal() else 0]
    return min(limit for limit in limits if limit)


def quota(root: Path = Path("/")) -> int:
    """Return the whole cores that the control groups of this process grant it; 0 where they set no limit."""
    limits = []
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, name = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        for group in (Path(name), *Path(name).parents):
            folder = mount / str(group).lstrip("/")
            files = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if controllers else ("cpu.max",)
            words = [word for file in files for line in _lines(folder / file) for word in line.split()]
            if len(words) == 2 and all(map(str.isdecimal, words)):
                limits.append(max(1, int(words[0]) // int(words[1])))
    return min(limits, default=0)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def threads(count: int) -> Mapping[str, str]:
    """Return the environment variables of a process whose libraries use `count` threads."""
    return {name: str(count) for name in (*VARIABLES, NUMBA)}


def placed_threads(count: int) -> Mapping[str, str]:
    """Return the variables of `threads`, and those that pin each OpenMP thread to a separate core; otherwise two may
    share one."""
    mask = {MASK: ",".join(map(str, sorted(STARTED_ON)))} if STARTED_ON else {}
    return {**threads(count), "OMP_PROC_BIND": "true", "OMP_PLACES": "cores", **mask}


def use_one_thread() -> None:
    """Use one thread in this process and its children, so that floating-point sums are the same for any `--cores`."""
    _use(threads(1))


def use_placed_threads() -> None:
    """Use one pinned thread per core of the job in this process and its children, as timings do."""
    _use(placed_threads(cores()))


def settle() -> None:
    """Wait until the worker threads of the library just called have stopped spinning; until then they keep the next
    library's threads off their cores."""
    time.sleep(SPIN_S)


def _use(variables: Mapping[str, str]) -> None:
    """Set the variables, and the threads of libraries that have been imported already and read theirs then. Numba
    accepts no more threads than it was imported with."""
    os.environ.update({name: value for name, value in variables.items() if name != NUMBA or "numba" not in sys.modules})
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        threadpool_limits(int(variables[VARIABLES[0]]), user_api="blas")
    if "numba" in sys.modules:
        import numba

        numba.set_num_threads(min(int(variables[NUMBA]), numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]


if sys.platform == "linux":

    def unpin(pid: int = 0) -> list[int]:
        """Let a process (by default this one) use every core again that this one was started on, after OpenMP pinned it
        or its parent to one. Returns the cores that it may use."""
        if "OMP_PROC_BIND" in os.environ:
            os.sched_setaffinity(pid, STARTED_ON)
        return sorted(os.sched_getaffinity(pid))

else:

    def unpin(pid: int = 0) -> list[int]:
        """Return no cores: nothing pins a process on this system, and nothing reports where it runs."""
        return []
