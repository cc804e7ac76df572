"""Pools of machines: for prompts, for tokens, and mixed, for machines that serve both for a while."""

import numpy as np

from jouleproof.serving.simulator.event_loop.linked_lists import append, unlink
from jouleproof.serving.simulator.event_loop.records import (
    AFTER,
    FIRST,
    MIXED_POOL,
    NONE,
    POOL,
    PROMPT_POOL,
    TOKEN_POOL,
    compiled,
)


@compiled
def move(s, m, pool):
    """Move a machine to the end of a pool."""
    machine, pools = s.machines[m], s.simulation[0].pools
    unlink(s.machines, POOL, pools[machine.pool], m)
    machine.pool = pool
    append(s.machines, POOL, pools[pool], m)


@compiled
def least_pending(s, pool):
    """Return the machine with the fewest pending tokens, the first if several have, or NONE if the pool is empty."""
    machines, m = s.machines, s.simulation[0].pools[pool, FIRST]
    least = m
    while m != NONE:
        if machines[m].pending < machines[least].pending:
            least = m
        m = machines[m].links[POOL, AFTER]
    return least


@compiled
def least_pending_of_all(s):
    least = least_pending(s, PROMPT_POOL)
    for pool in (MIXED_POOL, TOKEN_POOL):
        other = least_pending(s, pool)
        if least == NONE or (other != NONE and s.machines[other].pending < s.machines[least].pending):
            least = other
    return least


@compiled
def least_reserved(s, pool):
    """Return the machine with the least reserved memory, the first if several have, or NONE if the pool is empty."""
    machines, m = s.machines, s.simulation[0].pools[pool, FIRST]
    least = m
    while m != NONE:
        if machines[m].reserved < machines[least].reserved:
            least = m
        m = machines[m].links[POOL, AFTER]
    return least


@compiled
def balance(s, limits):
    """Move machines between the pools until their sizes match the shares of the work: prompts that arrived, whose
    weight halves at every balance, and decodes in progress. A machine that changes its home pool first finishes its
    current work."""
    simulation, machines = s.simulation[0], s.machines
    for_prompts = simulation.prompt_tokens * limits.prompt_token_s / (2.0 * limits.balance_s)
    for_tokens = simulation.decoding / limits.decodes
    simulation.prompt_tokens //= 2
    simulation.next_balance += limits.balance_s
    if for_prompts + for_tokens == 0.0:
        return
    share = len(machines) * for_prompts / (for_prompts + for_tokens)
    wanted = int(min(max(np.floor(share + 0.5), 1.0), len(machines) - 1.0))
    have = 0
    for m in range(len(machines)):
        if machines[m].home == PROMPT_POOL:
            have += 1
    while have != wanted:
        if have < wanted:
            _change_home(s, _least_pending_of_home(s, TOKEN_POOL), PROMPT_POOL)
            have += 1
        else:
            _change_home(s, _least_pending_of_home(s, PROMPT_POOL), TOKEN_POOL)
            have -= 1


@compiled
def _least_pending_of_home(s, home):
    machines, least = s.machines, NONE
    for m in range(len(machines)):
        if machines[m].home == home and (least == NONE or machines[m].pending < machines[least].pending):
            least = m
    return least


@compiled
def _change_home(s, m, home):
    machine = s.machines[m]
    machine.home = home
    if machine.residents[FIRST] == NONE and machine.batch_size == 0:
        move(s, m, home)
    elif machine.pool != MIXED_POOL:
        move(s, m, MIXED_POOL)
