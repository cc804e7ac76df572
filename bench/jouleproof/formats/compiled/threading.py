"""One parallel kernel at a time: numba ends the whole process where its threads are asked for what they cannot do.

Without OpenMP (numba's workqueue) that is two kernels at once, from two Python threads; with GNU OpenMP it is a kernel
in a process that was forked from one that had run a kernel.
"""

import os
from collections.abc import Callable
from threading import Lock
from typing import Any

import numba


class _State:
    turn = Lock()
    lost = False  # the threads, in a fork


def in_turn(kernel: Callable[..., None]) -> Callable[..., None]:
    """The kernel, started when no other runs. Raises RuntimeError in a fork that it would end."""

    def started(*arguments: Any) -> None:
        if _State.lost:
            raise RuntimeError(
                "jouleproof.formats: this process was forked from one that had already cast, "
                "whose OpenMP threads it lacks; "
                "start it by spawn or forkserver, or set NUMBA_THREADING_LAYER=workqueue before numba is imported"
            )
        with _State.turn:
            kernel(*arguments)

    return started


def _forked() -> None:
    _State.turn = Lock()
    try:
        _State.lost = numba.threading_layer() == "omp"  # type: ignore[attr-defined]
    except ValueError:  # no kernel has run
        _State.lost = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
