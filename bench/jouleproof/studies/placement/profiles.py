"""Workload profiles: a week of readings, reduced to watts by slot of a day or week for a policy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jouleproof.errors import UserError
from jouleproof.power.time_grid import DAY, WEEK
from jouleproof.power.workloads import Fleet

Profile = Callable[[np.ndarray, Fleet], np.ndarray]


@dataclass(frozen=True)
class Information:
    """A kind of workload profile. of: function from (workloads, a week of readings) watts and the fleet to (workloads,
    slots) watts that a policy assumes; slots divide a day or a week evenly and begin with it, at Monday midnight."""

    of: Profile
    words: str


def by_slot(readings: np.ndarray, slots: int) -> np.ndarray:
    """Group readings by slot, (workloads, slots, readings per slot). Up to 24 slots divide a day, more of them a week.

    Raises UserError where the readings are not whole weeks, or a slot is not a whole number of readings.
    """
    count, length = readings.shape
    if length % WEEK or not length:
        raise UserError(f"placement: a profile needs whole weeks of {WEEK} readings, got {length} readings")
    period = DAY if slots <= 24 else WEEK
    if period % slots:
        raise UserError(f"placement: {period} readings do not divide into {slots} slots")
    by_period = readings.reshape(count, length // period, slots, period // slots)
    return by_period.transpose(0, 2, 1, 3).reshape(count, slots, -1)


def checked_watts(source: str, watts: object, workloads: int, slots: int | None = None) -> np.ndarray:
    """Check the result of a function, which may be a user's. Raises UserError where it is not (workloads, slots) watts:
    the kernels that it is passed to check no bounds. slots: None where any number will do."""
    if isinstance(watts, np.ndarray) and watts.dtype.kind in "iuf":
        wide = watts.ndim == 2 and (watts.shape[1] > 0 if slots is None else watts.shape[1] == slots)
        if wide and len(watts) == workloads and ((watts >= 0) & (watts < np.inf)).all():
            return watts
    got = (
        f"an array of {watts.dtype} of shape {watts.shape}"
        if isinstance(watts, np.ndarray)
        else f"a {type(watts).__name__}"
    )
    raise UserError(
        f"placement: {source} must return finite watts of at least 0, of shape (workloads, slots), "
        f"here ({workloads}, {'slots' if slots is None else slots}); got {got}"
    )


def percentile_of_slots(slots: int, percentile: float) -> Profile:
    def of(readings: np.ndarray, _: Fleet) -> np.ndarray:
        return np.percentile(by_slot(readings, slots), percentile, axis=2)

    return of


def mean_and_spread(slots: int, deviations: float) -> Profile:
    def of(readings: np.ndarray, _: Fleet) -> np.ndarray:
        slotted = by_slot(readings, slots)
        return slotted.mean(axis=2) + deviations * slotted.std(axis=2)

    return of


def mean_of_slots(slots: int) -> Profile:
    def of(readings: np.ndarray, _: Fleet) -> np.ndarray:
        return by_slot(readings, slots).mean(axis=2)

    return of


def _nameplate(readings: np.ndarray, fleet: Fleet) -> np.ndarray:
    return np.full((len(readings), 1), fleet.nameplate_w)


def _by_phase(readings: np.ndarray, _: Fleet) -> np.ndarray:
    """Return two levels, the 95th percentiles of the readings above and below the middle of the range, weighted by
    their shares of each hour of the day: all that is left if only the levels and shares of two phases are known."""
    ordered = np.sort(readings, axis=1)
    last = readings.shape[1] - 1
    middle = 0.5 * (ordered[:, last // 100] + ordered[:, last - last // 100])
    low = np.minimum(np.sum(ordered <= middle[:, None], axis=1), last)
    busy_w = ordered[np.arange(len(ordered)), low + (0.95 * (last - low)).astype(int)]
    calm_w = ordered[np.arange(len(ordered)), np.maximum((0.95 * low).astype(int) - 1, 0)]
    share = by_slot(readings > middle[:, None], 24).mean(axis=2)
    return share * busy_w[:, None] + (1 - share) * calm_w[:, None]


INFORMATION: Mapping[str, Information] = {
    "nameplate": Information(_nameplate, "nameplate"),
    "mean": Information(mean_of_slots(1), "mean"),
    "p99": Information(percentile_of_slots(1, 99.0), "99th percentile"),
    "phases": Information(_by_phase, "levels of two phases, shares by hour"),
    "windows6": Information(percentile_of_slots(6, 95.0), "95th percentile of 6 windows a day"),
    "slots24": Information(percentile_of_slots(24, 95.0), "95th percentile by hour of the day"),
    "spread24": Information(mean_and_spread(24, 2.0), "mean and 2 deviations by hour of the day"),
    "slots168": Information(percentile_of_slots(168, 95.0), "95th percentile by hour of the week"),
}
