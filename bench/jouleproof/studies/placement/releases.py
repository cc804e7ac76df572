"""Release mechanisms: what a customer discloses of a workload's power, and how a placement policy uses it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from jouleproof.errors import UserError
from jouleproof.power.workloads import Fleet
from jouleproof.studies.placement.profiles import INFORMATION, Profile, by_slot

Released = np.ndarray
"""(workloads, numbers) watts, or shares where a histogram is released."""
_by_hour = INFORMATION["slots24"].of


@dataclass(frozen=True)
class Release:
    """A release mechanism. disclose: function from (workloads, readings) watts, the fleet and a random generator to
    what the customer discloses. used: function from that to the (workloads, slots) watts that the policy assumes.
    numbers: how many are disclosed of a workload in a week."""

    disclose: Callable[[np.ndarray, Fleet, np.random.Generator], Released]
    used: Callable[[Released, Fleet], np.ndarray]
    numbers: int
    words: str

    def __new__(cls, *_: object, **fields: object) -> Self:
        if "let_out" in fields:
            raise UserError("release: the argument let_out is now called disclose")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        if not isinstance(self.numbers, int | float) or self.numbers < 0:
            raise UserError(f"release {self.words!r}: numbers must be a count of at least 0, got {self.numbers!r:.60}")


def _released(profile: Profile, readings: np.ndarray, fleet: Fleet, _: np.random.Generator) -> Released:
    return profile(readings, fleet)


def _unchanged(released: Released, _: Fleet) -> np.ndarray:
    return released


def profiles(profile: Profile, numbers: int, words: str) -> Release:
    """Make a mechanism that discloses a profile, which the policy uses unchanged."""
    return Release(partial(_released, profile), _unchanged, numbers, words)


def private(slots: int, epsilon: float) -> Release:
    """Make a differentially private mechanism: means by slot, clipped to a server's power range, plus Laplace noise.
    epsilon covers a workload's readings of a week and is divided over the disclosed numbers, as one workload may change
    each of them by the whole range from idle to nameplate (Dwork et al., TCC 2006). The policy shrinks them towards the
    mean of all workloads, the more so the larger the share of noise in them."""
    words = f"{'mean' if slots == 1 else f'{slots} means a day'}, noise for epsilon {epsilon:g} a week"
    return Release(partial(_noisy_means, slots, epsilon), partial(_shrunk, slots, epsilon), slots, words)


def _noisy_means(slots: int, epsilon: float, readings: np.ndarray, fleet: Fleet, rng: np.random.Generator) -> Released:
    means = by_slot(np.clip(readings, fleet.idle_w, fleet.nameplate_w), slots).mean(axis=2)
    return means + rng.laplace(0.0, _noise_w(slots, epsilon, fleet), means.shape)


def _shrunk(slots: int, epsilon: float, released: Released, fleet: Fleet) -> np.ndarray:
    middle = np.clip(released, fleet.idle_w, fleet.nameplate_w).mean(axis=0)
    noise = 2 * _noise_w(slots, epsilon, fleet) ** 2 * (1 + 3 * np.sqrt(5 / len(released)))  # and 3 standard errors
    believed = np.clip(1 - noise / released.var(axis=0).clip(1.0), 0, 1)
    return np.clip(middle + believed * (released - middle), fleet.idle_w, fleet.nameplate_w)


def _noise_w(slots: int, epsilon: float, fleet: Fleet) -> float:
    return (fleet.nameplate_w - fleet.idle_w) * slots / epsilon


def _coarse(readings: np.ndarray, fleet: Fleet) -> np.ndarray:
    return np.ceil(_by_hour(readings, fleet) / 1000.0) * 1000.0


def _sums(readings: np.ndarray, fleet: Fleet) -> np.ndarray:
    """Disclose sums over all workloads and nothing on a single one, as secure aggregation does."""
    return np.repeat(_by_hour(readings, fleet).mean(axis=0)[None, :], len(readings), axis=0)


def _nothing(readings: np.ndarray, _: Fleet, __: np.random.Generator) -> Released:
    return np.zeros((len(readings), 1))


def _nameplate(released: Released, fleet: Fleet) -> np.ndarray:
    return released + fleet.nameplate_w


def _histogram(readings: np.ndarray, fleet: Fleet, _: np.random.Generator) -> Released:
    edges = np.linspace(0, fleet.nameplate_w, 11)
    return np.array([np.histogram(row, edges)[0] / len(row) for row in readings])


def _of_histogram(released: Released, fleet: Fleet) -> np.ndarray:
    """Return the upper edge of the bin that holds the 99th percentile."""
    reached = np.argmax(np.cumsum(released, axis=1) >= 0.99, axis=1)
    return ((reached + 1) * fleet.nameplate_w / 10)[:, None]


def _raw(readings: np.ndarray, _: Fleet, __: np.random.Generator) -> Released:
    return readings.astype(np.float64)


RELEASES: Mapping[str, Release] = {
    "nothing": Release(_nothing, _nameplate, 0, "the nameplate alone"),
    "sums": profiles(_sums, 0, "sums over all workloads (secure aggregation)"),
    "mean": profiles(INFORMATION["mean"].of, 1, "mean of the week"),
    "p99": profiles(INFORMATION["p99"].of, 1, "99th percentile of the week"),
    "windows6": profiles(INFORMATION["windows6"].of, 6, "95th percentile of 6 windows a day"),
    "slots24": profiles(_by_hour, 24, "95th percentile by hour of the day"),
    "coarse24": profiles(_coarse, 24, "the same, rounded up to 1 kW"),
    "slots168": profiles(INFORMATION["slots168"].of, 168, "95th percentile by hour of the week"),
    "histogram": Release(_histogram, _of_histogram, 10, "histogram of ten bins"),
    "private1_e8": private(1, 8.0),
    "private1_e1": private(1, 1.0),
    "private6_e8": private(6, 8.0),
    "private24_e8": private(24, 8.0),
    "private1_e05": private(1, 0.5),
    "raw": Release(_raw, _by_hour, 2016, "every reading"),
}
