"""Rules that choose among the places where a workload fits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from jouleproof.errors import UserError


@dataclass(frozen=True)
class Rule:
    """Weights of the features of a place with the workload in it, each over the place's budget; the lowest sum wins.

    left: power left at the peak. rise: rise of the peak. above_mean: height of the peak above the mean. Among equals,
    the first wins; with `scattered`, the first in an order that is drawn for each event.
    """

    left: float = 0.0
    rise: float = 0.0
    above_mean: float = 0.0
    scattered: bool = False

    def __post_init__(self) -> None:
        for name in ("left", "rise", "above_mean"):
            weight = getattr(self, name)
            if not isinstance(weight, int | float) or not math.isfinite(weight):
                raise UserError(f"rule: {name} must be a finite number, got {weight!r:.60}")


RULES: Mapping[str, Rule] = {
    "random": Rule(scattered=True),  # any place where it fits
    "best_fit": Rule(left=1.0),  # the fullest place
    "spread": Rule(left=-1.0),  # the emptiest
    "asynchrony": Rule(left=-0.05, rise=1.0),  # where the peak rises least; among equals, the emptiest
}
