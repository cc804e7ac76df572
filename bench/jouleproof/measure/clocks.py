"""Wall and CPU time. No other module of the project reads a clock."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


def cpu_seconds() -> float:
    """Return the user and system seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def now() -> float:
    """Return the seconds on a clock that all processes of this machine share."""
    return time.perf_counter()


def own_cpu_seconds() -> float:
    """Return the user and system seconds of this process alone, including all its threads."""
    return time.process_time()


@dataclass
class Stopwatch:
    """A stopwatch that starts when it is created."""

    _wall: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=cpu_seconds)

    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    def cpu_s(self) -> float:
        return cpu_seconds() - self._cpu


@dataclass
class Laps:
    """Wall seconds by activity."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def lap(self, what: str) -> Iterator[None]:
        watch = Stopwatch()
        try:
            yield
        finally:
            self.seconds[what] = self.seconds.get(what, 0.0) + watch.wall_s()


@dataclass
class Pacer:
    """A link that transmits `bytes_per_s` (or infinity), one message after another, and gains no credit while idle."""

    bytes_per_s: float
    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep
    _free_at: float = float("-inf")

    def passed(self, sizes: Iterable[int]) -> Iterator[int]:
        """Yield each size, in bytes, once that many bytes have been transmitted; all count as queued from the first
        call on.

        From then on, the bytes yielded never exceed the rate times the elapsed time; a late wake-up is made up for, but
        not overcompensated.
        """
        self._free_at = max(self._free_at, self.now())
        for size in sizes:
            self._free_at += size / self.bytes_per_s
            while (left := self._free_at - self.now()) > 0:
                self.sleep(left)
            yield size
