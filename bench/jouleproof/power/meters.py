"""Meters of the joules between two moments, read from this machine's counters. A reading is a counted number, or no
number and the reason; never a modelled one, and never 0 in place of a missing one.

A process has one meter. `none` is a meter without counters.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, runtime_checkable

from jouleproof import plugins
from jouleproof.errors import UserError
from jouleproof.measure.clocks import Stopwatch, now
from jouleproof.measure.contention import Contention, ContentionWatch
from jouleproof.power.counter_trace import SHORTEST_S, Trace, sampled, steps_in
from jouleproof.power.counters import Counter, Unmeasurable, nvml, rapl

COUNTERS: Mapping[str, Callable[[], Counter]] = {"rapl": rapl, "nvml": nvml}
EVERY_S = 0.1


@dataclass(frozen=True)
class Energy:
    """The energy that one source counted in a window.

    joules: of all domains; None where the source did not count, for the reason given.
    """

    source: str
    domains: tuple[str, ...]
    joules: float | None
    reason: str = ""


@dataclass(frozen=True)
class Reading:
    """The result of a window. energies: one per source of the meter. cpu_s: of this process and its children that have
    ended."""

    energies: tuple[Energy, ...]
    cpu_s: float
    wall_s: float
    contention: Contention

    @property
    def joules(self) -> Mapping[str, float | None]:
        """Return the joules by source."""
        return {energy.source: energy.joules for energy in self.energies}


class Window(Protocol):
    """A measurement from its creation to `end`."""

    def end(self) -> Reading: ...


@runtime_checkable
class Meter(Protocol):
    """A meter of energy. name: as in the config. describe: returns what it counts, as plain JSON for the provenance."""

    @property
    def name(self) -> str: ...
    def describe(self) -> dict[str, Any]: ...
    def begin(self) -> Window: ...


@dataclass
class CounterMeter:
    """A meter that reads counters, by source. absent: requested sources that are not available, with the reason.
    every_s: time between readings within a window; None: read at its two ends only.

    A source that fails once reports nothing for the rest of the run. left_out: the reason by each domain that a source
    does not count.
    """

    name: str
    counters: Mapping[str, Counter]
    absent: Mapping[str, str] = field(default_factory=dict)
    every_s: float | None = EVERY_S
    clock: Callable[[], float] = now
    failed: dict[str, str] = field(default_factory=dict, init=False)
    left_out: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for counter in self.counters.values():
            self.left_out.update(getattr(counter, "left_out", {}))

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "domains": {source: list(counter.domains) for source, counter in self.counters.items()},
            "unmeasurable": {**self.absent, **self.left_out},
            "failed": dict(self.failed),
        }

    def begin(self) -> "CounterWindow":
        return CounterWindow(self)


class CounterWindow:
    """A window of counter readings: `with meter.begin() as window: …` stores its result in `window.reading`."""

    reading: Reading

    def __init__(self, meter: CounterMeter) -> None:
        self._meter = meter
        self._lock, self._over = threading.Lock(), threading.Event()
        self._traces = {source: Trace(source, counter) for source, counter in meter.counters.items()}
        self.sample()
        self._thread: threading.Thread | None = None
        if meter.every_s is not None and self._traces:
            self._thread = threading.Thread(target=self._watch, args=(meter.every_s,), daemon=True)
            self._thread.start()
        self._contention, self._stopwatch = ContentionWatch(), Stopwatch()

    def sample(self) -> None:
        """Read every counter that has not failed."""
        with self._lock:
            for source, trace in self._traces.items():
                counter = self._meter.counters[source]
                if source in self._meter.failed:
                    continue
                try:
                    joules = counter.joules()
                    trace.add(self._meter.clock(), joules)
                except Exception as error:  # drivers raise errors of any type
                    self._fail(source, error)

    def end(self) -> Reading:
        cpu_s, wall_s, contention = self._stopwatch.cpu_s(), self._stopwatch.wall_s(), self._contention.reading()
        self._stop()
        self.sample()
        energies = tuple(self._energy(source, trace) for source, trace in self._traces.items())
        self.reading = Reading(energies=energies, cpu_s=cpu_s, wall_s=wall_s, contention=contention)
        return self.reading

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self.end()
        else:
            self._stop()

    def _energy(self, source: str, trace: Trace) -> Energy:
        if source not in self._meter.failed:
            try:
                counted = trace.joules()
                for number, same in trace.repeats().items():
                    self._meter.left_out[trace.domains[number]] = f"the same counter as {trace.domains[same]}"
                return Energy(source, tuple(trace.domains[number] for number in counted), sum(counted.values()))
            except Unmeasurable as error:
                if trace.seconds() < SHORTEST_S:
                    return Energy(source, trace.domains, joules=None, reason=f"{error}: the window is too short")
                self._fail(source, error)
        return Energy(source, trace.domains, joules=None, reason=self._meter.failed[source])

    def _fail(self, source: str, error: Exception) -> None:
        self._meter.failed[source] = " ".join(str(error).split()) or type(error).__name__

    def _watch(self, every_s: float) -> None:
        while not self._over.wait(every_s):
            self.sample()

    def _stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()


def watched(seconds: float, every_s: float, sleep: Callable[[float], None]) -> Iterator[str]:
    """Yield a line for each domain of each counter with its power, or the reason why it cannot be measured.

    Raises UserError where `seconds` hold no step."""
    steps_in(seconds, every_s)
    for source, find in COUNTERS.items():
        try:
            counter = find()
            trace, samples = sampled(source, counter, seconds, every_s, sleep)
        except Unmeasurable as error:
            yield f"{source}: unmeasurable ({error})"
            continue
        for number in trace.joules():
            watts = [values[number] for values in samples]
            line = f"{source}: {trace.domains[number]}"
            yield f"{line}: {sum(watts) / len(watts):.1f} W, {min(watts):.1f} to {max(watts):.1f} W"
        for number, same in trace.repeats().items():
            yield f"{source}: {trace.domains[number]}: the same counter as {trace.domains[same]}"
        for domain, reason in getattr(counter, "left_out", {}).items():
            yield f"{source}: {domain}: unmeasurable ({reason})"


def _auto() -> CounterMeter:
    counters, absent = {}, {}
    for source, find in COUNTERS.items():
        try:
            counters[source] = find()
        except Unmeasurable as error:
            absent[source] = str(error)
    return CounterMeter("auto", counters, absent)


METERS: Mapping[str, Callable[[], Meter]] = {
    "auto": _auto,
    "rapl": lambda: CounterMeter("rapl", {"rapl": rapl()}),
    "nvml": lambda: CounterMeter("nvml", {"nvml": nvml()}),
    "none": lambda: CounterMeter("none", {}),
}

_opened: dict[str, Meter] = {}  # by the requested name; at most one


def meters(names: Iterable[str]) -> Mapping[str, Callable[[], Meter]]:
    """Return, for each name, a function that makes its meter. Raises UserError as `maker` does."""
    return {name: maker(name) for name in names}


def maker(name: str) -> Callable[[], Meter]:
    """Return a function that makes the meter called `name`; a user-defined meter is loaded now.

    Raises UserError where there is no such object or it is not a meter.
    """
    if name in METERS:
        return METERS[name]
    meter: Any = plugins.load("meter", name, METERS)
    if not isinstance(meter, Meter):
        missing = ", ".join(plugins.lacking(meter, Meter))
        raise UserError(f"config: meter {name!r} is a {type(meter).__name__}, not a {__name__}.Meter: lacks {missing}")
    return lambda: meter


def open_meter(name: str) -> Meter:
    """Open the one meter of this process, which is recorded in the provenance.

    name: "auto" (every available counter), "rapl", "nvml", "none", or a user-defined package.module:object. Raises
    UserError where it is not available or this process has opened another one.
    """
    for before in _opened:
        if before != name:
            raise UserError(f"meter: {name}: this process already measures with {before}")
    if not _opened:
        _opened[name] = maker(name)()
    return _opened[name]


def opened() -> dict[str, Any] | None:
    """Describe the meter of this process, if it has one."""
    return next((meter.describe() for meter in _opened.values()), None)
