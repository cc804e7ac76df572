"""Compiled loops over samples of power: the sum of several servers, and a row under a controller."""

from typing import NamedTuple

import numpy as np

from jouleproof.kernels import njit

FREE, FIRST, SECOND, BRAKED = range(LEVELS := 4)  # levels of slowing down
NO_ORDER = -1


class Pieces(NamedTuple):
    """The power variations of workloads within five minutes.

    watts: (pieces, samples), with a mean of 0. first, length: (workloads,) index of a workload's first piece, and
    number of pieces that it goes through, slot by slot. ahead: (workloads,) slots by which it is ahead of the others.
    """

    watts: np.ndarray
    first: np.ndarray
    length: np.ndarray
    ahead: np.ndarray

    def of(self, chosen: np.ndarray) -> "Pieces":
        """Return the pieces of some of the workloads, in this order."""
        return Pieces(self.watts, self.first[chosen], self.length[chosen], self.ahead[chosen])


class RowControl(NamedTuple):
    """The control settings of a row, with times in samples; jouleproof.power.controllers.Controller explains them.

    idle_w, most_w: of a server. power, slowdown: (priorities, LEVELS) factors on the power above idle and on the time
    that work takes. catch_up: share of the current work that is done on top to make up for undone work.
    """

    budget_w: float
    idle_w: float
    most_w: float
    first: float
    second: float
    release: float
    power: np.ndarray
    slowdown: np.ndarray
    catch_up: float
    reads: int
    acts: int
    brake_acts: int


@njit(cache=True)
def add_samples(servers, watts, pieces, idle_w, most_w, out):
    """Write the total watts of some servers into out, (slots, samples): five-minute means plus textures, with each
    server kept between its idle and its highest power."""
    out[:] = 0.0
    for slot in range(watts.shape[1]):
        for server in servers:
            mean_w = watts[server, slot]
            if mean_w <= 0.0:
                continue
            number = pieces.first[server] + (pieces.ahead[server] + slot) % pieces.length[server]
            for sample in range(pieces.watts.shape[1]):
                out[slot, sample] += min(max(mean_w + pieces.watts[number, sample], idle_w), most_w)


@njit(cache=True)
def cap_row(watts, pieces, critical, control):
    """Simulate a row under a controller; a server with 0 W in a slot is absent.

    An order takes effect after its delay, whatever is read in the meantime, unless a later order with a shorter delay
    (the brake) supersedes it. Work that a slower clock leaves undone is made up for later, within a server's highest
    power. Returns the highest sample of each slot, brakes, samples by priority and level, and sums of power, of lost
    work and of requested work.
    """
    idle_w, most_w = control.idle_w, control.most_w
    peak, time, backlog = np.zeros(watts.shape[1]), np.zeros((2, LEVELS)), np.zeros(len(watts))
    orders = np.full(
        max(control.acts, control.brake_acts) + 1, NO_ORDER
    )  # a ring: the order that takes effect at a sample
    level, ordered, now, brakes = FREE, FREE, 0, 0
    energy, asked = 0.0, 0.0
    read, number = 0.0, 0
    for slot in range(watts.shape[1]):
        piece = pieces.first + (pieces.ahead + slot) % pieces.length
        for sample in range(pieces.watts.shape[1]):
            now = (now + 1) % len(orders)
            if orders[now] != NO_ORDER:
                brakes += orders[now] == BRAKED and level != BRAKED
                level = orders[now]
                orders[now] = NO_ORDER
            row = 0.0
            for server in range(len(watts)):
                if watts[server, slot] <= 0.0:
                    continue
                asked_w = watts[server, slot] + pieces.watts[piece[server], sample]
                busy = min(max(asked_w - idle_w, 0.0), most_w - idle_w)
                asked += busy
                priority = 1 if critical[server] else 0
                time[priority, level] += 1
                slowdown = control.slowdown[priority, level]
                if slowdown > 1.0:
                    backlog[server] += busy * (1.0 - 1.0 / slowdown)
                    row += idle_w + busy * control.power[priority, level]
                else:
                    more = min(backlog[server], control.catch_up * busy, most_w - idle_w - busy)
                    backlog[server] -= more
                    row += idle_w + busy + more
            peak[slot] = max(peak[slot], row)
            energy += row
            read += row
            number += 1
            if number == control.reads:
                share = read / number / control.budget_w
                read, number = 0.0, 0
                wanted = _wanted(share, ordered, control.first, control.second, control.release)
                if wanted != ordered:
                    ordered = wanted
                    _give_order(orders, now, wanted, control.brake_acts if wanted == BRAKED else control.acts)
    return peak, brakes, time, energy, backlog.sum(), asked


@njit(cache=True)
def _wanted(share, ordered, first, second, release):
    """Return the level that a reading, as a share of the budget, calls for, given the level that was ordered last."""
    wanted = ordered
    if share >= 1.0:
        wanted = BRAKED
    elif share >= second:
        wanted = max(ordered, SECOND)
    elif share >= first:
        wanted = max(ordered, FIRST)
    if wanted != ordered:
        return wanted
    if ordered == BRAKED and share < second - release:
        return SECOND if np.isfinite(second) else FREE
    if ordered == SECOND and share < second - release:
        return FIRST
    if ordered == FIRST and share < first - release:
        return FREE
    return ordered


@njit(cache=True)
def _give_order(orders, now, level, delay):
    """Give an order and cancel those that would take effect later."""
    delay = max(delay, 1)
    for later in range(delay, len(orders)):
        orders[(now + later) % len(orders)] = NO_ORDER
    orders[(now + delay) % len(orders)] = level
