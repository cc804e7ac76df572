"""Progress on stderr, one line per step, readable in a log and in a terminal."""

import sys
from collections.abc import Callable

Step = Callable[[str], None]


def silent(_: str) -> None:
    """Ignore a step, for callers who want no progress."""


def steps(job: str, total: int) -> Step:
    """Return a function that is called with a description after each finished step."""
    done = 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        print(f"{job}: {done}/{total} {what}", file=sys.stderr, flush=True)

    return step
