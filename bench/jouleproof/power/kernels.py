"""The compiled loops of power within five minutes: several servers together, and a row under a controller."""

import numpy as np
from numba import njit


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
    """A row under a controller (jouleproof.power.capping.Controller); 0 W of a server in a slot: it is not there.
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
