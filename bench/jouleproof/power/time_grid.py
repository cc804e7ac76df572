"""The time grid of power: means of five minutes, and samples of two seconds within them; and means over other bins."""

import numpy as np

SLOT_S = 300
SAMPLE_S = 2
SAMPLES = SLOT_S // SAMPLE_S  # of a slot
DAY = 24 * 3600 // SLOT_S  # slots
WEEK = 7 * DAY


def watts_by_bin(at_work: np.ndarray, idle_w: np.ndarray, bin_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (machines, bins) mean W of machines in bins of time, and the seconds for which they are idle.

    at_work: (machines, bins, 4) joules of two phases, then seconds in them. idle_w: (machines,).
    """
    idle_s = bin_s - at_work[:, :, 2:].sum(axis=2)
    return (at_work[:, :, :2].sum(axis=2) + idle_s * idle_w[:, None]) / bin_s, idle_s
