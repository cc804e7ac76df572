"""The event loop: requests arrive, segments of iterations end, KV caches arrive."""

from pathlib import Path

import numpy as np

from jouleproof.files import checksum
from jouleproof.serving.simulator.event_loop.accounting import account, complete, first_token
from jouleproof.serving.simulator.event_loop.batching import begin
from jouleproof.serving.simulator.event_loop.chunked import arrive_chunked, finish_chunked
from jouleproof.serving.simulator.event_loop.events import pop
from jouleproof.serving.simulator.event_loop.linked_lists import unlink
from jouleproof.serving.simulator.event_loop.records import (
    ASKED,
    ASKS,
    CACHE_ARRIVED,
    CHUNKED,
    DEADLOCK,
    DECODE,
    GOING_ON,
    NONE,
    RESIDENT,
    SEGMENT_END,
    TRANSFER_RETRY,
    compiled,
    compiled_and_cached,
    is_decode,
    request_of,
)
from jouleproof.serving.simulator.event_loop.routing import arrive
from jouleproof.serving.simulator.event_loop.transfers import arrived, transfer

CODE_VERSION = checksum(*sorted(Path(__file__).parent.glob("*.py")))


@compiled_and_cached
def run(s, limits, policy, more, version=CODE_VERSION):
    """Run until nothing is left to do or, if `more` requests will come, until the first of them is due.

    Under ASKED the loop also returns whenever a request is due, with the status ASKS; the caller then sets the machines
    where the request is `placed` and the status GOING_ON, and calls `run` again. version: part of the signature, which
    is the key of numba's cache of compiled code.
    """
    simulation, slots = s.simulation[0], len(s.requests)
    while simulation.status == GOING_ON:
        if simulation.next < simulation.fed:
            r = simulation.next % slots
            if simulation.events == 0 or s.requests[r].arrival <= s.events[0].time:
                if policy == ASKED and simulation.placed[0] == NONE:
                    simulation.status = ASKS
                    return
                simulation.now = s.requests[r].arrival
                simulation.next += 1
                simulation.executed += 1
                if policy == CHUNKED:
                    arrive_chunked(s, limits, r)
                else:
                    arrive(s, limits, policy, r)
                continue
        elif more or simulation.events == 0:
            return
        time, kind, of, segment = pop(s)
        if kind != TRANSFER_RETRY:
            simulation.alive -= 1
        if kind == SEGMENT_END and segment != s.machines[of].version:  # the segment was cut short
            continue
        simulation.now = time
        simulation.executed += 1
        if kind == SEGMENT_END and policy == CHUNKED:
            finish_chunked(s, limits, of)
        elif kind == SEGMENT_END:
            finish(s, limits, of)
        elif kind == CACHE_ARRIVED:
            arrived(s, limits, of)
        else:
            transfer(s, limits, of, time)
            retries_alone = simulation.alive == 0 and simulation.next == simulation.fed and not more
            if retries_alone and simulation.failed > simulation.events:
                simulation.status = DEADLOCK


@compiled
def finish(s, limits, m):
    """End a segment: record the first token of every prompt, and one token per iteration of every decode."""
    requests, machine = s.requests, s.machines[m]
    batch, left, steps, size = machine.batch, machine.left, machine.steps, 0
    account(s, m)
    for place in range(machine.batch_size):
        left[place] -= steps
    for place in range(machine.batch_size):
        task = np.int64(batch[place])
        r = request_of(task)
        if is_decode(task) and left[place] > 0:
            batch[size] = task
            left[size] = left[place]
            machine.context += steps
            size += 1
            continue
        request = requests[r]
        if is_decode(task):
            machine.context -= request.prompt + request.output - steps
            complete(s, limits, m, r)
            continue
        began = request.last_token
        first_token(s, m, r)
        if request.output == 1:
            complete(s, limits, m, r)
        elif request.machine[DECODE] != m:
            unlink(requests, RESIDENT, machine.residents, r)
            transfer(s, limits, r, began)
    machine.batch_size = size
    machine.cut = 0
    begin(s, limits, m)
