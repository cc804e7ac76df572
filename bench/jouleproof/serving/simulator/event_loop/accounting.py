"""Accounting of a run: time and energy of machines, latencies of requests, and gaps between tokens."""

import numpy as np

from jouleproof.serving.simulator.event_loop.linked_lists import unlink
from jouleproof.serving.simulator.event_loop.records import (
    DECODE,
    DONE,
    HOPELESS,
    PROMPT,
    RESIDENT,
    compiled,
    is_decode,
    request_of,
)


@compiled
def account(s, m):
    """Count the time and energy of a segment that ends now, and the gaps between its tokens."""
    machine, counts, now = s.machines[m], s.counts, s.simulation[0].now
    phase = machine.phase
    machine.busy_s[phase] += now - machine.begun
    machine.energy_j[phase] += machine.watts * (now - machine.begun)
    s.simulation[0].iterations += machine.steps
    _spread(counts, m, phase, machine.watts, machine.begun, now)
    if len(counts.active) > 0:
        counts.active[min(machine.active, len(counts.active) - 1)] += now - machine.begun
    if len(counts.gaps) > 0:
        _count_gaps(s, m)


@compiled
def _count_gaps(s, m):
    machine, counts = s.machines[m], s.counts
    first, joined, counted = machine.begun + machine.step, 0, 0
    for place in range(machine.batch_size):
        task = np.int64(machine.batch[place])
        request = s.requests[request_of(task)]
        if is_decode(task) and request.arrival >= counts.window[0] and request.arrival < counts.window[1]:
            counted += 1
            if place >= machine.kept:
                joined += 1
                counts.gaps[_bin_of(counts.edges, first - request.last_token)] += 1
    place = _bin_of(counts.edges, machine.step)
    counts.gaps[place] += counted - joined
    for iteration in range(1, machine.steps):
        gap = machine.step + machine.growth * iteration
        while place < len(counts.gaps) - 1 and gap >= counts.edges[place + 1]:
            place += 1
        counts.gaps[place] += counted


@compiled
def _bin_of(edges, value):
    """Return the bin of a value; values outside count in the first or the last bin."""
    low, high = 0, len(edges) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if edges[middle] <= value:
            low = middle
        else:
            high = middle
    return low


@compiled
def _spread(counts, m, phase, watts, begun, end):
    """Spread a segment's energy over the time bins that it overlaps."""
    bins = counts.power.shape[1]
    if bins == 0:
        return
    width = counts.width[0]
    place = np.int64(begun // width)
    while place < bins and place * width < end:
        inside = min(end, (place + 1) * width) - max(begun, place * width)
        counts.power[m, place, phase] += watts * inside
        counts.power[m, place, 2 + phase] += inside
        place += 1


@compiled
def first_token(s, m, r):
    """Record that the first output token of a request has been generated."""
    request, now = s.requests[r], s.simulation[0].now
    request.last_token = now
    request.ttft = now - request.arrival
    request.state[PROMPT] = DONE
    s.machines[m].pending -= request.prompt
    s.simulation[0].decoding += 1
    _judge(s, 0, request.ttft, request.alone_s[0])


@compiled
def complete(s, limits, m, r):
    """Record that the last output token of a request has been generated, and free its KV cache."""
    machine, request = s.machines[m], s.requests[r]
    held = np.int64(request.prompt + request.output) * limits.kv
    machine.used -= held
    machine.reserved -= held
    machine.pending -= 1
    s.simulation[0].decoding -= 1
    request.e2e = s.simulation[0].now - request.arrival
    request.state[DECODE] = DONE
    _judge(s, 1, request.e2e - request.ttft, request.alone_s[1])
    _judge(s, 2, request.e2e, request.alone_s[2])
    unlink(s.requests, RESIDENT, machine.residents, r)


@compiled
def _judge(s, measure, seconds, alone_s):
    """End the run once too many requests are too slow."""
    simulation, slowdowns, allowed = s.simulation[0], s.counts.slowdowns, s.counts.allowed
    for place in range(3):
        if seconds > alone_s * slowdowns[measure, place]:
            simulation.late[measure, place] += 1
            if simulation.late[measure, place] > allowed[measure, place]:
                simulation.status = HOPELESS
