"""Compiled loops that place workloads one after another, and compute the power of the nodes of a power domain tree."""

import numpy as np

from jouleproof.kernels import njit

NOWHERE = -1
BLOCK = 24  # slots between checks whether a place is too full


@njit(cache=True)
def place_all(workload, comes, demand, parent, budget, servers, order, weights):
    """Assign each workload to a leaf, or to NOWHERE.

    workload, comes: (events,) workloads in order, and whether they arrive or leave. demand: (workloads, slots) watts.
    parent, budget, servers: of the nodes of the tree. order: (one or more, leaves), orders that events use in turn.
    weights: of three features of a place where the workload fits, each over the place's budget: the power left at the
    peak, the rise of the peak, and the height of the peak above the mean. The lowest sum wins; among equals, the first
    in the order.
    """
    slots = demand.shape[1]
    committed = np.zeros((len(parent), slots))
    peak = np.zeros(len(parent))
    held = np.zeros(len(parent), np.int64)
    home = np.full(len(demand), NOWHERE)
    for event in range(len(workload)):
        moved = workload[event]
        watts = demand[moved]
        node = home[moved]
        if comes[event]:
            places = order[event % len(order)]
            node = _best(watts, committed, peak, held, parent, budget, servers, places, weights)
            home[moved] = node
        if node == NOWHERE:
            continue
        sign = 1 if comes[event] else -1
        held[node] += sign
        while node >= 0:
            highest = 0.0
            for slot in range(slots):
                committed[node, slot] += sign * watts[slot]
                highest = max(highest, committed[node, slot])
            peak[node] = highest
            node = parent[node]
    return home


@njit(cache=True)
def _best(watts, committed, peak, held, parent, budget, servers, places, weights):
    best, least = NOWHERE, np.inf
    slots = len(watts)
    for place in places:
        if held[place] >= servers[place]:
            continue
        highest, total = 0.0, 0.0
        for begin in range(0, slots, BLOCK):
            for slot in range(begin, min(begin + BLOCK, slots)):
                value = committed[place, slot] + watts[slot]
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
        if cost < least and _fits_above(watts, committed, parent, budget, place):
            best, least = place, cost
    return best


@njit(cache=True)
def _fits_above(watts, committed, parent, budget, place):
    node = parent[place]
    while node >= 0:
        for slot in range(len(watts)):
            if committed[node, slot] + watts[slot] > budget[node]:
                return False
        node = parent[node]
    return True


@njit(cache=True)
def node_power(home, first, last, watts, parent):
    """Return (nodes, slots) watts of the workloads while they are present."""
    total = np.zeros((len(parent), watts.shape[1]))
    for workload in range(len(home)):
        node = home[workload]
        while node >= 0:
            for slot in range(first[workload], last[workload]):
                total[node, slot] += watts[workload, slot]
            node = parent[node]
    return total
