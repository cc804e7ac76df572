"""Batching with chunked prompts: all decodes, then as many prompt tokens as fit into the batch."""

import numpy as np

from jouleproof.serving.simulator.event_loop.accounting import account, complete, first_token
from jouleproof.serving.simulator.event_loop.iterations import cut_short, plan
from jouleproof.serving.simulator.event_loop.linked_lists import append, insert_resident, unlink
from jouleproof.serving.simulator.event_loop.pools import least_pending
from jouleproof.serving.simulator.event_loop.records import (
    AFTER,
    DECODE,
    FIRST,
    MAX_BATCH,
    NONE,
    PROMPT,
    PROMPT_POOL,
    QUEUE,
    compiled,
    request_of,
    task_of,
)


@compiled
def arrive_chunked(s, limits, r):
    m = least_pending(s, PROMPT_POOL)
    request, machine = s.requests[r], s.machines[m]
    machine.pending += request.prompt + 1
    request.machine[PROMPT] = m
    request.machine[DECODE] = m
    insert_resident(s.requests, machine.residents, r)
    append(s.requests, QUEUE, machine.prompts, r)
    if machine.batch_size == 0 and machine.batch_prompts == 0:
        _begin(s, limits, m)
    else:
        cut_short(s, m)


@compiled
def _begin(s, limits, m):
    """Begin a segment of all decodes, and of prompts in order of arrival. A request is admitted only if memory has room
    for all its tokens, so none is preempted."""
    machine = s.machines[m]
    decodes = machine.batch_size
    prompts, before, under_way, tokens_left = 0, 0, decodes, limits.tokens - decodes
    r = machine.prompts[FIRST]
    while r != NONE and tokens_left > 0 and under_way < MAX_BATCH:
        request = s.requests[r]
        if request.read == 0:
            whole = np.int64(request.prompt + request.output) * limits.kv
            if machine.used + whole > limits.memory:
                break
            machine.used += whole
            machine.reserved += whole
        chunk = min(tokens_left, request.prompt - request.read)
        prompts += chunk
        tokens_left -= chunk
        before += request.read
        under_way += 1
        r = request.links[QUEUE, AFTER]
    if prompts + decodes > 0:
        plan(s, m, prompts, decodes, machine.context + before)


@compiled
def finish_chunked(s, limits, m):
    """End a segment: record the tokens of every decode, and the chunks of prompts that were read."""
    requests, machine = s.requests, s.machines[m]
    batch, left, steps, size = machine.batch, machine.left, machine.steps, 0
    account(s, m)
    for place in range(machine.batch_size):
        task, remaining = np.int64(batch[place]), left[place] - steps
        request = requests[request_of(task)]
        if remaining > 0:
            batch[size] = task
            left[size] = remaining
            machine.context += steps
            size += 1
        else:
            machine.context -= request.prompt + request.output - steps
            complete(s, limits, m, request_of(task))
    machine.kept = size
    read, r = machine.batch_prompts, machine.prompts[FIRST]
    while read > 0:
        request = requests[r]
        after = request.links[QUEUE, AFTER]
        chunk = min(read, request.prompt - request.read)
        request.read += chunk
        read -= chunk
        if request.read == request.prompt:
            unlink(requests, QUEUE, machine.prompts, r)
            first_token(s, m, r)
            if request.output == 1:
                complete(s, limits, m, r)
            else:
                batch[size] = task_of(r, DECODE)
                left[size] = request.output - 1
                machine.context += request.prompt + 1
                size += 1
        r = after
    machine.batch_size = size
    machine.batch_prompts = 0
    machine.cut = 0
    _begin(s, limits, m)
