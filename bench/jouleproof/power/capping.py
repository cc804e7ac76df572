"""A row of servers under a controller, sample by sample."""

from dataclasses import dataclass

import numpy as np

from jouleproof.power.controllers import Controller
from jouleproof.power.kernels import controlled
from jouleproof.power.time_grid import SAMPLE_S

CLOCK_POWER = (
    1.5  # power above idle goes with this power of the clock: an assumption, between 1 (leakage) and 3 (voltage)
)
CATCH_UP = 0.1  # of what there is to do, with which undone work is made up on top: an assumption
BRAKE_CLOCK = 288 / 1410
BRAKE_DELAY_S = 6  # the source: 5 to 10 s


@dataclass(frozen=True)
class Controlled:
    """One row under a controller. peak_w: (slots,) highest sample of each. brakes: how often all were braked. clocks,
    shares: by priority (low, high) and level, the clock and the share of server-time at it. energy_j. lost: share of
    the work that slower clocks left undone at the end of the time. bound_by_clock: share of a request's time that goes
    with the inverse of the clock."""

    peak_w: np.ndarray
    brakes: int
    clocks: np.ndarray
    shares: np.ndarray
    energy_j: float
    lost: float
    bound_by_clock: float

    def slowed_minutes(self, priority: int) -> float:
        """A day, of a server of that priority (high: 1)."""
        return float(self.shares[priority][self.clocks[priority] < 1].sum()) * 24 * 60

    def latency_factor(self, priority: int, percentile: float) -> float:
        """Time of a request over its time at the highest clock, at a percentile of the server-time."""
        order = np.argsort(-self.clocks[priority])
        reached = np.cumsum(self.shares[priority][order])
        at = int(np.searchsorted(reached, percentile / 100 * reached[-1] - 1e-12))
        return float(slower(self.clocks[priority][order][min(at, len(order) - 1)], self.bound_by_clock))


def slower(clock: np.ndarray, bound_by_clock: float) -> np.ndarray:
    """Time of a request over its time at the highest clock."""
    return 1 + bound_by_clock * (1 / clock - 1)


def run(
    watts: np.ndarray, pieces: tuple[np.ndarray, np.ndarray, np.ndarray], offset: np.ndarray, critical: np.ndarray,
    budget_w: float, idle_w: float, most_w: float, controller: Controller,
    bound_by_clock: float, catch_up: float = CATCH_UP,
) -> Controlled:  # fmt: skip
    """watts: (servers, slots) means of five minutes, of the servers of one row. pieces, offset: their textures."""
    clocks = np.array([[1.0, controller.low, controller.lower, BRAKE_CLOCK], [1.0, 1.0, controller.high, BRAKE_CLOCK]])
    reads = max(controller.reads_s // SAMPLE_S, 1)
    peak, brakes, time, energy, lost, asked = controlled(
        watts.astype(np.float64), *pieces, offset, critical, budget_w, idle_w, most_w,
        np.array([controller.first, controller.second, controller.release]), clocks**CLOCK_POWER,
        slower(clocks, bound_by_clock),
        catch_up,
        reads, controller.acts_s // SAMPLE_S, BRAKE_DELAY_S // SAMPLE_S,
    )  # fmt: skip
    return Controlled(peak, int(brakes), clocks, time / time.sum(axis=1, keepdims=True).clip(1), energy * SAMPLE_S,
                      lost / max(asked, 1e-9), bound_by_clock)  # fmt: skip
