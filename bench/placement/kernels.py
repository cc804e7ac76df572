"""The compiled loops: placing workloads one after the other, and what the nodes of a tree of power then draw."""

import numpy as np
from numba import njit

NOWHERE = -1
BLOCK = 24  # slots between two looks at whether a place is too full


@njit(cache=True)
def placed(who, comes, demand, parent, budget, room, order, weights):
    """Where each workload goes: the number of a leaf, or NOWHERE.

    who, comes: workloads in the order of what happens, and whether they come or go. demand: (workloads, slots) watts.
    order: the leaves. weights: of three features of a place where it fits, all over the place's budget: what is left
    at the peak, how much the peak rises, and how far it lies above the mean. The least sum wins, the first in `order`
    of those alike.
    """
    slots = demand.shape[1]
    committed = np.zeros((len(parent), slots))
    peak = np.zeros(len(parent))
    held = np.zeros(len(parent), np.int64)
    home = np.full(len(demand), NOWHERE)
    for event in range(len(who)):
        one = who[event]
        told = demand[one]
        node = home[one]
        if comes[event]:
            node = _best(told, committed, peak, held, parent, budget, room, order, weights)
            home[one] = node
        if node == NOWHERE:
            continue
        sign = 1 if comes[event] else -1
        held[node] += sign
        while node >= 0:
            highest = 0.0
            for slot in range(slots):
                committed[node, slot] += sign * told[slot]
                highest = max(highest, committed[node, slot])
            peak[node] = highest
            node = parent[node]
    return home


@njit(cache=True)
def _best(told, committed, peak, held, parent, budget, room, order, weights):
    best, least = NOWHERE, np.inf
    slots = len(told)
    for place in order:
        if held[place] >= room[place]:
            continue
        highest, total = 0.0, 0.0
        for begin in range(0, slots, BLOCK):
            for slot in range(begin, min(begin + BLOCK, slots)):
                value = committed[place, slot] + told[slot]
                highest = max(highest, value)
                total += value
            if highest > budget[place]:
                break
        if highest > budget[place]:
            continue
        cost = (
            weights[0] * (budget[place] - highest)
            + weights[1] * (highest - peak[place])
            + weights[2] * (highest - total / slots)
        ) / budget[place]
        if cost < least and _fits_above(told, committed, parent, budget, place):
            best, least = place, cost
    return best


@njit(cache=True)
def _fits_above(told, committed, parent, budget, place):
    node = parent[place]
    while node >= 0:
        for slot in range(len(told)):
            if committed[node, slot] + told[slot] > budget[node]:
                return False
        node = parent[node]
    return True


@njit(cache=True)
def drawn(home, first, last, watts, parent):
    """(nodes, slots) watts of the workloads while they are there."""
    total = np.zeros((len(parent), watts.shape[1]))
    for one in range(len(home)):
        node = home[one]
        while node >= 0:
            for slot in range(first[one], last[one]):
                total[node, slot] += watts[one, slot]
            node = parent[node]
    return total


@njit(cache=True)
def fast(servers, watts, pieces, begin, count, offset, idle_w, out):
    """Into out, (slots, samples): watts of some servers together, five-minute means with their textures."""
    samples = pieces.shape[1]
    for slot in range(watts.shape[1]):
        for sample in range(samples):
            out[slot, sample] = 0.0
        for one in servers:
            if watts[one, slot] <= 0.0:
                continue
            piece = pieces[begin[one] + (offset[one] + slot) % count[one]]
            for sample in range(samples):
                out[slot, sample] += max(watts[one, slot] + piece[sample], idle_w)


@njit(cache=True)
def controlled(
    watts, pieces, begin, count, offset, critical, budget, idle_w, limits, clocks, powers, reads, acts, brake_acts
):
    """A row under a controller (bench.placement.capping.Controller); 0 W of a server in a slot: it is not there.

    Work that a slower clock leaves undone is done later, at most a tenth of a server's power on top. Returns the
    highest sample of each slot, brakes, samples by priority and level, sums of power, of work lost and asked for.
    """
    samples = pieces.shape[1]
    peak = np.zeros(watts.shape[1])
    time = np.zeros((2, 4))
    backlog = np.zeros(len(watts))
    level, wanted, due = 0, 0, 0
    brakes, energy, asked = 0, 0.0, 0.0
    read, number = 0.0, 0
    for slot in range(watts.shape[1]):
        for sample in range(samples):
            if wanted != level:
                due -= 1
                if due <= 0:
                    brakes += wanted == 3
                    level = wanted
            row = 0.0
            for one in range(len(watts)):
                if watts[one, slot] <= 0.0:
                    continue
                piece = pieces[begin[one] + (offset[one] + slot) % count[one], sample]
                busy = max(watts[one, slot] + piece - idle_w, 0.0)
                asked += busy
                rank = 1 if critical[one] else 0
                time[rank, level] += 1
                clock = clocks[rank, level]
                if clock < 1.0:
                    backlog[one] += busy * (1.0 - clock)
                    row += idle_w + busy * powers[rank, level]
                else:
                    more = min(backlog[one], 0.1 * idle_w)
                    backlog[one] -= more
                    row += idle_w + busy + more
            peak[slot] = max(peak[slot], row)
            energy += row
            read += row
            number += 1
            if number == reads:
                share = read / number / budget
                read, number = 0.0, 0
                aim = level
                if share >= 1.0:
                    aim = 3
                elif share >= limits[1]:
                    aim = max(level, 2)
                elif share >= limits[0]:
                    aim = max(level, 1)
                if aim == level and level == 3 and share < limits[1] - limits[2]:
                    aim = 2 if np.isfinite(limits[1]) else 0
                if aim == level and level == 2 and share < limits[1] - limits[2]:
                    aim = 1
                if aim == level and level == 1 and share < limits[0] - limits[2]:
                    aim = 0
                if aim != wanted:
                    if aim > wanted or wanted == level:
                        due = brake_acts if aim == 3 else acts
                    wanted = aim
    return peak, brakes, time, energy, backlog.sum(), asked
