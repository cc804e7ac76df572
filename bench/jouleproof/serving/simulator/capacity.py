"""Searches for the highest load that a design sustains with every service level met, and for the best pools of a
cluster."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from jouleproof.serving.simulator.clusters import Budget, Family, Prices, most_prompt_machines, pools
from jouleproof.serving.simulator.evaluation import Setup, Workload
from jouleproof.serving.simulator.machines import Design

FIRST_GUESS = 60.0  # requests/s
FAR, NEAR = 1.5, 1.15  # ratios of successive tried loads, without and with a guess
LEAST_LOAD = 0.1  # requests/s; a design that does not sustain this has a load of 0
LOWER = 5  # loads below the highest, FAR apart, that must pass too

Scored = tuple[Design, float]


@dataclass
class CapacitySearch:
    """Searches under one setup and service. The load of each design and the pools of each budget are cached.

    precision: of a load, relative. search_seed, search_precision: seed of the requests and precision of the loads
    during a search for pools. pool_step: distance between the pools that are tried first, as a share of a cluster's
    machines.
    """

    workload: Workload
    setup: Setup
    service: str
    precision: float
    search_seed: int
    search_precision: float
    pool_step: float
    _loads: dict[Design, dict[int, float]] = field(default_factory=dict, init=False, repr=False)
    _pools: dict[tuple[object, ...], Scored] = field(default_factory=dict, init=False, repr=False)

    def meets(self, design: Design, rate: float, seed: int) -> bool:
        """Return whether all service levels are met under a rate in requests/s."""
        return self.workload.meets(self.setup, design, self.service, rate, seed)

    def sustains(self, design: Design, rate: float) -> bool:
        """Return whether a rate and the loads below it pass on the seed for searches."""
        return all(self.meets(design, load, self.search_seed) for load in (rate, *loads_below(rate)))

    def max_load(self, design: Design, seed: int) -> float:
        """Return the highest load in requests/s; the search starts from the load under another seed, if any."""
        loads = self._loads.setdefault(design, {})
        if seed not in loads:
            guess = next(iter(loads.values()), 0.0)
            loads[seed] = highest_load(
                lambda rate: self.meets(design, rate, seed),
                start=guess or FIRST_GUESS,
                precision=self.precision,
                apart=NEAR if guess else FAR,
            )
        return loads[seed]

    def best_pools(self, family: Family, budget: Budget) -> Scored:
        """Find the pools that sustain the highest load within a budget, and that load in requests/s: first among pools
        that are `pool_step` apart, then between the best of them and its neighbours. Raises ValueError if no pools
        fit."""
        most = most_prompt_machines(family, budget)
        key = (family, *(budget.token_machines(family, prompt) for prompt in range(1, most + 1)))

        def with_prompt_machines(prompt: int, best: Scored | None) -> Scored | None:
            token = budget.token_machines(family, prompt)
            if prompt < 1 or token < 1:
                return best
            design = family.design(prompt, token)
            load = self._load_above(design, best[1] if best else 0.0)
            return (design, load) if best is None or load > best[1] else best

        if key not in self._pools:
            affordable = sorted(pools(family, budget, self.pool_step), key=lambda pool: abs(pool[0] - 1.5 * pool[1]))
            apart = round(most * self.pool_step / 2)
            best = _searched([prompt for prompt, _ in affordable], apart, with_prompt_machines)
            if best is None:
                raise ValueError(
                    f"no pools of {family.name} fit a price of {budget.price} and a power of {budget.power}"
                )
            self._pools[key] = best
        return self._pools[key]

    def _load_above(self, design: Design, beat: float) -> float:
        """Return the highest load (requests/s) on the search seed; 0 if one that is clearly above `beat` fails."""

        def meets(rate: float) -> bool:
            return self.meets(design, rate, self.search_seed)

        if not beat:
            return highest_load(meets, FIRST_GUESS, self.search_precision, FAR)
        more = beat * (1 + self.search_precision)
        return highest_load(meets, more * NEAR, self.search_precision, NEAR, sustained=more) if meets(more) else 0.0

    def least_pools(self, family: Family, machines: int, rate: float, prices: Prices | None) -> Design:
        """Find the cheapest pools that sustain a rate in requests/s or, without prices, those of least provisioned
        power. machines: the most in both pools together. The number of prompt machines is searched as in `best_pools`,
        each with the fewest token machines.

        Raises ValueError if no pools sustain the rate.
        """

        def weight(design: Design) -> float:
            return prices.of_design(design) if prices else design.power

        def sustains(prompt: int, token: int) -> bool:
            return self.sustains(family.design(prompt, token), rate)

        def with_prompt_machines(prompt: int, best: Scored | None) -> Scored | None:
            lighter = [
                token
                for token in range(1, machines - prompt + 1 if prompt >= 1 else 1)
                if best is None or weight(family.design(prompt, token)) < best[1]
            ]
            if not lighter or not sustains(prompt, lighter[-1]):
                return best
            design = family.design(prompt, fewest(lambda token: sustains(prompt, token), 0, lighter[-1]))
            return design, weight(design)

        key = (family, machines, rate, prices)
        if key not in self._pools:
            steps = {round(machines * self.pool_step * number) for number in range(1, int(1 / self.pool_step) + 1)}
            apart = round(machines * self.pool_step / 2)
            best = _searched(sorted(steps, reverse=True), apart, with_prompt_machines)
            if best is None:
                raise ValueError(
                    f"no pools of {family.name} with at most {machines} machines sustain {rate:g} requests/s"
                )
            self._pools[key] = best
        return self._pools[key][0]


def _searched(
    first: Iterable[int], apart: int, better_of: Callable[[int, Scored | None], Scored | None]
) -> Scored | None:
    """Return the best design found and its score: first among the given numbers of prompt machines, then on both
    sides of the best, at distances that halve down to one machine."""
    best: Scored | None = None
    for prompt in first:
        best = better_of(prompt, best)
    while best is not None and apart >= 1:
        middle = best[0].prompt[1]
        for prompt in (middle - apart, middle + apart):
            best = better_of(prompt, best)
        apart //= 2
    return best


def fewest(sustain: Callable[[int], bool], too_few: int, enough: int) -> int:
    """Return the smallest number that sustains a load, by bisection between `too_few` and `enough`."""
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if sustain(middle) else (middle, enough)
    return enough


def loads_below(load: float) -> list[float]:
    """Return LOWER loads below a load, FAR apart, in ascending order."""
    return [load / FAR**steps for steps in range(LOWER, 0, -1)]


def highest_load(
    passes: Callable[[float], bool], start: float, precision: float, apart: float = FAR, sustained: float = 0.0
) -> float:
    """Return the highest load, in requests/s, that passes, to a relative precision; 0 if not even LEAST_LOAD passes.

    The search brackets the load in steps of a factor of `apart` from `start`, then bisects. A cluster must bear every
    load up to its highest, and some designs fail under a load and pass under a higher one: so LOWER loads below must
    pass as well, and where one fails, the search goes on below it. sustained: a load below `start` that is known to
    pass.
    """
    low, high = sustained, start
    while passes(high):
        low, high = high, apart * high
    highest = _bisected(passes, low, high, precision, apart)
    for below, load in pairwise([0.0, *loads_below(highest)]):
        if load and not passes(load):
            return _bisected(passes, below, load, precision, FAR)
    return highest


def _bisected(passes: Callable[[float], bool], low: float, high: float, precision: float, apart: float) -> float:
    """Return the load between `low`, which passes or is 0, and `high`, which fails, up to which all pass."""
    while high > LEAST_LOAD and (low == 0 or high / low > 1 + precision):
        middle = 0.5 * (low + high) if low else max(high / apart, LEAST_LOAD)
        if passes(middle):
            low = middle
        else:
            high = middle
    return low
