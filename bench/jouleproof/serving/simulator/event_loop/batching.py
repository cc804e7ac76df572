"""Batch selection: the tasks that the next iterations of a machine work on. Whole prompts go before decodes, and
starved tasks before both.

A task waits, runs, may be preempted (it keeps its KV cache) and runs again. jouleproof.serving.rules lists the rules
that the serving engine shares.
"""

import numpy as np

from jouleproof.serving.simulator.event_loop.iterations import cut_short, plan
from jouleproof.serving.simulator.event_loop.linked_lists import append, insert_resident, unlink
from jouleproof.serving.simulator.event_loop.pools import move
from jouleproof.serving.simulator.event_loop.records import (
    AFTER,
    DECODE,
    DONE,
    FIRST,
    MAX_BATCH,
    MIXED_POOL,
    NONE,
    PREEMPTED,
    PROMPT,
    QUEUE,
    RESIDENT,
    RUNNING,
    WAITING,
    WAITING_FULL,
    batch_tokens,
    compiled,
    is_decode,
    kv_needed,
    phase_of,
    request_of,
    task_of,
)

ADMITTED, ALREADY_ADMITTED, BATCH_FULL, MEMORY_FULL = range(4)


@compiled
def deliver(s, limits, m, task):
    """Enqueue a task on a machine. An idle machine begins with it; a busy one ends its segment early if the batch may
    have room for it."""
    r = request_of(task)
    machine, request = s.machines[m], s.requests[r]
    request.state[phase_of(task)] = WAITING
    behind_its_prompt = is_decode(task) and request.machine[PROMPT] == m and request.state[PROMPT] != DONE
    if not behind_its_prompt:
        insert_resident(s.requests, machine.residents, r)
    _enqueue(s, m, task)
    if not is_decode(task):
        append(s.requests, QUEUE, machine.prompts, r)
    if machine.batch_size == 0:
        if machine.used + kv_needed(request, task, limits.kv) <= limits.memory:
            begin(s, limits, m)
        return
    if machine.batch_prompts > 0:
        return
    if (machine.batch_size < MAX_BATCH and machine.batch_tokens + batch_tokens(request, task) <= limits.tokens) or (
        not is_decode(task) and request.prompt <= limits.tokens
    ):
        cut_short(s, m)


@compiled
def begin(s, limits, m):
    """Begin a segment: consecutive iterations of one batch, until something may change."""
    machine = s.machines[m]
    machine.kept = machine.batch_size
    machine.batch_tokens = machine.batch_size
    if machine.waiting > 0 and not _join_alone(s, limits, m):
        select(s, limits, m)
        _change_batch(s, m)
    if machine.batch_size > 0:
        _start(s, limits, m)
        return
    machine.batch_prompts = 0
    if machine.residents[FIRST] == NONE and machine.pool == MIXED_POOL:
        move(s, m, machine.home)


@compiled
def _join_alone(s, limits, m):
    """Add the only waiting task, a decode, to the running batch: a shortcut past `select` for the usual case."""
    machine, task = s.machines[m], s.waiting[m, 0]
    request, size = s.requests[request_of(task)], machine.batch_size
    if machine.waiting > 1 or not is_decode(task) or request.state[DECODE] != WAITING:
        return False
    if size == MAX_BATCH or size == limits.tokens:
        return False
    if machine.used + kv_needed(request, task, limits.kv) > limits.memory:
        return False
    machine.waiting = 0
    machine.batch[size] = task
    machine.batch_size = size + 1
    machine.batch_tokens = size + 1
    return True


@compiled
def select(s, limits, m):
    """Select a batch, in this order: starved tasks, waiting prompts, preempted decodes, running decodes, and the
    machine's remaining tasks by arrival. No task overtakes one of its group that does not fit into the batch; a starved
    task that does not fit into memory is skipped."""
    requests, machine, row, simulation = s.requests, s.machines[m], s.waiting[m], s.simulation[0]
    simulation.selection += 1
    simulation.chosen_count = 0
    simulation.memory = machine.used
    machine.batch_tokens = 0
    for place in range(machine.waiting):
        task = row[place]
        if requests[request_of(task)].missed[phase_of(task)] < limits.starved:
            break
        if _admit(s, limits, m, task) == BATCH_FULL:
            break
    r = machine.prompts[FIRST]
    while r != NONE and _admit(s, limits, m, task_of(r, PROMPT)) < BATCH_FULL:
        r = requests[r].links[QUEUE, AFTER]
    r = machine.preempted[FIRST]
    while r != NONE and _admit(s, limits, m, task_of(r, DECODE)) < BATCH_FULL:
        r = requests[r].links[QUEUE, AFTER]
    for place in range(machine.batch_size):
        if _admit(s, limits, m, np.int64(machine.batch[place])) == BATCH_FULL:
            break
    r = machine.residents[FIRST]
    while r != NONE:
        request = requests[r]
        absent = request.selected != simulation.selection
        if absent and _admit(s, limits, m, task_of(r, _phase_here(request, m))) >= BATCH_FULL:
            break
        r = request.links[RESIDENT, AFTER]


