"""Generated fleets of workloads: classes, lifetimes, and the true power, which no policy sees.

Levels and rhythms of the classes are assumptions; the servers draw more, and the weeks repeat better, than in recorded
fleets (the experiment `reality` measures by how much). The variations of prompt and token machines within five minutes
are those of the simulated phase-split cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from jouleproof.power.time_grid import DAY, SLOT_S, WEEK

ZONES_H = (-8.0, 0.0, 8.0)  # of the tenants' customers
MODELS = (0.85, 1.0, 1.17)  # small, medium, large: factors of a tenant's model on its level
LENGTHS = (0.7, 1.4)  # short and long prompts: factors on its noise


@dataclass(frozen=True)
class Kind:
    """A class of workloads. Levels are shares of a server's power range above idle.

    night, day: lowest and highest level of a weekday. peak_h: local hour of the highest. sharpness: 1 is a sine; more,
    a shorter day. weekend: factor on the day's rise. noise: standard deviation of the variation without rhythm; hours:
    its correlation time; shared: part of its variance that all workloads of a tenant have in common. drift: spread of
    the level from week to week. texture: variation within five minutes. critical: users wait for it. share: of the
    fleet.
    """

    night: float
    day: float
    share: float
    peak_h: float = 14.0
    sharpness: float = 1.0
    weekend: float = 1.0
    noise: float = 0.05
    hours: float = 2.0
    shared: float = 0.3
    drift: float = 0.06
    texture: str = "steady"
    critical: bool = False


KINDS: Mapping[str, Kind] = {
    "prompt": Kind(
        night=0.15, day=0.60, share=0.16, peak_h=15, noise=0.06, shared=0.6, texture="prompt", critical=True
    ),
    "token": Kind(night=0.20, day=0.42, share=0.16, peak_h=15, noise=0.04, shared=0.6, texture="token", critical=True),
    "office": Kind(
        night=0.03, day=0.55, share=0.14, peak_h=13, sharpness=2.5, weekend=0.3, texture="bursts", critical=True
    ),
    "evening": Kind(
        night=0.08, day=0.55, share=0.10, peak_h=20.5, sharpness=1.5, weekend=1.1, texture="bursts", critical=True
    ),
    "always": Kind(night=0.25, day=0.33, share=0.12, noise=0.03, hours=6, texture="bursts", critical=True),
    "training": Kind(night=0.74, day=0.78, share=0.14, hours=12, shared=0.9, drift=0.03, texture="swings"),
    "batch": Kind(night=0.03, day=0.65, share=0.10, peak_h=3, sharpness=2.0, noise=0.10, hours=4),
    "trials": Kind(night=0.20, day=0.28, share=0.08, noise=0.22, hours=8, drift=0.20, texture="swings"),
}

MIXES: Mapping[str, Mapping[str, float]] = {  # share of each class, over that in the ordinary mix
    "same": {},
    "train_heavy": {"training": 4.0, "trials": 2.0},
    "phase_split": {"prompt": 3.5, "token": 3.5},
    "office_hours": {"office": 5.0},
}


@dataclass(frozen=True)
class Fleet:
    """Workloads, each as large as one server. watts: (workloads, slots of five minutes), the true mean power, week
    after week. kind, model, length, tenant: (workloads,) indices; kinds: names of kinds. offset: (workloads,) slots by
    which a workload's texture is ahead. idle_w, most_w: lowest and highest power of a server at any moment."""

    kinds: tuple[str, ...]
    kind: np.ndarray
    model: np.ndarray
    length: np.ndarray
    tenant: np.ndarray
    critical: np.ndarray
    offset: np.ndarray
    watts: np.ndarray
    nameplate_w: float
    idle_w: float
    most_w: float

    @property
    def count(self) -> int:
        return len(self.kind)

    def week(self, number: int) -> np.ndarray:
        """Return (workloads, slots) watts of one week."""
        return self.watts[:, number * WEEK : (number + 1) * WEEK]

    def of(self, chosen: np.ndarray) -> "Fleet":
        """Return some of the workloads, in this order."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in BY_WORKLOAD})


BY_WORKLOAD = ("kind", "model", "length", "tenant", "critical", "offset", "watts")


@dataclass(frozen=True)
class Server:
    """The rated power of a server, and its idle and highest power as shares of that."""

    nameplate_w: float = 10_200.0
    idle: float = 0.22
    most: float = 0.85


@dataclass(frozen=True)
class Rhythm:
    """Differences of a fleet from an ordinary one. predictable: 1 where weeks differ only by drift and noise, 0 where
    nothing repeats. tenant_size: mean number of workloads per tenant."""

    mix: str = "same"
    predictable: float = 1.0
    tenant_size: int = 12
    server: Server = field(default_factory=Server)


def fleet(count: int, weeks: int, seed: int, rhythm: Rhythm = Rhythm(), kinds: Mapping[str, Kind] = KINDS) -> Fleet:
    """Generate a fleet. The workloads of a tenant share a random class, model, prompt length and time zone, and a part
    of their noise."""
    rng = np.random.default_rng([seed, 1])
    factors = MIXES[rhythm.mix]
    shares = np.array([kind.share * factors.get(name, 1.0) for name, kind in kinds.items()])
    tenants = max(1, -(-count // rhythm.tenant_size))
    tenant = np.sort(rng.integers(0, tenants, count))
    tenant_kind = rng.choice(len(shares), tenants, p=shares / shares.sum())
    zone_h = rng.choice(ZONES_H, tenants, p=(0.5, 0.35, 0.15))
    tenant_model, tenant_length = rng.integers(0, len(MODELS), tenants), rng.integers(0, len(LENGTHS), tenants)
    kind = tenant_kind[tenant]
    described = list(kinds.values())
    load = np.empty((count, weeks * WEEK), np.float32)
    offset = rng.integers(0, 2**31, tenants)[tenant]
    for number in np.unique(tenant):
        of_kind, level = described[tenant_kind[number]], MODELS[tenant_model[number]]
        noise = LENGTHS[tenant_length[number]] * of_kind.noise
        members = np.flatnonzero(tenant == number)
        load[members] = _tenant_load(of_kind, level, noise, zone_h[number], (len(members), weeks), rhythm, rng)
    apart = np.array([described[number].texture != "swings" for number in kind])
    offset = np.where(apart, rng.integers(0, 2**31, count), offset)  # the workloads of a training job step together
    server = rhythm.server
    return Fleet(
        kinds=tuple(kinds),
        kind=kind,
        model=tenant_model[tenant],
        length=tenant_length[tenant],
        tenant=tenant,
        critical=np.array([described[number].critical for number in kind]),
        offset=offset,
        watts=server.nameplate_w * (server.idle + (server.most - server.idle) * load),
        nameplate_w=server.nameplate_w,
        idle_w=server.nameplate_w * server.idle,
        most_w=server.nameplate_w * server.most,
    )


def _tenant_load(
    kind: Kind,
    model: float,
    noise: float,
    zone_h: float,
    size: tuple[int, int],
    rhythm: Rhythm,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return (workloads, slots) shares of the power range above idle. size: number of the tenant's workloads, and
    weeks."""
    count, weeks = size
    slots = weeks * WEEK
    surprise = 1.0 - rhythm.predictable
    level = model * np.exp(0.12 * rng.standard_normal((count, 1)))
    level = level * _weekly(kind.drift + 0.4 * surprise, size, rng)
    shift_h = zone_h + 0.7 * rng.standard_normal((count, 1)) + _walk(6.0 * surprise, size, rng)
    hour = np.arange(slots) * SLOT_S / 3600
    phase = np.cos(2 * np.pi * (hour - kind.peak_h - shift_h) / 24)
    rise = ((1 + phase) / 2) ** kind.sharpness
    free = (np.floor((hour - shift_h) / 24).astype(int) % 7) >= 5
    shape = kind.night + (kind.day - kind.night) * rise
    shape = np.where(free, kind.night + (shape - kind.night) * kind.weekend, shape)
    together = _coloured(1, slots, kind.hours, rng) * np.sqrt(kind.shared)
    apart = _coloured(count, slots, kind.hours, rng) * np.sqrt(1 - kind.shared)
    return np.clip(shape * level + (noise + 0.15 * surprise) * (together + apart), 0.0, 1.0)


