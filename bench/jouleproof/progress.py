"""A line per step on stderr, so that a log reads like a log and a terminal shows where a job is."""

import sys
from collections.abc import Callable

Step = Callable[[str], None]


def silent(_: str) -> None:
    """For callers who want no progress."""


def steps(job: str, total: int) -> Step:
    """A function to call once per finished step with what it was."""
    done = 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        print(f"{job}: {done}/{total} {what}", file=sys.stderr, flush=True)

    return step
