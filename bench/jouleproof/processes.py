"""Child processes that work side by side: few threads, a core each, and the words of one that dies."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from jouleproof.measure.threads import let_out, threads

PLACED_BY_OPENMP = ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY")


def environment(thread_count: int, **further: str) -> Mapping[str, str]:
    """Of a child whose libraries use so many threads, which OpenMP does not bind to cores."""
    kept = {name: value for name, value in os.environ.items() if name not in PLACED_BY_OPENMP}
    return {**kept, **threads(thread_count), **further}


def place(pids: Sequence[int]) -> bool:
    """Give each process a core of its own, threads that it will start included. Returns whether that could be done."""
    if sys.platform != "linux":
        return False
    try:
        cores = let_out(pids[0])
        if len(cores) < len(pids):
            return False
        for pid, core in zip(pids, cores, strict=False):
            os.sched_setaffinity(pid, {core})
    except ProcessLookupError:  # it has ended already, which its output tells
        return False
    return True


def how_it_ended(returncode: int, errors: str) -> str:
    """With the last line of what it wrote on its standard error, if any."""
    lines = [line for line in errors.splitlines() if line.strip()]
    return _how(returncode) + (f": {lines[-1].strip():.300}" if lines else "")


def _how(returncode: int) -> str:
    if returncode >= 0:
        return f"ended with status {returncode}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-returncode).name}"
    return f"was killed by signal {-returncode}"
