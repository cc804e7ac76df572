"""Selection of the most appropriate processor and storage for a workload, by its profile.

Speeds of the older processor on prompts and tokens were measured by the phase-split study's source (Splitwise, ISCA
2024, table 4: 84 over 155 ms, 28 over 40 ms); its other speeds and all numbers of storage are assumptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jouleproof.power.workloads import Fleet


@dataclass(frozen=True)
class Processor:
    """A generation of servers. idle_w, most_w: power without work and at full load. speed: by kind of workload, over
    that of the newest; `other` for kinds that are not listed."""

    name: str
    idle_w: float
    most_w: float
    speed: Mapping[str, float]

    def speeds(self, fleet: Fleet) -> np.ndarray:
        return np.array([self.speed.get(fleet.kinds[kind], self.speed["other"]) for kind in fleet.kind])


@dataclass(frozen=True)
class Storage:
    """A class of storage. watts_per_tb: when active. gb_per_s: highest rate for a workload. tb: capacity, over the
    workloads' demand."""

    name: str
    watts_per_tb: float
    gb_per_s: float
    tb: float


NEW = Processor("new", idle_w=0.22 * 10_200, most_w=0.85 * 10_200, speed={"other": 1.0})
OLD = Processor(
    "old", idle_w=0.22 * 6_500, most_w=0.85 * 6_500, speed={"prompt": 84 / 155, "token": 28 / 40, "other": 0.5}
)
STORAGE = (
    Storage("disk", watts_per_tb=0.4, gb_per_s=0.5, tb=0.8),
    Storage("flash", watts_per_tb=0.7, gb_per_s=4.0, tb=0.6),
    Storage("fast flash", watts_per_tb=1.5, gb_per_s=14.0, tb=0.6),
)
NEEDS_STORAGE, TYPICAL_TB, TYPICAL_GB_PER_S = 0.5, 60.0, 0.8


@dataclass(frozen=True)
class Needs:
    """Storage needs of workloads: (workloads,) tb, and peak gb_per_s; 0 where nothing is stored."""

    tb: np.ndarray
    gb_per_s: np.ndarray


def needs(count: int, seed: int) -> Needs:
    rng = np.random.default_rng([seed, 12])
    stores = rng.random(count) < NEEDS_STORAGE
    tb = np.where(stores, TYPICAL_TB * np.exp(0.8 * rng.standard_normal(count)), 0.0)
    return Needs(tb, np.where(stores, TYPICAL_GB_PER_S * np.exp(1.0 * rng.standard_normal(count)), 0.0))


def loads(fleet: Fleet, watts: np.ndarray) -> np.ndarray:
    """Return (workloads, slots) loads as shares of the newest processor's capacity."""
    return (watts - fleet.idle_w) / (fleet.most_w - fleet.idle_w)


def power(mean_load: np.ndarray, servers: np.ndarray, speed: np.ndarray, processor: Processor) -> np.ndarray:
    """Return (workloads,) mean watts of workloads, each spread over `servers` servers of one generation."""
    return processor.idle_w * servers + (processor.most_w - processor.idle_w) * mean_load / speed


def old_servers(seen: np.ndarray, fleet: Fleet) -> np.ndarray:
    """Return (workloads,) numbers of old servers needed at the 99th percentile of the loads."""
    return np.ceil(np.percentile(seen, 99, axis=1) / OLD.speeds(fleet)).astype(int)


def chosen_processors(seen: np.ndarray, fleet: Fleet, places: tuple[int, int], by_profile: bool) -> np.ndarray:
    """Choose a processor for each workload in turn, (workloads,): 0 for the new, 1 for the old one.

    seen: (workloads, slots) loads of the week before. places: servers of each. by_profile: choose the one that draws
    less at last week's mean load, while there is room; otherwise the one with the larger share of free servers.
    """
    mean, many = seen.mean(axis=1), old_servers(seen, fleet)
    alone = np.ones(len(seen), int)
    saves = power(mean, many, OLD.speeds(fleet), OLD) < power(mean, alone, np.ones(len(seen)), NEW)
    free = [float(servers) for servers in places]
    chosen = np.zeros(len(seen), int)
    for workload in range(len(seen)):
        needed = (1, many[workload])
        wanted = int(saves[workload]) if by_profile else int(free[1] / places[1] > free[0] / places[0])
        if free[wanted] < needed[wanted]:
            wanted = 1 - wanted
        chosen[workload] = wanted
        free[wanted] -= needed[wanted]
    return chosen


def chosen_storage(wants: Needs, by_profile: bool) -> np.ndarray:
    """Choose a storage class for each workload, (workloads,) indices: of those with room that are fast enough, the one
    with the lowest power if by_profile, otherwise the fastest. If none is fast enough: the fastest with room."""
    left = np.array([storage.tb for storage in STORAGE]) * wants.tb.sum()
    order = range(len(STORAGE)) if by_profile else range(len(STORAGE) - 1, -1, -1)
    chosen = np.full(len(wants.tb), len(STORAGE) - 1)
    for workload in np.flatnonzero(wants.tb > 0):
        free = [number for number in order if left[number] >= wants.tb[workload]]
        enough = [number for number in free if wants.gb_per_s[workload] <= STORAGE[number].gb_per_s]
        chosen[workload] = enough[0] if enough else max(free)
        left[chosen[workload]] -= wants.tb[workload]
    return chosen
