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


@njit(cache=True)
def fast(servers, watts, pieces, begin, count, offset, idle_w, most_w, out):
    """Into out, (slots, samples): watts of some servers together, five-minute means with their textures, each between
    what a server draws idle and at its most."""
    samples = pieces.shape[1]
    for slot in range(watts.shape[1]):
        for sample in range(samples):
            out[slot, sample] = 0.0
        for one in servers:
            if watts[one, slot] <= 0.0:
                continue
            piece = pieces[begin[one] + (offset[one] + slot) % count[one]]
            for sample in range(samples):
                out[slot, sample] += min(max(watts[one, slot] + piece[sample], idle_w), most_w)


@njit(cache=True)
def controlled(
    watts,
    pieces,
    begin,
    count,
    offset,
    critical,
    budget,
    idle_w,
    most_w,
    limits,
    powers,
    slower,
    catch_up,
    reads,
    acts,
    brake_acts,
):
    """A row under a controller (bench.placement.capping.Controller); 0 W of a server in a slot: it is not there.
    powers, slower: by priority and level, of power above idle, and of the time that work takes.

    An order takes effect after its delay, whatever is read meanwhile, and one that is given later but takes effect
    earlier (the brake) supersedes it. Work that a slower clock leaves undone is done later, with at most that share
    (catch_up) of what there is to do on top, and never more than a server can draw. Returns the highest sample of each
    slot, brakes, samples by priority and level, sums of power, of work lost and asked for.
    """
    samples = pieces.shape[1]
    peak = np.zeros(watts.shape[1])
    time = np.zeros((2, 4))
    backlog = np.zeros(len(watts))
    level, ordered = 0, 0
    orders = np.full(max(acts, brake_acts) + 1, -1)  # a ring: what takes effect at which sample
    now = 0
    brakes, energy, asked = 0, 0.0, 0.0
    read, number = 0.0, 0
    for slot in range(watts.shape[1]):
        for sample in range(samples):
            now = (now + 1) % len(orders)
            if orders[now] >= 0:
                brakes += orders[now] == 3 and level != 3
                level = orders[now]
                orders[now] = -1
            row = 0.0
            for one in range(len(watts)):
                if watts[one, slot] <= 0.0:
                    continue
                piece = pieces[begin[one] + (offset[one] + slot) % count[one], sample]
                busy = min(max(watts[one, slot] + piece - idle_w, 0.0), most_w - idle_w)
                asked += busy
                rank = 1 if critical[one] else 0
                time[rank, level] += 1
                if slower[rank, level] > 1.0:
                    backlog[one] += busy * (1.0 - 1.0 / slower[rank, level])
                    row += idle_w + busy * powers[rank, level]
                else:
                    more = min(backlog[one], catch_up * busy, most_w - idle_w - busy)
                    backlog[one] -= more
                    row += idle_w + busy + more
            peak[slot] = max(peak[slot], row)
            energy += row
            read += row
            number += 1
            if number == reads:
                share = read / number / budget
                read, number = 0.0, 0
                aim = ordered
                if share >= 1.0:
                    aim = 3
                elif share >= limits[1]:
                    aim = max(ordered, 2)
                elif share >= limits[0]:
                    aim = max(ordered, 1)
                if aim == ordered and ordered == 3 and share < limits[1] - limits[2]:
                    aim = 2 if np.isfinite(limits[1]) else 0
                elif aim == ordered and ordered == 2 and share < limits[1] - limits[2]:
                    aim = 1
                elif aim == ordered and ordered == 1 and share < limits[0] - limits[2]:
                    aim = 0
                if aim != ordered:
                    ordered = aim
                    delay = max(brake_acts if aim == 3 else acts, 1)
                    for later in range(delay, len(orders)):
                        orders[(now + later) % len(orders)] = -1
                    orders[(now + delay) % len(orders)] = aim
    return peak, brakes, time, energy, backlog.sum(), asked
