"""Doubly linked lists whose links are stored in the records, so that a member can be removed from any place.

records: an array whose `links` hold, for each list that a record can be in (`which`), the numbers of the records BEFORE
and AFTER it. ends: the FIRST and the LAST record of the list.
"""

from collections.abc import Sequence

import numpy as np

from jouleproof.serving.simulator.event_loop.records import AFTER, BEFORE, FIRST, LAST, NONE, RESIDENT, compiled


@compiled
def insert(records, which, ends, number, before):
    """Insert a record behind `before`, or at the front if that is NONE."""
    after = ends[FIRST] if before == NONE else records[before].links[which, AFTER]
    records[number].links[which, BEFORE] = before
    records[number].links[which, AFTER] = after
    if before == NONE:
        ends[FIRST] = number
    else:
        records[before].links[which, AFTER] = number
    if after == NONE:
        ends[LAST] = number
    else:
        records[after].links[which, BEFORE] = number


@compiled
def append(records, which, ends, number):
    insert(records, which, ends, number, ends[LAST])


@compiled
def unlink(records, which, ends, number):
    before, after = records[number].links[which, BEFORE], records[number].links[which, AFTER]
    if before == NONE:
        ends[FIRST] = after
    else:
        records[before].links[which, AFTER] = after
    if after == NONE:
        ends[LAST] = before
    else:
        records[after].links[which, BEFORE] = before


@compiled
def insert_resident(requests, ends, r):
    """Insert a request in order of arrival, behind those that arrived at the same time."""
    before = ends[LAST]
    while before != NONE and requests[before].arrival > requests[r].arrival:
        before = requests[before].links[RESIDENT, BEFORE]
    insert(requests, RESIDENT, ends, r, before)


def chain(records: np.ndarray, which: int, ends: np.ndarray, members: Sequence[int]) -> None:
    """Build a list of these members, outside the compiled loop."""
    numbers = [NONE, *members, NONE]
    records["links"][members, which, BEFORE] = numbers[:-2]
    records["links"][members, which, AFTER] = numbers[2:]
    ends[:] = numbers[1], numbers[-2]
