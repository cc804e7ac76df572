"""Which clusters are compared: kinds of design, what they may cost and draw, and the pools that serve most."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from jouleproof.serving.simulator.machines import MACHINES, Design

A100, H100, H100_CAPPED = "dgx-a100", "dgx-h100", "dgx-h100-pcap"


@dataclass(frozen=True)
class Family:
    """Designs that differ in their pools alone. token: none where the phases run together."""

    name: str
    prompt: str
    token: str | None = None

    def design(self, prompt: int, token: int = 0) -> Design:
        if self.token is None:
            return Design(self.name, "together", (self.prompt, prompt))
        return Design(self.name, "split", (self.prompt, prompt), (self.token, token))


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family("baseline_a100", A100),
        Family("baseline_h100", H100),
        Family("splitwise_aa", A100, A100),
        Family("splitwise_hh", H100, H100),
        Family("splitwise_ha", H100, A100),
        Family("splitwise_hhcap", H100, H100_CAPPED),
    )
}
SPLIT = tuple(name for name, family in FAMILIES.items() if family.token)

# Pools of the published notebooks: (prompt, token) machines at the power of 40 H100 machines.
PUBLISHED_POOLS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "conv": {
        "baseline_a100": (70, 0), "baseline_h100": (40, 0), "splitwise_aa": (45, 25),
        "splitwise_hh": (25, 15), "splitwise_ha": (25, 26), "splitwise_hhcap": (25, 21),
    },
    "code": {
        "baseline_a100": (70, 0), "baseline_h100": (40, 0), "splitwise_aa": (55, 15),
        "splitwise_hh": (35, 5), "splitwise_ha": (35, 8), "splitwise_hhcap": (35, 7),
    },
}  # fmt: skip
# The same for Splitwise-AA at the price of 40 H100 machines.
PUBLISHED_POOLS_AT_PRICE: Mapping[str, tuple[int, int]] = {"conv": (51, 35), "code": (66, 20)}


@dataclass(frozen=True)
class Prices:
    """h100: of an H100 machine over that of an A100 machine."""

    h100: float = MACHINES[H100].price / MACHINES[A100].price

    def of(self, machine: str) -> float:
        return MACHINES[A100].price * (1.0 if machine == A100 else self.h100)

    def of_design(self, design: Design) -> float:
        return sum(self.of(machine.name) * count for machine, count in design.pools)


@dataclass(frozen=True)
class Budget:
    """What a cluster may cost, and draw at most."""

    price: float
    power: float

    def token_machines(self, family: Family, prompt: int, prices: Prices) -> int:
        """The most that fit beside so many prompt machines; negative where those alone do not fit."""
        if family.token is None:
            raise ValueError(f"{family.name} has no token machines")
        left_price = self.price - prompt * prices.of(family.prompt)
        left_power = self.power - prompt * MACHINES[family.prompt].power
        count = min(left_price / prices.of(family.token), left_power / MACHINES[family.token].power)
        return int(count + 1e-9) if count >= 0 else -1


def pools(family: Family, budget: Budget, prices: Prices, step: float) -> Iterator[tuple[int, int]]:
    """(prompt, token) machines that use a budget up; prompt counts `step` apart, as a share of the most that fit."""
    most = most_prompt_machines(family, budget, prices)
    for prompt in dict.fromkeys(max(1, round(most * step * number)) for number in range(1, int(1 / step) + 1)):
        token = budget.token_machines(family, prompt, prices)
        if token >= 1:
            yield prompt, token


def most_prompt_machines(family: Family, budget: Budget, prices: Prices) -> int:
    """That leave room for a token machine."""
    return next(count for count in itertools.count() if budget.token_machines(family, count + 1, prices) < 1)


def best_pools(
    family: Family, budget: Budget, prices: Prices, step: float, load: Callable[[Design, float], float]
) -> tuple[Design, float]:
    """The pools that bear the most load under a budget: of some that lie `step` apart, then of those between the best
    and its neighbours, halving the distance down to one machine.

    load: the most that a design bears, given one that it has to beat; 0 where it does not. Raises ValueError where no
    pools fit.
    """
    best: tuple[Design, float] | None = None

    def offer(prompt: int) -> None:
        nonlocal best
        token = budget.token_machines(family, prompt, prices)
        if prompt >= 1 and token >= 1:
            design = family.design(prompt, token)
            found = load(design, best[1] if best else 0.0)
            if best is None or found > best[1]:
                best = design, found

    for prompt, _ in sorted(pools(family, budget, prices, step), key=lambda pool: abs(pool[0] - 1.5 * pool[1])):
        offer(prompt)
    if best is None:
        raise ValueError(f"no pools of {family.name} fit a price of {budget.price} and a power of {budget.power}")
    _refine(offer, lambda: best[0].prompt[1], round(most_prompt_machines(family, budget, prices) * step / 2))
    return best


def least_pools(
    family: Family, most: int, step: float, weigh: Callable[[Design], float], bears: Callable[[Design], bool]
) -> Design:
    """The pools that weigh least (cost, draw) and still bear a load: prompt counts first `step` apart, as a share of
    `most` machines in all, then refined; for each the fewest token machines, by bisection.

    Raises ValueError where none bear it.
    """
    best: Design | None = None

    def fewest(prompt: int, enough: int) -> int:
        too_few = 0
        while enough - too_few > 1:
            middle = (too_few + enough) // 2
            if bears(family.design(prompt, middle)):
                enough = middle
            else:
                too_few = middle
        return enough

    def offer(prompt: int) -> None:
        nonlocal best
        fitting = [
            token
            for token in range(1, most - prompt + 1)
            if best is None or weigh(family.design(prompt, token)) < weigh(best)
        ]
        if prompt >= 1 and fitting and bears(family.design(prompt, fitting[-1])):
            best = family.design(prompt, fewest(prompt, fitting[-1]))

    for prompt in sorted((round(most * step * number) for number in range(1, int(1 / step) + 1)), reverse=True):
        offer(prompt)
    if best is None:
        raise ValueError(f"no {most} machines of {family.name} bear the load")
    _refine(offer, lambda: best.prompt[1], round(most * step / 2))
    return best


def _refine(offer: Callable[[int], None], around: Callable[[], int], apart: int) -> None:
    """Offers what lies on both sides of the best, halving the distance."""
    while apart >= 1:
        middle = around()
        offer(middle - apart)
        offer(middle + apart)
        apart //= 2
