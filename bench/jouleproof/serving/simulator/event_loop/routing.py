"""Routing of requests to machines."""

import numpy as np

from jouleproof.serving.simulator.event_loop.batching import deliver
from jouleproof.serving.simulator.event_loop.pools import (
    balance,
    least_pending,
    least_pending_of_all,
    least_reserved,
    move,
)
from jouleproof.serving.simulator.event_loop.records import (
    ASKED,
    DECODE,
    FIRST,
    MIXED_POOL,
    NONE,
    PROMPT,
    PROMPT_POOL,
    SPLIT,
    TOKEN_POOL,
    compiled,
    task_of,
)


@compiled
def arrive(s, limits, policy, r):
    """Route an arriving request whose prompt is not read in chunks."""
    prompt_machine, token_machine = _machines_for(s, limits, policy, r)
    _reserve(s, limits, r, prompt_machine, token_machine)
    request = s.requests[r]
    request.machine[PROMPT] = prompt_machine
    request.machine[DECODE] = token_machine
    here = 2 if prompt_machine == token_machine and request.output > 1 else 1
    for phase in range(here):  # a decode elsewhere follows its cache; one token needs none
        deliver(s, limits, prompt_machine, task_of(r, phase))


@compiled
def _machines_for(s, limits, policy, r):
    """Choose the machine of the prompt and that of the decode."""
    simulation = s.simulation[0]
    if policy == SPLIT:
        if limits.balance_s > 0.0:
            while simulation.next_balance <= simulation.now:
                balance(s, limits)
            simulation.prompt_tokens += s.requests[r].prompt
        return _split(s, limits, r)
    if policy == ASKED:
        prompt_machine, token_machine = simulation.placed[0], simulation.placed[1]
        simulation.placed[0] = NONE
        return prompt_machine, prompt_machine if s.requests[r].output == 1 else token_machine
    m = least_pending(s, PROMPT_POOL)
    return m, m


@compiled
def _reserve(s, limits, r, prompt_machine, token_machine):
    request, machines = s.requests[r], s.machines
    if prompt_machine != token_machine:
        machines[prompt_machine].reserved += np.int64(request.prompt + 1) * limits.kv
    machines[token_machine].reserved += np.int64(request.prompt + request.output) * limits.kv
    machines[prompt_machine].pending += request.prompt
    machines[token_machine].pending += 1


@compiled
def _split(s, limits, r):
    """Choose machines from, in this order, the pool of each phase, the mixed pool, and the other phase's pool, which
    moves the machine to the mixed pool; as a last resort, choose any machine for both phases."""
    request, pools = s.requests[r], s.simulation[0].pools
    prompt = request.prompt
    if request.output == 1:  # it needs no token machine
        a = least_pending(s, PROMPT_POOL)
        if not _takes_prompt(s, limits, a, prompt):
            a = least_pending_of_all(s)
        return a, a
    whole = np.int64(prompt + request.output) * limits.kv
    a = least_pending(s, PROMPT_POOL)
    if not _takes_prompt(s, limits, a, prompt):
        a = least_pending(s, MIXED_POOL)
        if not _takes_prompt(s, limits, a, prompt):
            a = NONE
    b = least_reserved(s, TOKEN_POOL)
    if not _takes_decode(s, limits, b, whole):
        b = least_reserved(s, MIXED_POOL)
        if not _takes_decode(s, limits, b, whole):
            b = NONE
    if a == NONE and pools[TOKEN_POOL, FIRST] != NONE:
        a = least_pending(s, TOKEN_POOL)
        move(s, a, MIXED_POOL)
    if b == NONE and pools[PROMPT_POOL, FIRST] != NONE:
        b = least_reserved(s, PROMPT_POOL)
        move(s, b, MIXED_POOL)
    if a == NONE or b == NONE:
        a = least_pending_of_all(s)
        b = a
    return a, b


@compiled
def _takes_prompt(s, limits, m, prompt):
    return m != NONE and not (s.machines[m].waiting > 0 and s.machines[m].pending + prompt > limits.queue)


@compiled
def _takes_decode(s, limits, m, whole):
    return m != NONE and s.machines[m].reserved + whole < limits.memory