def _weekly(spread: float, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return np.repeat(np.exp(spread * rng.standard_normal(size)), WEEK, axis=1)


def _walk(hours: float, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return np.repeat(np.cumsum(hours * rng.standard_normal(size), axis=1), WEEK, axis=1)


def _coloured(count: int, slots: int, hours: float, rng: np.random.Generator) -> np.ndarray:
    """Return (count, slots) noise of variance 1 with a correlation time of `hours`."""
    from scipy.signal import lfilter  # slow to import, and checking a config imports this module

    keep = float(np.exp(-SLOT_S / 3600 / hours))
    white = rng.standard_normal((count, slots)) * np.sqrt(1 - keep**2)
    white[:, 0] /= np.sqrt(1 - keep**2)
    return lfilter([1.0], [1.0, -keep], white, axis=1)


@dataclass(frozen=True)
class Stays:
    """Lifetimes of workloads within a period. first, last: (workloads,) slots; a workload is absent from slot `last`
    on."""

    first: np.ndarray
    last: np.ndarray


def stays(fleet: Fleet, at_once: int, days: float, grouped: bool, seed: int) -> Stays:
    """Draw lifetimes: `at_once` workloads arrive at the beginning, the others evenly over a week; half of all stay
    longer than `days`.

    grouped: workloads of a tenant arrive one after the other; otherwise in random order.
    """
    rng = np.random.default_rng([seed, 2])
    order = np.concatenate(
        [np.flatnonzero(fleet.tenant == tenant) for tenant in rng.permutation(fleet.tenant.max() + 1)]
    )
    if not grouped:
        order = rng.permutation(fleet.count)
    later = np.sort(rng.integers(1, WEEK, max(fleet.count - at_once, 0)))
    first = np.empty(fleet.count, np.int64)
    first[order] = np.concatenate([np.zeros(min(at_once, fleet.count), np.int64), later])
    long = np.ceil(days * DAY * np.exp(rng.standard_normal(fleet.count))).astype(np.int64)
    return Stays(first=first, last=np.minimum(first + np.maximum(long, 1), WEEK))
