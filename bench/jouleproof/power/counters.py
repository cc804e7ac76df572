"""Energy counters of this machine, sampled: RAPL through powercap, NVML through zeus. What has no counter is reported
as unmeasurable, with the reason, and never as 0 W."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from jouleproof.errors import UserError
from jouleproof.measure.clocks import now

POWERCAP = Path("/sys/class/powercap")
WITHIN_PACKAGE = ("core", "uncore")  # counted with the package that they are in


class Unmeasurable(UserError):
    """There is no counter, it cannot be read, or it does not count."""


@runtime_checkable
class Counter(Protocol):
    """An energy counter. domains: what it counts, without duplicates. joules: energy since any moment, by domain; it
    grows until `wraps_j`, where it starts again at 0 (infinity where it never does)."""

    @property
    def domains(self) -> Sequence[str]: ...
    @property
    def wraps_j(self) -> Sequence[float]: ...
    def joules(self) -> list[float]: ...


@dataclass(frozen=True)
class Rapl:
    """RAPL counters: packages, memory where it is separate, and nothing that another domain contains. folders: of
    powercap, one per domain."""

    folders: Sequence[Path]
    domains: Sequence[str]
    wraps_j: Sequence[float]

    def joules(self) -> list[float]:
        return [_number(folder / "energy_uj") * 1e-6 for folder in self.folders]


def rapl(root: Path = POWERCAP) -> Rapl:
    """Open the RAPL counters. Raises Unmeasurable where powercap is absent or may not be read."""
    folders = sorted(root.glob("intel-rapl:*")) if root.is_dir() else []
    named = [(folder, _text(folder / "name")) for folder in folders]
    chosen = [(folder, name) for folder, name in named if name not in WITHIN_PACKAGE and name != "psys"]
    if not chosen:
        raise Unmeasurable(f"rapl: no domain under {root}; a virtual machine has none")
    domains = [f"{folder.name} {name}" for folder, name in chosen]
    wraps = [_number(folder / "max_energy_range_uj") * 1e-6 for folder, _ in chosen]
    counter = Rapl([folder for folder, _ in chosen], domains, wraps)
    counter.joules()
    return counter


@dataclass(frozen=True)
class Nvml:
    """Every GPU's energy counter, through zeus."""

    domains: Sequence[str]
    read: Callable[[int], float] = field(repr=False)

    @property
    def wraps_j(self) -> Sequence[float]:
        return [float("inf")] * len(self.domains)

    def joules(self) -> list[float]:
        return [self.read(number) for number in range(len(self.domains))]


def nvml() -> Nvml:
    """Open the NVML counters. Raises Unmeasurable where zeus is not installed, or there is no GPU that counts its
    energy."""
    try:
        from zeus.device import get_gpus
    except ImportError as error:
        raise Unmeasurable("nvml: zeus is not installed (pip install zeus)") from error
    try:
        gpus = get_gpus()
        counter = Nvml(
            [f"gpu {number} {gpus.get_name(number)}" for number in range(len(gpus))],
            lambda number: gpus.get_total_energy_consumption(number) * 1e-3,
        )
        counter.joules()
    except Exception as error:  # zeus and the driver fail in ways of their own
        raise Unmeasurable(f"nvml: {' '.join(str(error).split()) or type(error).__name__}") from error
    if not counter.domains:
        raise Unmeasurable("nvml: no GPU")
    return counter


def unwound(before: float, after: float, wraps_j: float) -> float:
    """Return the J that a counter grew by between two readings, between which it wrapped at most once."""
    return after - before if after >= before else after - before + wraps_j


def sampled(
    counter: Counter, seconds: float, every_s: float, sleep: Callable[[float], None], clock: Callable[[], float] = now
) -> list[tuple[float, list[float]]]:
    """Sample a counter: (s since the start, mean watts by domain since the last sample), with wraps undone.

    Raises Unmeasurable where a clock stands still or jumps back, or a domain counts nothing in all that time.
    """
    if every_s <= 0 or seconds < every_s:
        raise UserError(f"telemetry: {seconds:g} s in steps of {every_s:g} s are too few for a measurement")
    start = last = clock()
    before, samples = counter.joules(), []
    for _ in range(int(seconds / every_s)):
        sleep(every_s)
        time, joules = clock(), counter.joules()
        if time <= last:
            raise Unmeasurable("telemetry: the clock stood still or jumped back")
        grown = list(map(unwound, before, joules, counter.wraps_j))
        samples.append((time - start, [domain_j / (time - last) for domain_j in grown]))
        before, last = joules, time
    for number, domain in enumerate(counter.domains):
        if not any(watts[number] > 0 for _, watts in samples):
            raise Unmeasurable(f"{domain}: counted nothing in {last - start:.1f} s")
    return samples


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Unmeasurable(
            f"rapl: {path} cannot be read ({error.strerror}); only root may read it by default"
        ) from error


def _number(path: Path) -> float:
    text = _text(path)
    if not text.isdecimal():
        raise Unmeasurable(f"rapl: {path} holds {text[:20]!r}, not a number")
    return float(text)
