"""The load of other work, on the cores of this process, while an experiment ran."""

import os
from dataclasses import dataclass
from typing import Any

import psutil

from jouleproof.measure.clocks import Stopwatch
from jouleproof.measure.threads import STARTED_ON

BUSY_FOREIGN, BUSY_STEAL = 0.10, 0.02


@dataclass(frozen=True)
class Contention:
    """Shares of the CPU time (0 to 1) of the cores that this process may use, during an observation.

    idle: unused time. foreign: time of other processes. steal: time that the hypervisor gave to other machines; None if
    the system does not report it. load_1min: length of the run queue, averaged over the last minute at the end.
    """

    idle: float
    foreign: float
    steal: float | None
    load_1min: float

    @property
    def busy(self) -> bool:
        """Whether the machine was too busy for timings to be trusted."""
        return self.foreign > BUSY_FOREIGN or (self.steal or 0.0) > BUSY_STEAL


class ContentionWatch:
    """A watch that reads the machine's counters at its creation and at each reading."""

    def __init__(self) -> None:
        self._start = _cpu_times()
        self._own = Stopwatch()

    def reading(self) -> Contention:
        end = _cpu_times()
        elapsed = {name: getattr(end, name) - getattr(self._start, name) for name in end._fields}
        # user time already includes guest time
        total = sum(seconds for name, seconds in elapsed.items() if not name.startswith("guest"))
        idle = elapsed["idle"] + elapsed.get("iowait", 0.0)
        steal = elapsed.get("steal")
        foreign = total - idle - (steal or 0.0) - self._own.cpu_s()
        total = max(total, 1e-9)
        return Contention(
            idle=min(1.0, max(0.0, idle / total)),
            foreign=min(1.0, max(0.0, foreign / total)),
            steal=None if steal is None else min(1.0, max(0.0, steal / total)),
            load_1min=psutil.getloadavg()[0],
        )


def _cpu_times() -> Any:
    """Return the seconds of the cores that this process may use, by kind of work."""
    if len(STARTED_ON) in (0, os.cpu_count()):
        return psutil.cpu_times()
    by_core = psutil.cpu_times(percpu=True)
    chosen = [by_core[core] for core in STARTED_ON if core < len(by_core)] or by_core
    return type(chosen[0])(*map(sum, zip(*chosen, strict=True)))
