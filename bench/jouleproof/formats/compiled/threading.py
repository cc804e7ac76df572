"""A lock for parallel kernels, because numba aborts the process if its threads are used in an unsupported way.

Without OpenMP (numba's workqueue), two kernels must not run at once in two Python threads; with GNU OpenMP, a kernel
must not run in a process that was forked after a kernel had run.
"""

import os
from collections.abc import Callable
from threading import Lock
from typing import Any

import numba


class _State:
    lock = Lock()
    threads_lost = False  # whether this process is a fork that lacks the OpenMP threads of its parent


def one_at_a_time(kernel: Callable[..., None]) -> Callable[..., None]:
    """Wrap a kernel so that it runs alone. The wrapper raises RuntimeError in a fork that the kernel would abort."""

    def started(*arguments: Any) -> None:
        if _State.threads_lost:
            raise RuntimeError(
                "jouleproof.formats: this process was forked after a cast and lacks the OpenMP threads of its parent; "
                "start it by spawn or forkserver, or set NUMBA_THREADING_LAYER=workqueue before numba is imported"
            )
        with _State.lock:
            kernel(*arguments)

    return started


def _forked() -> None:
    _State.lock = Lock()
    try:
        _State.threads_lost = numba.threading_layer() == "omp"  # type: ignore[attr-defined]
    except ValueError:  # no kernel has run
        _State.threads_lost = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
