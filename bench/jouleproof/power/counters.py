"""Readers of this machine's energy counters: RAPL through powercap, NVML through zeus. A source without a counter is
reported as unmeasurable, with the reason, and never as 0 W."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from jouleproof.errors import UserError
from jouleproof.measure.clocks import now

POWERCAP = Path("/sys/class/powercap")
WITHIN_PACKAGE = ("core", "uncore")  # already counted in their package


class Unmeasurable(UserError):
    """A counter is missing, cannot be read or does not count."""


@runtime_checkable
class Counter(Protocol):
    """An energy counter. domains: what it counts, without overlap. joules: energy by domain since an arbitrary moment,
    which grows up to `wraps_j` and then starts again at 0 (infinity: it never wraps)."""

    @property
    def domains(self) -> Sequence[str]: ...
    @property
    def wraps_j(self) -> Sequence[float]: ...
    def joules(self) -> list[float]: ...


@dataclass(frozen=True)
class Rapl:
    """RAPL counters of packages, of memory where it is a separate domain, and of no domain that lies within another.
    folders: powercap's, one per domain."""

    folders: Sequence[Path]
    domains: Sequence[str]
    wraps_j: Sequence[float]

    def joules(self) -> list[float]:
        return [_number(folder / "energy_uj") * 1e-6 for folder in self.folders]


def rapl(root: Path = POWERCAP) -> Rapl:
    """Open the RAPL counters. Raises Unmeasurable where powercap is absent or not readable."""
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
    """Open the NVML counters. Raises Unmeasurable where zeus is not installed or no GPU counts its energy."""
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
    except Exception as error:  # zeus and the driver raise errors of any type
        raise Unmeasurable(f"nvml: {' '.join(str(error).split()) or type(error).__name__}") from error
    if not counter.domains:
        raise Unmeasurable("nvml: no GPU")
    return counter


def unwound(before: float, after: float, wraps_j: float) -> float:
    """Return the joules between two readings of a counter that wrapped at most once in between."""
    return after - before if after >= before else after - before + wraps_j


def sampled(
    counter: Counter, seconds: float, every_s: float, sleep: Callable[[float], None], clock: Callable[[], float] = now
) -> list[tuple[float, list[float]]]:
    """Sample a counter, with wraps undone: (seconds since the start, mean watts by domain since the previous sample).

    Raises Unmeasurable where the clock stands still or goes backwards, or a domain counts nothing the whole time.
    """
    if every_s <= 0 or seconds < every_s:
        raise UserError(
            f"telemetry: expected at least one step of more than 0 s, got {seconds:g} s in steps of {every_s:g} s"
        )
    start = last = clock()
    before, samples = counter.joules(), []
    for _ in range(int(seconds / every_s)):
        sleep(every_s)
        time, joules = clock(), counter.joules()
        if time <= last:
            raise Unmeasurable("telemetry: the clock stood still or went backwards")
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
            f"rapl: {path} cannot be read ({error.strerror}); by default, only root can read it"
        ) from error


def _number(path: Path) -> float:
    text = _text(path)
    if not text.isdecimal():
        raise Unmeasurable(f"rapl: {path} must hold a number, got {text[:20]!r}")
    return float(text)
