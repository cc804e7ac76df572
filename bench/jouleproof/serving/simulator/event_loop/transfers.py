"""Transfers of KV caches from a prompt machine to a token machine."""

import numpy as np

from jouleproof.serving.simulator.event_loop.batching import begin, deliver
from jouleproof.serving.simulator.event_loop.events import push
from jouleproof.serving.simulator.event_loop.iterations import cut_short
from jouleproof.serving.simulator.event_loop.records import (
    CACHE_ARRIVED,
    DECODE,
    MAX_BATCH,
    PROMPT,
    TRANSFER_RETRY,
    compiled,
    kv_needed,
    request_of,
    task_of,
)


@compiled
def transfer(s, limits, r, prompt_began):
    """Start the transfer of a cache if its new machine has room, else try again later."""
    request, simulation = s.requests[r], s.simulation[0]
    now = simulation.now
    source, to = s.machines[np.int64(request.machine[PROMPT])], s.machines[np.int64(request.machine[DECODE])]
    held = np.int64(request.prompt + 1) * limits.kv
    if to.used + held > limits.memory:
        simulation.failed += 1
        push(s, now + limits.retry_s, TRANSFER_RETRY, r, 0)
        return
    to.used += held
    simulation.failed = 0
    size = np.int64(request.prompt) * limits.kv
    if limits.layers == 0:
        push(s, now + size / limits.bandwidth, CACHE_ARRIVED, r, 0)
        return
    lasts = size / min(source.link, to.link)
    first_layer = prompt_began + (now - prompt_began) / limits.layers
    sent = max(first_layer, source.link_free, to.link_free) + lasts
    source.link_free = sent
    to.link_free = sent
    push(s, max(sent, now + lasts / limits.layers) + source.hop_s, CACHE_ARRIVED, r, 0)


@compiled
def arrived(s, limits, r):
    """Complete a transfer: enqueue the decode on its new machine, and free the memory of the old one."""
    request = s.requests[r]
    m = np.int64(request.machine[PROMPT])
    source = s.machines[m]
    held = np.int64(request.prompt + 1) * limits.kv
    source.used -= held
    source.reserved -= held
    deliver(s, limits, np.int64(request.machine[DECODE]), task_of(r, DECODE))
    if source.waiting == 0:
        return
    if source.batch_size == 0:
        front = s.waiting[m, 0]
        if source.used + kv_needed(s.requests[request_of(front)], front, limits.kv) <= limits.memory:
            begin(s, limits, m)
    elif source.batch_size < MAX_BATCH and source.batch_tokens < limits.tokens:
        cut_short(s, m)
