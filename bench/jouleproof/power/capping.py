"""Simulation of power capping: a row of servers under a controller, sample by sample."""

from dataclasses import dataclass

import numpy as np

from jouleproof.power.controllers import Controller
from jouleproof.power.kernels import Pieces, RowControl, cap_row
from jouleproof.power.time_grid import SAMPLE_S
from jouleproof.power.workloads import Fleet

# Power above idle scales with the clock to this exponent: an assumption, between 1 (leakage) and 3 (voltage).
CLOCK_POWER = 1.5
CATCH_UP = 0.1  # share of the current work, done on top to make up for undone work: an assumption
BRAKE_CLOCK = 288 / 1410
BRAKE_DELAY_S = 6  # the source says 5 to 10 s
PRIORITIES = ("low", "high")


@dataclass(frozen=True)
class CappedRow:
    """The result of simulating a row under a controller. peak_w: (slots,) highest sample of each slot. brakes: number
    of times that all servers were braked. clocks, shares: (priorities, levels) clocks, and shares of server-time spent
    at them. energy_j: of the row. lost: share of the work that slower clocks left undone at the end. bound_by_clock:
    share of a request's time that scales with the inverse of the clock."""

    peak_w: np.ndarray
    brakes: int
    clocks: np.ndarray
    shares: np.ndarray
    energy_j: float
    lost: float
    bound_by_clock: float

    def slowed(self, priority: int) -> float:
        """Return the share of time for which servers of a priority run at a slower clock."""
        return float(self.shares[priority][self.clocks[priority] < 1].sum())

    def latency_factor(self, priority: int, percentile: float) -> float:
        """Return a percentile over server-time of the time of a request over its time at the highest clock."""
        order = np.argsort(-self.clocks[priority])
        reached = np.cumsum(self.shares[priority][order])
        at = int(np.searchsorted(reached, percentile / 100 * reached[-1] - 1e-12))
        return float(slowdown(self.clocks[priority][order][min(at, len(order) - 1)], self.bound_by_clock))


def slowdown(clock: np.ndarray, bound_by_clock: float) -> np.ndarray:
    """Return the time of a request over its time at the highest clock."""
    return 1 + bound_by_clock * (1 / clock - 1)


def simulate(
    row: Fleet,
    pieces: Pieces,
    budget_w: float,
    controller: Controller,
    bound_by_clock: float = 1.0,
    catch_up: float = CATCH_UP,
) -> CappedRow:
    """Simulate a row under a controller. row: its servers; one with 0 W in a slot is absent."""
    clocks = np.array([[1.0, controller.low, controller.lower, BRAKE_CLOCK], [1.0, 1.0, controller.high, BRAKE_CLOCK]])
    control = RowControl(
        budget_w=float(budget_w),
        idle_w=float(row.idle_w),
        most_w=float(row.most_w),
        first=float(controller.first),
        second=float(controller.second),
        release=float(controller.release),
        power=clocks**CLOCK_POWER,
        slowdown=slowdown(clocks, bound_by_clock),
        catch_up=float(catch_up),
        reads=max(controller.reads_s // SAMPLE_S, 1),
        acts=controller.acts_s // SAMPLE_S,
        brake_acts=BRAKE_DELAY_S // SAMPLE_S,
    )
    peak, brakes, time, energy, lost, asked = cap_row(row.watts.astype(np.float64), pieces, row.critical, control)
    return CappedRow(
        peak_w=peak,
        brakes=int(brakes),
        clocks=clocks,
        shares=time / time.sum(axis=1, keepdims=True).clip(1),
        energy_j=energy * SAMPLE_S,
        lost=lost / max(asked, 1e-9),
        bound_by_clock=bound_by_clock,
    )
