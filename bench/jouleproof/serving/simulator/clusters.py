"""The clusters to compare: families of designs, and limits on their price and power."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jouleproof.serving.simulator.machines import MACHINES, Design

A100, H100, H100_CAPPED = "dgx-a100", "dgx-h100", "dgx-h100-pcap"
UNLIMITED = 1e12  # as a price or a power


@dataclass(frozen=True)
class Family:
    """Designs that differ only in the sizes of their pools. prompt, token: machines; token is None if the phases
    run together."""

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
        "baseline_a100": (70, 0),
        "baseline_h100": (40, 0),
        "splitwise_aa": (45, 25),
        "splitwise_hh": (25, 15),
        "splitwise_ha": (25, 26),
        "splitwise_hhcap": (25, 21),
    },
    "code": {
        "baseline_a100": (70, 0),
        "baseline_h100": (40, 0),
        "splitwise_aa": (55, 15),
        "splitwise_hh": (35, 5),
        "splitwise_ha": (35, 8),
        "splitwise_hhcap": (35, 7),
    },
}
# The same for Splitwise-AA at the price of 40 H100 machines.
PUBLISHED_POOLS_AT_PRICE: Mapping[str, tuple[int, int]] = {"conv": (51, 35), "code": (66, 20)}


@dataclass(frozen=True)
class Prices:
    """Prices of machines. h100: ratio of an H100 machine's price to an A100 machine's."""

    h100: float = MACHINES[H100].price / MACHINES[A100].price

    def of(self, machine: str) -> float:
        return MACHINES[A100].price * (1.0 if machine == A100 else self.h100)

    def of_design(self, design: Design) -> float:
        return sum(self.of(machine.name) * count for machine, count in design.pools)


@dataclass(frozen=True)
class Budget:
    """The highest price and power of a cluster, in the units of Machine."""

    price: float
    power: float
    prices: Prices = field(default_factory=Prices)

    def token_machines(self, family: Family, prompt: int) -> int:
        """Return the most token machines that fit in addition to the prompt machines; -1 if those alone do not fit."""
        if family.token is None:
            raise ValueError(f"{family.name} has no token machines")
        left_price = self.price - prompt * self.prices.of(family.prompt)
        left_power = self.power - prompt * MACHINES[family.prompt].power
        count = min(left_price / self.prices.of(family.token), left_power / MACHINES[family.token].power)
        return int(count + 1e-9) if count >= 0 else -1


def pools(family: Family, budget: Budget, step: float) -> Iterator[tuple[int, int]]:
    """Yield numbers of (prompt, token) machines that use up a budget. step: distance between numbers of prompt
    machines, as a share of the most that fit."""
    most = most_prompt_machines(family, budget)
    for prompt in dict.fromkeys(max(1, round(most * step * number)) for number in range(1, int(1 / step) + 1)):
        token = budget.token_machines(family, prompt)
        if token >= 1:
            yield prompt, token


def most_prompt_machines(family: Family, budget: Budget) -> int:
    """Return the most prompt machines that leave room for a token machine."""
    return next(count for count in itertools.count() if budget.token_machines(family, count + 1) < 1)
