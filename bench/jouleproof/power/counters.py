"""Readers of this machine's energy counters: RAPL through powercap, NVML through zeus. A source without a counter is
reported as unmeasurable, with the reason, and never as 0 W."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from jouleproof.errors import UserError, system_reason

POWERCAP = Path("/sys/class/powercap")
WITHIN_PACKAGE = ("core", "uncore")  # already counted in their package
MEMORY = "dram"
NEAR_J = 100.0  # energy that no domain takes while another is read


class Unmeasurable(UserError):
    """A counter is missing, cannot be read or does not count."""


@runtime_checkable
class Counter(Protocol):
    """An energy counter. domains: what it counts, without overlap. joules: energy by domain since an arbitrary moment,
    which grows up to `wraps_j` and then starts again at 0 (infinity: it never wraps).

    A counter may also have `shared`, a name by domain: domains of one name may turn out to be the same counter, and
    `left_out`, the reason by each further domain that it cannot count.
    """

    @property
    def domains(self) -> Sequence[str]: ...
    @property
    def wraps_j(self) -> Sequence[float]: ...
    def joules(self) -> list[float]: ...


@dataclass(frozen=True)
class Rapl:
    """RAPL counters of packages, of memory where it is a separate domain, and of no domain that lies within another.
    folders: powercap's, one per domain. shared: the package; the dies of one package may each show the package's
    counter, as those of AMD's first two Zen generations do."""

    folders: Sequence[Path]
    domains: Sequence[str]
    wraps_j: Sequence[float]
    shared: Sequence[str]
    left_out: Mapping[str, str]

    def joules(self) -> list[float]:
        return read_together(lambda number: _joules(self.folders[number]), self.shared)


def rapl(root: Path = POWERCAP) -> Rapl:
    """Open the RAPL counters; memory is left out where it cannot be read. Raises Unmeasurable where powercap is absent,
    or a package not readable."""
    try:
        folders = sorted(root.glob("intel-rapl:*")) if root.is_dir() else []
    except OSError as error:
        raise Unmeasurable(f"rapl: {root} cannot be read: {_reason(error)}") from error
    names = {folder: _text(folder / "name") for folder in folders}
    chosen = {folder: name for folder, name in names.items() if name not in WITHIN_PACKAGE and name != "psys"}
    if not chosen:
        raise Unmeasurable(f"rapl: no domain under {root}; a virtual machine has none, a container may hide them")
    left_out = {}
    for folder, name in list(chosen.items()):
        try:
            _joules(folder)
        except Unmeasurable as error:
            if name != MEMORY:
                raise
            left_out[f"{folder.name} {chosen.pop(folder)}"] = str(error)
    packages = {folder.name: name.partition("-die-")[0] for folder, name in names.items()}
    return Rapl(
        folders=[*chosen],
        domains=[f"{folder.name} {name}" for folder, name in chosen.items()],
        wraps_j=[_wraps_j(folder) for folder in chosen],
        shared=[f"{packages.get(folder.name.rpartition(':')[0], '')} {packages[folder.name]}" for folder in chosen],
        left_out=left_out,
    )


@dataclass(frozen=True)
class Nvml:
    """The energy counters of the GPUs that have one, through zeus. read: the joules of a GPU by its number. shared: the
    GPU's name; the same GPU may be listed twice, or each of its slices as a GPU."""

    numbers: Sequence[int]
    shared: Sequence[str]
    left_out: Mapping[str, str]
    read: Callable[[int], float] = field(repr=False)

    @property
    def domains(self) -> Sequence[str]:
        return [f"gpu {number} {name}".rstrip() for number, name in zip(self.numbers, self.shared, strict=True)]

    @property
    def wraps_j(self) -> Sequence[float]:
        return [float("inf")] * len(self.numbers)

    def joules(self) -> list[float]:
        return read_together(lambda place: self.read(self.numbers[place]), self.shared)


def nvml() -> Nvml:
    """Open the NVML counters; a GPU that does not count its energy is left out. Raises Unmeasurable where zeus is not
    installed or no GPU counts."""
    try:
        from zeus.device import get_gpus
    except ImportError as error:
        raise Unmeasurable("nvml: zeus is not installed (pip install zeus)") from error

    def read(number: int) -> float:
        return float(gpus.get_total_energy_consumption(number)) * 1e-3

    counting: dict[int, str] = {}
    left_out: dict[str, str] = {}
    try:
        gpus = get_gpus()
        for number in range(len(gpus)):
            try:
                name = str(gpus.get_name(number))
            except Exception:  # the name is for people; the joules do not need it
                name = ""
            try:
                read(number)
                counting[number] = name
            except Exception as error:
                left_out[f"gpu {number} {name}".rstrip()] = system_reason(error)
    except Exception as error:  # zeus and the driver raise errors of any type
        raise Unmeasurable(f"nvml: {system_reason(error)}") from error
    if not counting:
        reasons = "; ".join(f"{domain}: {reason}" for domain, reason in left_out.items())
        raise Unmeasurable(f"nvml: {reasons or 'no GPU'}")
    return Nvml([*counting], [*counting.values()], left_out, read)


def read_together(read: Callable[[int], float], shared: Sequence[str]) -> list[float]:
    """Return a reading of each domain, and exactly the same one of domains that are one counter: between two readings
    of a domain, another of the same `shared` read what lies between them."""
    joules = [read(number) for number in range(len(shared))]
    for number, name in enumerate(shared):
        for before in range(number):
            near = shared[before] == name and 0 <= joules[number] - joules[before] < NEAR_J
            if near and joules[number] <= read(before):
                joules[number] = joules[before]
                break
    return joules


def unwound(before: float, after: float, wraps_j: float) -> float:
    """Return the joules between two readings of a counter that wrapped at most once in between."""
    return after - before if after >= before else after - before + wraps_j


def _joules(folder: Path) -> float:
    return _number(folder / "energy_uj") * 1e-6


def _wraps_j(folder: Path) -> float:
    """Return where a counter starts again; infinity where that cannot be read, so that a wrap counts as a failure."""
    try:
        return _number(folder / "max_energy_range_uj") * 1e-6
    except Unmeasurable:
        return float("inf")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unmeasurable(f"rapl: {path} cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    match error:
        case FileNotFoundError():  # its folder is listed
            return "it is masked (a container?)"
        case PermissionError() if os.geteuid() == 0:
            return "not even root may read it here (a container?)"
        case PermissionError():
            return "by default, only root may"
    return system_reason(error)


def _number(path: Path) -> float:
    text = _text(path)
    if not text:
        raise Unmeasurable(f"rapl: {path} cannot be read: it is masked (a container?)")
    if not text.isdecimal():
        raise Unmeasurable(f"rapl: {path} must hold a number, got {text[:20]!r}")
    return float(text)
