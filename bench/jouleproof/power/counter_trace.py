"""The readings of one energy counter over a window, unwrapped one by one; an impossible reading is refused."""

import math
from collections.abc import Callable, Sequence
from operator import add

from jouleproof.errors import UserError
from jouleproof.measure.clocks import now
from jouleproof.power.counters import Counter, Unmeasurable, unwound

MOST_W = 2_000.0  # highest power of a domain; if a wrap would imply more, the counter went backwards
STOPPED_S = 1.0  # without growth, after which a counter has stopped; all counters here step at least ten times as often
SHORTEST_S = 0.2  # a shorter window may end before the counter steps


class Trace:
    """The readings of a counter between two moments. grown: joules by domain so far. A counter may wrap at most once
    between two readings: read it at intervals shorter than its range over MOST_W, which is two minutes for RAPL's usual
    262 kJ."""

    def __init__(self, source: str, counter: Counter) -> None:
        self.source, self.domains = source, tuple(counter.domains)
        self._wraps = tuple(counter.wraps_j)
        self._shared = tuple(getattr(counter, "shared", range(len(self.domains))))
        self.grown = (0.0,) * len(self.domains)
        self._first_s = self._last_s = 0.0
        self._moved_s: list[float] = []
        self._first: Sequence[float] = ()
        self._joules: Sequence[float] = ()

    def add(self, time_s: float, joules: Sequence[float]) -> None:
        """Add a reading. joules: by domain since an arbitrary moment, as the counter reports them.

        Raises Unmeasurable where the counter or the clock stopped or went backwards, or a domain is missing.
        """
        if not self.domains:
            raise Unmeasurable(f"{self.source}: the counter has no domains")
        if len(joules) != len(self.domains):
            raise Unmeasurable(
                f"{self.source}: expected a reading of each of {len(self.domains)} domains, got {len(joules)}"
            )
        if not self._moved_s:
            self._first, self._first_s, self._moved_s = joules, time_s, [time_s] * len(self.domains)
        else:
            self._grow(time_s, joules)
        self._last_s, self._joules = time_s, joules

    def joules(self) -> dict[int, float]:
        """Return the joules from the first reading to the last, by number of the domain, without domains that repeat
        another. Raises Unmeasurable where a domain counted nothing."""
        elapsed = self.seconds()
        for domain, grown in zip(self.domains, self.grown, strict=True):
            if not grown > 0:
                raise Unmeasurable(f"{self.source}: {domain} counted nothing in {elapsed:.2f} s")
        return {number: grown for number, grown in enumerate(self.grown) if number not in self.repeats()}

    def repeats(self) -> dict[int, int]:
        """Return the domains that showed another domain's counter, at the first reading and at the last, and the number
        of that domain."""
        ends = list(zip(self._shared, self._first, self._joules, strict=True))
        return {number: ends.index(end) for number, end in enumerate(ends) if ends.index(end) < number}

    def seconds(self) -> float:
        return self._last_s - self._first_s

    def _grow(self, time_s: float, joules: Sequence[float]) -> None:
        elapsed, grown_by = time_s - self._last_s, []
        if not elapsed >= 0:
            raise Unmeasurable(f"{self.source}: the clock went backwards")
        for number, domain in enumerate(self.domains):
            grown = unwound(self._joules[number], joules[number], self._wraps[number])
            wrapped = joules[number] < self._joules[number]
            if wrapped and not 0 <= grown <= MOST_W * max(elapsed, 1e-3):
                raise Unmeasurable(f"{self.source}: {domain} went backwards")
            if not grown < float("inf"):
                raise Unmeasurable(f"{self.source}: {domain} reads {joules[number]}")
            if grown > 0:
                self._moved_s[number] = time_s
            elif time_s - self._moved_s[number] > STOPPED_S:
                raise Unmeasurable(f"{self.source}: {domain} stopped")
            grown_by.append(grown)
        self.grown = tuple(map(add, self.grown, grown_by))


def sampled(
    source: str,
    counter: Counter,
    seconds: float,
    every_s: float,
    sleep: Callable[[float], None],
    clock: Callable[[], float] = now,
) -> tuple[Trace, list[list[float]]]:
    """Sample a counter as a window does. Returns the trace, and for each sample the mean watts by domain since the one
    before.

    Raises Unmeasurable where the clock stands still, and wherever a window would give no joules.
    """
    count = steps_in(seconds, every_s)
    trace, watts = Trace(source, counter), []
    trace.add(clock(), counter.joules())
    for _ in range(count):
        before_s, before = trace.seconds(), trace.grown
        sleep(every_s)
        trace.add(clock(), counter.joules())
        if trace.seconds() <= before_s:
            raise Unmeasurable(f"{source}: the clock stood still")
        watts.append(
            [(after - at) / (trace.seconds() - before_s) for at, after in zip(before, trace.grown, strict=True)]
        )
    trace.joules()
    return trace, watts


def steps_in(seconds: float, every_s: float) -> int:
    """Return the number of whole steps, but for the rounding of fractions: 0.3 / 0.1 is below 3. Raises UserError where
    there is none."""
    if not 0 < every_s <= seconds < math.inf:
        raise UserError(
            f"meters: expected at least one step of more than 0 s, got {seconds:g} s in steps of {every_s:g} s"
        )
    return math.floor(seconds / every_s + 1e-6)
