"""Wall and CPU time; nothing else in the project reads a clock."""

import os
import time
from dataclasses import dataclass, field


def cpu_seconds() -> float:
    """User and system seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass
class Stopwatch:
    """Runs from its making."""

    _wall: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=cpu_seconds)

    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    def cpu_s(self) -> float:
        return cpu_seconds() - self._cpu
