"""What a telemetry service lets out of a workload's power, and what of it a placement policy can use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jouleproof.errors import UserError
from jouleproof.power.workloads import Fleet
from jouleproof.studies.placement.profiles import by_slot

Released = np.ndarray
"""(workloads, numbers) watts, or shares where a histogram is released."""


@dataclass(frozen=True)
class Release:
    """let_out: (workloads, readings) watts, the fleet and a random generator, to what leaves the machine.
    used: of that, (workloads, slots) watts that the policy reckons with. numbers: a week, of a workload.
    """

    let_out: Callable[[np.ndarray, Fleet, np.random.Generator], Released]
    used: Callable[[Released, Fleet], np.ndarray]
    numbers: int
    words: str

    def __post_init__(self) -> None:
        if not isinstance(self.numbers, int | float) or self.numbers < 0:
            raise UserError(f"release {self.words!r}: numbers is {self.numbers!r:.60}; it counts what leaves in a week")


def percentiles(slots: int, percentile: float, words: str, grid_w: float = 0.0) -> Release:
    """grid_w: what is let out is rounded up to it."""

    def let_out(readings: np.ndarray, _: Fleet, __: np.random.Generator) -> Released:
        found = np.percentile(by_slot(readings, slots), percentile, axis=2)
        return np.ceil(found / grid_w) * grid_w if grid_w else found

    return Release(let_out, lambda released, _: released, slots, words)


def private(slots: int, epsilon: float, words: str) -> Release:
    """Means by slot, clipped to what a server can draw, with Laplace noise: epsilon a week for all of a workload's
    readings, divided over the numbers let out, as one workload may move every one of them by all that lies between idle
    and nameplate (Dwork et al., TCC 2006). Used: drawn towards the mean of all workloads, the more so the more of what
    is let out is noise.
    """

    def scale_w(fleet: Fleet) -> float:
        return (fleet.nameplate_w - fleet.idle_w) * slots / epsilon

    def let_out(readings: np.ndarray, fleet: Fleet, rng: np.random.Generator) -> Released:
        means = by_slot(np.clip(readings, fleet.idle_w, fleet.nameplate_w), slots).mean(axis=2)
        return means + rng.laplace(0.0, scale_w(fleet), means.shape)

    def used(released: Released, fleet: Fleet) -> np.ndarray:
        middle = np.clip(released, fleet.idle_w, fleet.nameplate_w).mean(axis=0)
        noise = 2 * scale_w(fleet) ** 2 * (1 + 3 * np.sqrt(5 / len(released)))  # and three of its errors
        believed = np.clip(1 - noise / released.var(axis=0).clip(1.0), 0, 1)
        return np.clip(middle + believed * (released - middle), fleet.idle_w, fleet.nameplate_w)

    return Release(let_out, used, slots, words)


def _mean(readings: np.ndarray, _: Fleet, __: np.random.Generator) -> Released:
    return readings.mean(axis=1, keepdims=True)


def _histogram(readings: np.ndarray, fleet: Fleet, _: np.random.Generator) -> Released:
    edges = np.linspace(0, fleet.nameplate_w, 11)
    return np.array([np.histogram(row, edges)[0] / len(row) for row in readings])


def _of_histogram(released: Released, fleet: Fleet) -> np.ndarray:
    """The upper edge of the bin that holds the 99th percentile."""
    reached = np.argmax(np.cumsum(released, axis=1) >= 0.99, axis=1)
    return ((reached + 1) * fleet.nameplate_w / 10)[:, None]


def _sums(readings: np.ndarray, fleet: Fleet, _: np.random.Generator) -> Released:
    """Secure aggregation: of all workloads together, no one's own."""
    found = np.percentile(by_slot(readings, 24), 95, axis=2).mean(axis=0)
    return np.repeat(found[None, :], len(readings), axis=0)


def _nothing(readings: np.ndarray, _: Fleet, __: np.random.Generator) -> Released:
    return np.zeros((len(readings), 1))


def _raw(readings: np.ndarray, _: Fleet, __: np.random.Generator) -> Released:
    return readings.astype(np.float64)


def _of_raw(released: Released, _: Fleet) -> np.ndarray:
    return np.percentile(by_slot(released, 24), 95, axis=2)


def _as_it_is(released: Released, _: Fleet) -> np.ndarray:
    return released


RELEASES: Mapping[str, Release] = {
    "nothing": Release(_nothing, lambda released, fleet: released + fleet.nameplate_w, 0, "nothing but the nameplate"),
    "sums": Release(_sums, _as_it_is, 0, "sums over all workloads (secure aggregation)"),
    "mean": Release(_mean, _as_it_is, 1, "mean of the week"),
    "p99": percentiles(1, 99, "99th percentile of the week"),
    "windows6": percentiles(6, 95, "95th percentile of 6 windows a day"),
    "slots24": percentiles(24, 95, "95th percentile by hour of the day"),
    "coarse24": percentiles(24, 95, "the same, rounded up to 1 kW", grid_w=1000.0),
    "slots168": percentiles(168, 95, "95th percentile by hour of the week"),
    "histogram": Release(_histogram, _of_histogram, 10, "histogram of ten bins"),
    "private1_e8": private(1, 8.0, "mean, noise for epsilon 8 a week"),
    "private1_e1": private(1, 1.0, "mean, noise for epsilon 1 a week"),
    "private6_e8": private(6, 8.0, "6 means a day, noise for epsilon 8 a week"),
    "private24_e8": private(24, 8.0, "24 means a day, noise for epsilon 8 a week"),
    "private1_e05": private(1, 0.5, "mean, noise for epsilon 0.5 a week"),
    "raw": Release(_raw, _of_raw, 2016, "every reading"),
}
