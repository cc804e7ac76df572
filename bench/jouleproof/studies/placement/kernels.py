"""The compiled loops: placing workloads one after the other, and what the nodes of a tree of power then draw."""

import numpy as np
from numba import njit

NOWHERE = -1
BLOCK = 24  # slots between two looks at whether a place is too full


@njit(cache=True)
def placed(who, comes, demand, parent, budget, room, order, weights):
    """Where each workload goes: the number of a leaf, or NOWHERE.

    who, comes: workloads in the order of what happens, and whether they come or go. demand: (workloads, slots) watts.
    order: (one or more, leaves), taken in turn by events. weights: of three
    features of a place where it fits, all over the place's budget: what is left at the peak, how much the peak rises,
    and how far it lies above the mean. The least sum wins, the first in the order of those alike.
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
            node = _best(told, committed, peak, held, parent, budget, room, order[event % len(order)], weights)
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