@compiled
def _admit(s, limits, m, task):
    """Admit a task to the batch that is being selected if there is room, or return why not. The batch always has room
    for its first task, however long the prompt. Running and preempted tasks already have their KV cache."""
    simulation, machine, request = s.simulation[0], s.machines[m], s.requests[request_of(task)]
    count, tokens = simulation.chosen_count, machine.batch_tokens + batch_tokens(request, task)
    if count == MAX_BATCH or (count > 0 and tokens > limits.tokens):
        return BATCH_FULL
    if request.selected == simulation.selection:
        return ALREADY_ADMITTED
    if request.state[phase_of(task)] == WAITING:
        memory = simulation.memory + kv_needed(request, task, limits.kv)
        if memory > limits.memory:
            return MEMORY_FULL
        simulation.memory = memory
    request.selected = simulation.selection
    simulation.chosen[count] = task
    simulation.chosen_count = count + 1
    machine.batch_tokens = tokens
    return ADMITTED


@compiled
def _phase_here(request, m):
    """Return the phase that a request is in on a machine."""
    return PROMPT if request.machine[PROMPT] == m and request.state[PROMPT] != DONE else DECODE


@compiled
def _change_batch(s, m):
    """Replace the running batch with the selected one: first the tasks that stay, in their order, then those that join.
    Decodes that were not selected are preempted."""
    requests, machine, simulation = s.requests, s.machines[m], s.simulation[0]
    selection, batch, left = simulation.selection, machine.batch, machine.left
    size = 0
    for place in range(machine.batch_size):
        task = np.int64(batch[place])
        request = requests[request_of(task)]
        if request.selected == selection:
            batch[size] = task
            left[size] = left[place]
            size += 1
        else:
            request.state[DECODE] = PREEMPTED
            request.remaining = left[place]
            request.last_token = simulation.now
            machine.context -= request.prompt + request.output - request.remaining
            _enqueue(s, m, task)
            append(requests, QUEUE, machine.preempted, request_of(task))
    machine.kept = size
    for place in range(simulation.chosen_count):
        task = simulation.chosen[place]
        state = requests[request_of(task)].state[phase_of(task)]
        if state == RUNNING:
            continue
        _dequeue(s, m, task)
        if state == PREEMPTED:
            unlink(requests, QUEUE, machine.preempted, request_of(task))
        elif not is_decode(task):
            unlink(requests, QUEUE, machine.prompts, request_of(task))
        batch[size] = task
        size += 1
    machine.batch_size = size
    if machine.waiting > 0:  # otherwise every task here runs
        r = machine.residents[FIRST]
        while r != NONE:
            request = requests[r]
            if request.selected != selection:
                request.missed[_phase_here(request, m)] += 1
            r = request.links[RESIDENT, AFTER]


@compiled
def _start(s, limits, m):
    requests, machine, now = s.requests, s.machines[m], s.simulation[0].now
    batch, left, size = machine.batch, machine.left, machine.batch_size
    prompts, decodes = 0, size
    for place in range(machine.kept, size):
        task = np.int64(batch[place])
        request = requests[request_of(task)]
        if is_decode(task):
            left[place] = request.remaining
            machine.context += request.prompt + request.output - request.remaining
        else:
            decodes -= 1
            prompts += request.prompt
            request.last_token = now
        if request.state[phase_of(task)] == WAITING:
            machine.used += kv_needed(request, task, limits.kv)
        request.state[phase_of(task)] = RUNNING
    plan(s, m, prompts, decodes, machine.context)


@compiled
def _enqueue(s, m, task):
    """Insert a task into the waiting queue, which is ordered by missed selections, then by arrival."""
    machine, row, requests = s.machines[m], s.waiting[m], s.requests
    size = machine.waiting
    if size == len(row):
        s.simulation[0].status = WAITING_FULL
        return
    request = requests[request_of(task)]
    missed, arrival = request.missed[phase_of(task)], request.arrival
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        other = requests[request_of(row[middle])]
        theirs = other.missed[phase_of(row[middle])]
        if missed < theirs or (missed == theirs and arrival < other.arrival):
            high = middle
        else:
            low = middle + 1
    for place in range(size, low, -1):
        row[place] = row[place - 1]
    row[low] = task
    machine.waiting = size + 1


@compiled
def _dequeue(s, m, task):
    row = s.waiting[m]
    place = 0
    while row[place] != task:
        place += 1
    size = s.machines[m].waiting - 1
    s.machines[m].waiting = size
    for later in range(place, size):
        row[later] = row[later + 1]
