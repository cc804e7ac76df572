"""Published controllers that slow servers where a row nears its power budget."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jouleproof.errors import UserError


@dataclass(frozen=True)
class Controller:
    """A power-capping controller of a row. Thresholds are shares of the row's budget, clocks are shares of the highest.

    Above `first`, servers of low priority run at `low`; above `second`, they run at `lower` and those of high priority
    at `high`; each step is undone at `release` below its threshold. Above 1, all servers are braked. reads_s: interval
    between readings of the row's power, each the mean since the last one. acts_s: delay until a decision takes effect.
    source: where the numbers come from.
    """

    first: float = np.inf
    second: float = np.inf
    low: float = 1.0
    lower: float = 1.0
    high: float = 1.0
    release: float = 0.05
    reads_s: int = 2
    acts_s: int = 40
    source: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.second:
            raise UserError(f"controller: expected 0 < first <= second, got {self.first} and {self.second}")
        if not all(0 < clock <= 1 for clock in (self.low, self.lower, self.high)):
            raise UserError(
                f"controller: clocks must be above 0 and at most 1, got {self.low}, {self.lower}, {self.high}"
            )
        if not 0 <= self.release < self.first or self.reads_s < 1 or self.acts_s < 0:
            raise UserError(
                "controller: release must be at least 0 and below first, reads_s at least 1, acts_s at least 0, "
                f"got {self.release}, {self.reads_s}, {self.acts_s}"
            )


CONTROLLERS: Mapping[str, Controller] = {
    "none": Controller(source="the brake alone"),
    "polca": Controller(
        first=0.80,
        second=0.89,
        low=1275 / 1410,
        lower=1110 / 1410,
        high=1305 / 1410,
        source="POLCA, ASPLOS 2024; thresholds and clocks not checked against it",
    ),
    "three_band": Controller(
        first=0.95,
        second=0.99,
        low=0.9,
        lower=0.75,
        high=0.9,
        reads_s=3,
        acts_s=9,
        source="Dynamo, ISCA 2016; bands not checked against it, levels of clocks assumed",
    ),
}
