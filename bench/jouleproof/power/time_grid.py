"""The time grid of power: means of five minutes, and samples of two seconds within them."""

import numpy as np
from numpy.typing import ArrayLike

SLOT_S = 300
SAMPLE_S = 2
SAMPLES = SLOT_S // SAMPLE_S  # of a slot
DAY = 24 * 3600 // SLOT_S  # slots
WEEK = 7 * DAY
OFF_GRID = 0.01  # share of a step by which a time may miss its grid, as binary fractions and rounded decimals do


def whole(steps: ArrayLike) -> np.ndarray:
    """Whether numbers of steps are whole ones, but for rounding: 300 / 0.1 is. False for NaN."""
    return np.abs(np.asarray(steps) - np.rint(steps)) <= OFF_GRID
