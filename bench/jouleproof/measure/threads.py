"""Number and placement of the threads of numerical libraries, to be set before any of them is imported."""

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
    """Return the environment variables of a process whose libraries use `count` threads."""
    return {name: str(count) for name in (*VARIABLES, NUMBA)}


def placed_threads(count: int) -> Mapping[str, str]:
    """Return the variables of `threads`, and those that pin each OpenMP thread to a separate core; otherwise two may
    share one."""
    return {**threads(count), "OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}


def use_one_thread() -> None:
    """Use one thread in this process and its children, so that floating-point sums are the same for any `--cores`."""
    _use(threads(1))


def use_placed_threads() -> None:
    """Use one pinned thread per core in this process and its children, as timings do."""
    _use(placed_threads(os.cpu_count() or 1))


def settle() -> None:
    """Wait until the worker threads of the library just called have stopped spinning; until then they keep the next
    library's threads off their cores."""
    time.sleep(SPIN_S)


def _use(variables: Mapping[str, str]) -> None:
    """Set the variables. Once imported, numba rejects a change of its variable, but accepts a smaller number of
    threads."""
    if "numba" not in sys.modules:
        os.environ.update(variables)
        return
    import numba

    os.environ.update({name: value for name, value in variables.items() if name != NUMBA})
    numba.set_num_threads(min(int(variables[NUMBA]), numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]


if sys.platform == "linux":

    def unpin(pid: int = 0) -> list[int]:
        """Let a process (by default this one) use every core again after OpenMP pinned it or its parent to one. Returns
        the cores that it may use."""
        if "OMP_PROC_BIND" in os.environ:
            os.sched_setaffinity(pid, range(os.cpu_count() or 1))
        return sorted(os.sched_getaffinity(pid))

else:

    def unpin(pid: int = 0) -> list[int]:
        """Return no cores: nothing pins a process on this system, and nothing reports where it runs."""
        return []
