"""Controllers that slow servers where a row nears its budget, as published."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Controller:
    """Of a row. Shares are of its budget, clocks of the highest.

    Above `first` servers of low priority run at `low`, above `second` at `lower` and those of high priority at `high`;
    each is undone `release` below its threshold. Above 1 all are braked. reads_s: how often the row's power is read,
    which is then its mean since the last time. acts_s: until what was decided is done. source: of the numbers.
    """

    first: float
    second: float
    low: float
    lower: float
    high: float
    release: float
    reads_s: int
    acts_s: int
    source: str


CONTROLLERS: Mapping[str, Controller] = {
    "none": Controller(np.inf, np.inf, 1.0, 1.0, 1.0, 0.05, 2, 40, "nothing but the brake"),
    "polca": Controller(0.80, 0.89, 1275 / 1410, 1110 / 1410, 1305 / 1410, 0.05, 2, 40,
                        "POLCA, ASPLOS 2024, thresholds and clocks from memory"),
    "three_band": Controller(0.95, 0.99, 0.9, 0.75, 0.9, 0.05, 3, 9,
                             "Dynamo, ISCA 2016, bands from memory; its levels of clocks are assumed"),
}  # fmt: skip
