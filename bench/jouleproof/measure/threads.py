"""How many threads numerical libraries use, and where they run: set before any of them is imported."""

import os
import sys
import time
from collections.abc import Mapping

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
NUMBA = "NUMBA_NUM_THREADS"

SPIN_S = 0.05  # OpenBLAS spins for 2**26 clock ticks, OpenMP less


def threads(count: int) -> Mapping[str, str]:
    """Environment of a process whose libraries use `count` threads."""
    return {name: str(count) for name in (*VARIABLES, NUMBA)}


def placed_threads(count: int) -> Mapping[str, str]:
    """The same with every thread on a core of its own, where OpenMP runs them: left alone, two may share one."""
    return {**threads(count), "OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}


def use_one_thread() -> None:
    """For this process and the ones that it starts: what makes a floating-point sum the same at any `--cores`."""
    _use(threads(1))


def use_placed_threads() -> None:
    """As many as there are cores, for this process and the ones that it starts: what timings run with."""
    _use(placed_threads(os.cpu_count() or 1))


def settle() -> None:
    """Wait until the worker threads of a library that was just called have stopped to look for more work, which would
    keep the next library's from their cores."""
    time.sleep(SPIN_S)


def _use(variables: Mapping[str, str]) -> None:
    """numba refuses another number in its variable once it was imported, but uses fewer threads where told."""
    if "numba" not in sys.modules:
        os.environ.update(variables)
        return
    import numba

    os.environ.update({name: value for name, value in variables.items() if name != NUMBA})
    numba.set_num_threads(min(int(variables[NUMBA]), numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]


if sys.platform == "linux":

    def unpin(pid: int = 0) -> list[int]:
        """Let a process, this one unless told, run on every core again where OpenMP has bound it, or the one that it
        comes from, to one. Returns the cores that it may use."""
        if "OMP_PROC_BIND" in os.environ:
            os.sched_setaffinity(pid, range(os.cpu_count() or 1))
        return sorted(os.sched_getaffinity(pid))

else:

    def unpin(pid: int = 0) -> list[int]:
        """Nothing binds a process here, and nothing tells where it runs."""
        return []
