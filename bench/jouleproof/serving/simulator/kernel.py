"""The event loop of the simulator, compiled: requests, machines and events as records, one function per rule.

The rules are those of the published simulator (Mutinifni/splitwise-sim, commit 8f99e7d), in other words than its own;
what is corrected is set by Limits and Times, never by another path through the rules. Times are in seconds, memory in
bytes, work in tokens.

Tasks are numbers: 2 r is the prompt of the request in slot r, 2 r + 1 its decode. Lists whose members leave from
anywhere are linked through the records. Slots are used again in a ring, so a stream of requests needs memory for those
that are under way.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

# Nothing is allocated here, so references need not be counted; and the state is some twenty arrays, whose descriptors
# would be copied at every call. Without either the loop takes a third of the time.
compiled = njit(cache=True, error_model="numpy", _nrt=False, forceinline=True)  # type: ignore[call-overload]

MAX_BATCH = 512
BEND = 16  # decodes of a batch, above which each costs more
NOT_DELIVERED, QUEUED, RUNNING, BLOCKED, DONE = range(5)
PROMPT_LIST, TOKEN_LIST, MIXED_LIST = range(3)
END, ARRIVED, RETRY = range(3)
GOING_ON, WAITING_FULL, EVENTS_FULL, DEADLOCK, HOPELESS, ASKS = range(6)
TOGETHER, SPLIT, CHUNKED, ASKED = range(4)
PROMPT_PHASE, TOKEN_PHASE = range(2)
NONE = -1

REQUEST = np.dtype(
    [
        ("arrival", "f8"), ("ttft", "f8"), ("e2e", "f8"), ("last_token", "f8"),
        ("alone_s", "f8", (3,)),  # TTFT, time of all later tokens, E2E on a machine of its own
        ("prompt", "i4"), ("output", "i4"), ("remaining", "i4"), ("waits", "i4", (2,)),
        ("read", "i4"),  # tokens of the prompt, where it is read in chunks
        ("next_present", "i4"), ("last_present", "i4"),
        ("next_queued", "i4"), ("last_queued", "i4"),  # among waiting prompts, later among blocked decodes
        ("selected", "i4"), ("machine", "i2", (2,)), ("state", "u1", (2,)),
    ],
    align=True,
)  # fmt: skip
MACHINE = np.dtype(
    [
        ("used", "i8"), ("reserved", "i8"), ("pending", "i8"), ("step", "f8"), ("steps", "i8"), ("end", "f8"),
        ("growth", "f8"), ("begun", "f8"), ("watts", "f8"), ("phase", "i8"),  # of the segment under way
        ("busy_s", "f8", (2,)), ("energy_j", "f8", (2,)),  # by phase
        ("link", "f8"), ("link_free", "f8"), ("hop_s", "f8"),  # bytes/s; when it is free; after every layered transfer
        ("version", "i8"), ("kind", "i8"), ("cut", "i8"),
        ("batch_size", "i8"), ("batch_prompts", "i8"), ("batch_tokens", "i8"), ("waiting", "i8"), ("active", "i8"),
        ("present", "i8", (2,)), ("prompts", "i8", (2,)), ("blocked", "i8", (2,)),  # first and last
        ("next", "i8"), ("last", "i8"), ("list", "i8"), ("home", "i8"),
        ("context", "i8"), ("kept", "i8"),  # tokens in front of the batch's decodes; its tasks that ran just before
        ("batch", "i4", (MAX_BATCH,)), ("left", "i4", (MAX_BATCH,)),  # left: tokens that each decode has to make
    ],
    align=True,
)  # fmt: skip
EVENT = np.dtype([("time", "f8"), ("order", "i8"), ("kind", "i8"), ("of", "i8"), ("version", "i8")], align=True)
DESK = np.dtype(
    [
        ("now", "f8"), ("order", "i8"), ("executed", "i8"), ("iterations", "i8"), ("fed", "i8"), ("next", "i8"),
        ("events", "i8"), ("alive", "i8"), ("failed", "i8"), ("selection", "i8"), ("status", "i8"),
        ("late", "i8", (3, 3)),  # requests, by TTFT, decoding and E2E, and by percentile
        ("next_balance", "f8"), ("prompt_tokens", "i8"), ("decoding", "i8"),  # what the pools are balanced by
        ("lists", "i8", (3, 2)), ("chosen", "i8", (MAX_BATCH,)),
    ],
    align=True,
)  # fmt: skip


class Limits(NamedTuple):
    """memory, weights, kv: bytes of a machine, of the model, and of the cache of a token. tokens: of a batch. starved:
    selections missed, after which a task goes first. queue: tokens that may wait for a prompt machine. retry_s: until a
    transfer is tried again that found no room. layers: that a cache is sent in, one after the other while the prompt
    runs, over links that are shared; 0 sends it whole after the prompt at `bandwidth` bytes/s, as if it were alone.
    balance_s: between two balances of the pools; 0 leaves them. prompt_token_s: seconds that a prompt machine needs for
    a token. decodes: meant for a token machine.
    """

    memory: int
    weights: int
    kv: int
    tokens: int
    starved: int
    queue: int
    bandwidth: float
    retry_s: float
    layers: int
    balance_s: float
    prompt_token_s: float
    decodes: float


class Times(NamedTuple):
    """By kind of machine: seconds and watts of an iteration.

    tokens: (knots,). prompt_s, decode_s, prompt_w: (kinds, knots) at a number of prompt tokens, of decodes, of prompt
    tokens. affine: (kinds, 3) further seconds of decodes: for each, for each above BEND, for each token of context.
    decode_w: (kinds,). mixed: (kinds,) factor on the prompts' time where decodes are beside them.
    """

    tokens: np.ndarray
    prompt_s: np.ndarray
    decode_s: np.ndarray
    prompt_w: np.ndarray
    affine: np.ndarray
    decode_w: np.ndarray
    mixed: np.ndarray


class Counts(NamedTuple):
    """What is counted on the way, where it is asked for.

    window: (2,) arrivals of the requests whose gaps between tokens count. edges: (bins + 1,) of gaps, ascending.
    gaps: (bins,) tokens. power: (machines, bins of time, 4), joules of both phases, then seconds. width: (1,) seconds.
    active: (most + 1,) seconds of machines by the tokens that an iteration works on. slowdowns, allowed: (3, 3) over
    `alone_s`, and how many requests may be slower, before a run is hopeless.
    """

    window: np.ndarray
    edges: np.ndarray
    gaps: np.ndarray
    power: np.ndarray
    width: np.ndarray
    active: np.ndarray
    slowdowns: np.ndarray
    allowed: np.ndarray


class State(NamedTuple):
    requests: np.ndarray
    machines: np.ndarray
    waiting: np.ndarray  # (machines, capacity) tasks
    events: np.ndarray  # a heap
    desk: np.ndarray  # (1,)
    times: Times
    counts: Counts


@compiled
def push(s, time, kind, of, version):
    desk = s.desk[0]
    place = desk.events
    if place == len(s.events):
        desk.status = EVENTS_FULL
        return
    if kind != RETRY:
        desk.alive += 1
    order = desk.order
    desk.order = order + 1
    desk.events = place + 1
    events = s.events
    while place > 0:
        above = (place - 1) // 2
        other = events[above]
        if other.time < time or (other.time == time and other.order < order):
            break
        _copy(other, events[place])
        place = above
    _fill(events[place], time, order, kind, of, version)


@compiled
def _fill(event, time, order, kind, of, version):
    event.time = time
    event.order = order
    event.kind = kind
    event.of = of
    event.version = version


@compiled
def _copy(a, b):
    _fill(b, a.time, a.order, a.kind, a.of, a.version)


@compiled
def pop(s):
    desk = s.desk[0]
    size = desk.events - 1
    desk.events = size
    events = s.events
    end = events[size]
    time, order, kind, of, version = end.time, end.order, end.kind, end.of, end.version
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size:
            a, b = events[below], events[below + 1]
            if b.time < a.time or (b.time == a.time and b.order < a.order):
                below += 1
        other = events[below]
        if time < other.time or (time == other.time and order < other.order):
            break
        _copy(other, events[place])
        place = below
    _fill(events[place], time, order, kind, of, version)


@compiled
def append_queued(requests, ends, r):
    last = ends[1]
    requests[r].last_queued = last
    requests[r].next_queued = NONE
    if last == NONE:
        ends[0] = r
    else:
        requests[last].next_queued = r
    ends[1] = r


@compiled
def unlink_queued(requests, ends, r):
    before, after = requests[r].last_queued, requests[r].next_queued
    if before == NONE:
        ends[0] = after
    else:
        requests[before].next_queued = after
    if after == NONE:
        ends[1] = before
    else:
        requests[after].last_queued = before


@compiled
def add_present(requests, ends, r):
    """In the order of arrival, behind equals."""
    before = ends[1]
    while before != NONE and requests[before].arrival > requests[r].arrival:
        before = requests[before].last_present
    after = ends[0] if before == NONE else requests[before].next_present
    requests[r].last_present = before
    requests[r].next_present = after
    if before == NONE:
        ends[0] = r
    else:
        requests[before].next_present = r
    if after == NONE:
        ends[1] = r
    else:
        requests[after].last_present = r


@compiled
def unlink_present(requests, ends, r):
    before, after = requests[r].last_present, requests[r].next_present
    if before == NONE:
        ends[0] = after
    else:
        requests[before].next_present = after
    if after == NONE:
        ends[1] = before
    else:
        requests[after].last_present = before


@compiled
def add_waiting(s, m, task):
    machine, row, requests = s.machines[m], s.waiting[m], s.requests
    size = machine.waiting
    if size == len(row):
        s.desk[0].status = WAITING_FULL
        return
    waits, arrival = requests[task >> 1].waits[task & 1], requests[task >> 1].arrival
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        other = row[middle]
        theirs = requests[other >> 1].waits[other & 1]
        if waits < theirs or (waits == theirs and arrival < requests[other >> 1].arrival):
            high = middle
        else:
            low = middle + 1
    for place in range(size, low, -1):
        row[place] = row[place - 1]
    row[low] = task
    machine.waiting = size + 1


@compiled
def drop_waiting(s, m, task):
    row = s.waiting[m]
    place = 0
    while row[place] != task:
        place += 1
    size = s.machines[m].waiting - 1
    s.machines[m].waiting = size
    for each in range(place, size):
        row[each] = row[each + 1]


@compiled
def cost(request, task):
    return 1 if task & 1 else request.prompt


@compiled
def need(request, task, kv):
    return np.int64(request.output - 1 if task & 1 else request.prompt + 1) * kv


@compiled
def deliver(s, limits, m, task):
    machine, request = s.machines[m], s.requests[task >> 1]
    request.state[task & 1] = QUEUED
    chained = task & 1 and request.machine[0] == m and request.state[0] != DONE
    if not chained:
        add_present(s.requests, machine.present, task >> 1)
    add_waiting(s, m, task)
    if not task & 1:
        append_queued(s.requests, machine.prompts, task >> 1)
    if machine.batch_size == 0:
        if machine.used + need(request, task, limits.kv) <= limits.memory:
            begin(s, limits, m)
        return
    if machine.batch_prompts > 0:
        return
    if (machine.batch_size < MAX_BATCH and machine.batch_tokens + cost(request, task) <= limits.tokens) or (
        not task & 1 and request.prompt <= limits.tokens
    ):
        cut_short(s, m)


@compiled
def select(s, limits, m):
    """Fills `chosen` and returns how many."""
    requests, machine, row, desk = s.requests, s.machines[m], s.waiting[m], s.desk[0]
    desk.selection += 1
    mark, chosen = desk.selection, desk.chosen
    count, total, memory = 0, 0, machine.used
    for place in range(machine.waiting):
        task = row[place]
        request = requests[task >> 1]
        if request.waits[task & 1] < limits.starved or count == MAX_BATCH:
            break
        if count > 0 and total + cost(request, task) > limits.tokens:
            break
        if request.selected == mark:
            continue
        if request.state[task & 1] != BLOCKED:
            if need(request, task, limits.kv) + memory > limits.memory:
                continue
            memory += need(request, task, limits.kv)
        chosen[count] = task
        request.selected = mark
        count, total = count + 1, total + cost(request, task)
    r = machine.prompts[0]
    while r != NONE:
        request = requests[r]
        if count == MAX_BATCH or (count > 0 and total + request.prompt > limits.tokens):
            break
        if request.selected != mark:
            if need(request, 0, limits.kv) + memory > limits.memory:
                break
            memory += need(request, 0, limits.kv)
            chosen[count] = 2 * r
            request.selected = mark
            count, total = count + 1, total + request.prompt
        r = request.next_queued
    r = machine.blocked[0]
    while r != NONE:
        request = requests[r]
        if count == MAX_BATCH or (count > 0 and total + 1 > limits.tokens):
            break
        if request.selected != mark:
            chosen[count] = 2 * r + 1
            request.selected = mark
            count, total = count + 1, total + 1
        r = request.next_queued
    for place in range(machine.batch_size):
        if count == MAX_BATCH or (count > 0 and total + 1 > limits.tokens):
            break
        task = np.int64(machine.batch[place])
        request = requests[task >> 1]
        if request.selected != mark:
            chosen[count] = task
            request.selected = mark
            count, total = count + 1, total + 1
    r = machine.present[0]
    while r != NONE:
        request = requests[r]
        if count == MAX_BATCH:
            break
        if request.selected != mark:
            task = 2 * r + first_task(request, m)
            if count > 0 and total + cost(request, task) > limits.tokens:
                break
            if request.state[task & 1] != BLOCKED:
                if need(request, task, limits.kv) + memory > limits.memory:
                    break
                memory += need(request, task, limits.kv)
            chosen[count] = task
            request.selected = mark
            count, total = count + 1, total + cost(request, task)
        r = request.next_present
    machine.batch_tokens = total
    return count


@compiled
def first_task(request, m):
    """0 for the prompt until it is done, then 1 for the decode."""
    return 0 if request.machine[0] == m and request.state[0] != DONE else 1


@compiled
def begin(s, limits, m):
    """A segment: as many iterations of one batch as nothing is known to change in."""
    machine = s.machines[m]
    machine.kept = machine.batch_size
    machine.batch_tokens = machine.batch_size
    if machine.waiting > 0 and not join_alone(s, limits, m):
        choose(s, limits, m)
    if machine.batch_size > 0:
        start(s, limits, m)
        return
    machine.batch_prompts = 0
    if machine.present[0] == NONE and machine.list == MIXED_LIST:
        move(s, m, machine.home)


@compiled
def join_alone(s, limits, m):
    """The one task that waits, a decode, joins all that run: what `choose` would come to, and most often does."""
    machine, task = s.machines[m], s.waiting[m, 0]
    request, size = s.requests[task >> 1], machine.batch_size
    if machine.waiting > 1 or not task & 1 or request.state[1] != QUEUED or size == MAX_BATCH or size == limits.tokens:
        return False
    if machine.used + need(request, task, limits.kv) > limits.memory:
        return False
    machine.waiting = 0
    machine.batch[size] = task
    machine.batch_size = size + 1
    machine.batch_tokens = size + 1
    return True


@compiled
def choose(s, limits, m):
    """A new batch: who of the old one stays, in its order, then who joins."""
    count = select(s, limits, m)
    requests, machine, desk = s.requests, s.machines[m], s.desk[0]
    mark, batch, left = desk.selection, machine.batch, machine.left
    size = 0
    for place in range(machine.batch_size):
        task = np.int64(batch[place])
        request = requests[task >> 1]
        if request.selected == mark:
            batch[size] = task
            left[size] = left[place]
            size += 1
        else:
            request.state[1] = BLOCKED
            request.remaining = left[place]
            request.last_token = desk.now
            machine.context -= request.prompt + request.output - request.remaining
            add_waiting(s, m, task)
            append_queued(requests, machine.blocked, task >> 1)
    machine.kept = size
    for place in range(count):
        task = desk.chosen[place]
        request = requests[task >> 1]
        state = request.state[task & 1]
        if state == RUNNING:
            continue
        drop_waiting(s, m, task)
        if state == BLOCKED:
            unlink_queued(requests, machine.blocked, task >> 1)
        elif not task & 1:
            unlink_queued(requests, machine.prompts, task >> 1)
        batch[size] = task
        size += 1
    machine.batch_size = size
    if machine.waiting > 0:  # otherwise all that is present runs
        r = machine.present[0]
        while r != NONE:
            request = requests[r]
            if request.selected != mark:
                request.waits[first_task(request, m)] += 1
            r = request.next_present


@compiled
def start(s, limits, m):
    requests, machine, now = s.requests, s.machines[m], s.desk[0].now
    batch, left, size = machine.batch, machine.left, machine.batch_size
    prompts, decodes = 0, size
    for place in range(machine.kept, size):
        task = np.int64(batch[place])
        request = requests[task >> 1]
        if task & 1:
            left[place] = request.remaining
            machine.context += request.prompt + request.output - request.remaining
        else:
            decodes -= 1
            prompts += request.prompt
            request.last_token = now
        if request.state[task & 1] == QUEUED:
            machine.used += need(request, task, limits.kv)
        request.state[task & 1] = RUNNING
    plan(s, limits, m, prompts, decodes, machine.context)


@compiled
def plan(s, limits, m, prompts, decodes, context):
    """How long the next iterations take: one if there are prompts in it, else as many as nothing changes in. prompts:
    their tokens. context: tokens that attention reads."""
    machine, now, times = s.machines[m], s.desk[0].now, s.times
    kind = machine.kind
    machine.batch_prompts = prompts
    machine.active = prompts + decodes
    machine.begun = now
    machine.growth = 0.0
    machine.steps = 1
    per_context = times.affine[kind, 2]
    bent = max(decodes - BEND, 0)
    further = times.affine[kind, 0] * decodes + times.affine[kind, 1] * bent + per_context * context
    if prompts == 0:
        fewest = machine.left[0]
        for place in range(1, machine.batch_size):
            fewest = min(fewest, machine.left[place])
        machine.steps = fewest
        machine.phase = TOKEN_PHASE
        machine.watts = times.decode_w[kind]
        machine.step = interpolated(times.tokens, times.decode_s[kind], decodes) + further
        machine.growth = per_context * decodes
    else:
        machine.phase = PROMPT_PHASE
        machine.watts = held_at_ends(times.tokens, times.prompt_w[kind], prompts)
        machine.step = interpolated(times.tokens, times.prompt_s[kind], prompts + decodes)
        if decodes > 0:
            machine.step *= times.mixed[kind]
        machine.step += further  # what each decode costs is not saved by a prompt beside it
    plan_end(s, m, now + length(machine.step, machine.growth, machine.steps))


@compiled
def plan_end(s, m, time):
    machine = s.machines[m]
    machine.end = time
    machine.version += 1
    push(s, time, END, m, machine.version)


@compiled
def length(step, growth, steps):
    """Of so many iterations, the first of length `step` and each longer than the one before by `growth`."""
    return step * steps + growth * (0.5 * steps * (steps - 1))


@compiled
def whole_iterations(step, growth, elapsed):
    """That fit into a time."""
    if growth == 0.0:
        return np.int64(elapsed // step)
    half = step - 0.5 * growth
    steps = np.int64((np.sqrt(half * half + 2.0 * growth * elapsed) - half) / growth)
    while length(step, growth, steps + 1) <= elapsed:
        steps += 1
    while steps > 0 and length(step, growth, steps) > elapsed:
        steps -= 1
    return steps


@compiled
def interpolated(x, y, value):
    i = 0
    while i < len(x) - 2 and value > x[i + 1]:
        i += 1
    return (y[i + 1] - y[i]) / (x[i + 1] - x[i]) * (value - x[i]) + y[i]


@compiled
def held_at_ends(x, y, value):
    return interpolated(x, y, min(max(value, x[0]), x[-1]))


@compiled
def cut_short(s, m):
    machine, now = s.machines[m], s.desk[0].now
    if machine.cut or machine.batch_prompts > 0:
        return
    machine.cut = 1
    elapsed = now - (machine.end - length(machine.step, machine.growth, machine.steps))
    machine.steps = whole_iterations(machine.step, machine.growth, elapsed) + 1
    plan_end(s, m, now + (length(machine.step, machine.growth, machine.steps) - elapsed))


@compiled
def finish(s, limits, m):
    requests, machine = s.requests, s.machines[m]
    batch, left, steps, size = machine.batch, machine.left, machine.steps, 0
    account(s, m)
    for place in range(machine.batch_size):
        left[place] -= steps
    for place in range(machine.batch_size):
        task = np.int64(batch[place])
        if task & 1 and left[place] > 0:
            batch[size] = task
            left[size] = left[place]
            machine.context += steps
            size += 1
            continue
        request = requests[task >> 1]
        if task & 1:
            machine.context -= request.prompt + request.output - steps
            leave(s, limits, m, task >> 1)
            continue
        began = request.last_token
        first_token(s, m, task >> 1)
        if request.output == 1:
            leave(s, limits, m, task >> 1)
        elif request.machine[1] != m:
            unlink_present(requests, machine.present, task >> 1)
            transfer(s, limits, task >> 1, began)
    machine.batch_size = size
    machine.cut = 0
    begin(s, limits, m)


@compiled
def first_token(s, m, r):
    """It is there."""
    request, now = s.requests[r], s.desk[0].now
    request.last_token = now
    request.ttft = now - request.arrival
    request.state[0] = DONE
    s.machines[m].pending -= request.prompt
    s.desk[0].decoding += 1
    judge(s, 0, request.ttft, request.alone_s[0])


@compiled
def judge(s, measure, seconds, alone_s):
    """Ends the run once too many requests are too slow."""
    desk, slowdowns, allowed = s.desk[0], s.counts.slowdowns, s.counts.allowed
    for place in range(3):
        if seconds > alone_s * slowdowns[measure, place]:
            desk.late[measure, place] += 1
            if desk.late[measure, place] > allowed[measure, place]:
                desk.status = HOPELESS


@compiled
def leave(s, limits, m, r):
    """The last token is there."""
    machine, request = s.machines[m], s.requests[r]
    held = np.int64(request.prompt + request.output) * limits.kv
    machine.used -= held
    machine.reserved -= held
    machine.pending -= 1
    s.desk[0].decoding -= 1
    request.e2e = s.desk[0].now - request.arrival
    request.state[1] = DONE
    judge(s, 1, request.e2e - request.ttft, request.alone_s[1])
    judge(s, 2, request.e2e, request.alone_s[2])
    unlink_present(s.requests, machine.present, r)


@compiled
def account(s, m):
    """The time and energy of a segment that ends now, and the gaps between its tokens."""
    machine, counts, now = s.machines[m], s.counts, s.desk[0].now
    phase = machine.phase
    machine.busy_s[phase] += now - machine.begun
    machine.energy_j[phase] += machine.watts * (now - machine.begun)
    s.desk[0].iterations += machine.steps
    spread(counts, m, phase, machine.watts, machine.begun, now)
    if len(counts.active) > 0:
        counts.active[min(machine.active, len(counts.active) - 1)] += now - machine.begun
    if len(counts.gaps) == 0:
        return
    first, joined, counted = machine.begun + machine.step, 0, 0
    for place in range(machine.batch_size):
        task = np.int64(machine.batch[place])
        request = s.requests[task >> 1]
        if task & 1 and request.arrival >= counts.window[0] and request.arrival < counts.window[1]:
            counted += 1
            if place >= machine.kept:
                joined += 1
                counts.gaps[bin_of(counts.edges, first - request.last_token)] += 1
    place = bin_of(counts.edges, machine.step)
    counts.gaps[place] += counted - joined
    for iteration in range(1, machine.steps):
        gap = machine.step + machine.growth * iteration
        while place < len(counts.gaps) - 1 and gap >= counts.edges[place + 1]:
            place += 1
        counts.gaps[place] += counted


@compiled
def bin_of(edges, value):
    """What lies outside counts in the first or last bin."""
    low, high = 0, len(edges) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if edges[middle] <= value:
            low = middle
        else:
            high = middle
    return low


@compiled
def spread(counts, m, phase, watts, begun, end):
    """A segment's energy over the bins of time that it meets."""
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
def transfer(s, limits, r, prompt_began):
    """Starts to move a cache where there is room for it, else tries again later."""
    request, desk = s.requests[r], s.desk[0]
    now = desk.now
    source, to = s.machines[np.int64(request.machine[0])], s.machines[np.int64(request.machine[1])]
    held = np.int64(request.prompt + 1) * limits.kv
    if to.used + held > limits.memory:
        desk.failed += 1
        push(s, now + limits.retry_s, RETRY, r, 0)
        return
    to.used += held
    desk.failed = 0
    size = np.int64(request.prompt) * limits.kv
    if limits.layers == 0:
        push(s, now + size / limits.bandwidth, ARRIVED, r, 0)
        return
    lasts = size / min(source.link, to.link)
    first_layer = prompt_began + (now - prompt_began) / limits.layers
    sent = max(first_layer, source.link_free, to.link_free) + lasts
    source.link_free = sent
    to.link_free = sent
    push(s, max(sent, now + lasts / limits.layers) + source.hop_s, ARRIVED, r, 0)


@compiled
def arrived(s, limits, r):
    request = s.requests[r]
    m = np.int64(request.machine[0])
    source = s.machines[m]
    held = np.int64(request.prompt + 1) * limits.kv
    source.used -= held
    source.reserved -= held
    deliver(s, limits, np.int64(request.machine[1]), 2 * r + 1)
    if source.waiting == 0:
        return
    if source.batch_size == 0:
        front = s.waiting[m, 0]
        if source.used + need(s.requests[front >> 1], front, limits.kv) <= limits.memory:
            begin(s, limits, m)
    elif source.batch_size < MAX_BATCH and source.batch_tokens < limits.tokens:
        cut_short(s, m)


@compiled
def least_pending(s, which):
    machines, m = s.machines, s.desk[0].lists[which, 0]
    found = m
    while m != NONE:
        if machines[m].pending < machines[found].pending:
            found = m
        m = machines[m].next
    return found


@compiled
def least_pending_of_all(s):
    found = least_pending(s, PROMPT_LIST)
    for which in (MIXED_LIST, TOKEN_LIST):
        other = least_pending(s, which)
        if found == NONE or (other != NONE and s.machines[other].pending < s.machines[found].pending):
            found = other
    return found


@compiled
def least_reserved(s, which):
    machines, m = s.machines, s.desk[0].lists[which, 0]
    found = m
    while m != NONE:
        if machines[m].reserved < machines[found].reserved:
            found = m
        m = machines[m].next
    return found


@compiled
def join(s, m, which):
    """The end of a list."""
    machine, ends = s.machines[m], s.desk[0].lists[which]
    machine.list = which
    machine.last = ends[1]
    machine.next = NONE
    if ends[1] == NONE:
        ends[0] = m
    else:
        s.machines[ends[1]].next = m
    ends[1] = m


@compiled
def move(s, m, which):
    machine = s.machines[m]
    ends = s.desk[0].lists[machine.list]
    if machine.last == NONE:
        ends[0] = machine.next
    else:
        s.machines[machine.last].next = machine.next
    if machine.next == NONE:
        ends[1] = machine.last
    else:
        s.machines[machine.next].last = machine.last
    join(s, m, which)


@compiled
def arrive_together(s, limits, r):
    m = least_pending(s, PROMPT_LIST)
    request = s.requests[r]
    s.machines[m].pending += request.prompt + 1
    request.machine[0] = m
    request.machine[1] = m
    deliver(s, limits, m, 2 * r)
    if request.output > 1:
        deliver(s, limits, m, 2 * r + 1)


@compiled
def takes_prompt(s, limits, m, prompt):
    return m != NONE and not (s.machines[m].waiting > 0 and s.machines[m].pending + prompt > limits.queue)


@compiled
def takes_decode(s, limits, m, whole):
    return m != NONE and s.machines[m].reserved + whole < limits.memory


@compiled
def arrive_alone(s, limits, r):
    """A prompt whose first token is its last: it needs no token machine."""
    m = least_pending(s, PROMPT_LIST)
    if not takes_prompt(s, limits, m, s.requests[r].prompt):
        m = least_pending_of_all(s)
    assign_alone(s, limits, r, m)


@compiled
def assign_alone(s, limits, r, m):
    s.machines[m].reserved += np.int64(s.requests[r].prompt + 1) * limits.kv
    s.machines[m].pending += s.requests[r].prompt + 1
    s.requests[r].machine[0] = m
    s.requests[r].machine[1] = m
    deliver(s, limits, m, 2 * r)


@compiled
def arrive_split(s, limits, r):
    request = s.requests[r]
    prompt = request.prompt
    if request.output == 1:
        arrive_alone(s, limits, r)
        return
    whole = np.int64(prompt + request.output) * limits.kv
    a = least_pending(s, PROMPT_LIST)
    if not takes_prompt(s, limits, a, prompt):
        a = least_pending(s, MIXED_LIST)
        if not takes_prompt(s, limits, a, prompt):
            a = NONE
    b = least_reserved(s, TOKEN_LIST)
    if not takes_decode(s, limits, b, whole):
        b = least_reserved(s, MIXED_LIST)
        if not takes_decode(s, limits, b, whole):
            b = NONE
    if a == NONE and s.desk[0].lists[TOKEN_LIST, 0] != NONE:
        a = least_pending(s, TOKEN_LIST)
        move(s, a, MIXED_LIST)
    if b == NONE and s.desk[0].lists[PROMPT_LIST, 0] != NONE:
        b = least_reserved(s, PROMPT_LIST)
        move(s, b, MIXED_LIST)
    if a == NONE or b == NONE:
        a = least_pending_of_all(s)
        b = a
    assign(s, limits, r, a, b)


@compiled
def assign(s, limits, r, a, b):
    """The prompt on machine a, the decode on machine b."""
    request, machines = s.requests[r], s.machines
    prompt = request.prompt
    whole, first = np.int64(prompt + request.output) * limits.kv, np.int64(prompt + 1) * limits.kv
    if a == b:
        machines[a].reserved += whole
    else:
        machines[a].reserved += first
        machines[b].reserved += whole
    machines[a].pending += prompt
    machines[b].pending += 1
    request.machine[0] = a
    request.machine[1] = b
    deliver(s, limits, a, 2 * r)
    if a == b:
        deliver(s, limits, a, 2 * r + 1)


@compiled
def arrive_chunked(s, limits, r):
    m = least_pending(s, PROMPT_LIST)
    request, machine = s.requests[r], s.machines[m]
    machine.pending += request.prompt + 1
    request.machine[0] = m
    request.machine[1] = m
    add_present(s.requests, machine.present, r)
    append_queued(s.requests, machine.prompts, r)
    if machine.batch_size == 0 and machine.batch_prompts == 0:
        begin_chunked(s, limits, m)
    else:
        cut_short(s, m)


@compiled
def begin_chunked(s, limits, m):
    """All decodes run, and beside them as much of the prompts, in their order, as a batch has room for. Whoever begins
    has memory for all its tokens, so nobody is turned out."""
    machine = s.machines[m]
    decodes = machine.batch_size
    prompts, before, under_way, room = 0, 0, decodes, limits.tokens - decodes
    r = machine.prompts[0]
    while r != NONE and room > 0 and under_way < MAX_BATCH:
        request = s.requests[r]
        if request.read == 0:
            whole = np.int64(request.prompt + request.output) * limits.kv
            if machine.used + whole > limits.memory:
                break
            machine.used += whole
            machine.reserved += whole
        part = min(room, request.prompt - request.read)
        prompts += part
        room -= part
        before += request.read
        under_way += 1
        r = request.next_queued
    if prompts + decodes > 0:
        plan(s, limits, m, prompts, decodes, machine.context + before)


@compiled
def finish_chunked(s, limits, m):
    requests, machine = s.requests, s.machines[m]
    batch, left, steps, size = machine.batch, machine.left, machine.steps, 0
    account(s, m)
    for place in range(machine.batch_size):
        task, remaining = np.int64(batch[place]), left[place] - steps
        request = requests[task >> 1]
        if remaining > 0:
            batch[size] = task
            left[size] = remaining
            machine.context += steps
            size += 1
        else:
            machine.context -= request.prompt + request.output - steps
            leave(s, limits, m, task >> 1)
    machine.kept = size
    read, r = machine.batch_prompts, machine.prompts[0]
    while read > 0:
        request = requests[r]
        after = request.next_queued
        part = min(read, request.prompt - request.read)
        request.read += part
        read -= part
        if request.read == request.prompt:
            unlink_queued(requests, machine.prompts, r)
            first_token(s, m, r)
            if request.output == 1:
                leave(s, limits, m, r)
            else:
                batch[size] = 2 * r + 1
                left[size] = request.output - 1
                machine.context += request.prompt + 1
                size += 1
        r = after
    machine.batch_size = size
    machine.batch_prompts = 0
    machine.cut = 0
    begin_chunked(s, limits, m)


@compiled
def balance(s, limits):
    """Moves machines between the pools until they are in the proportion of the work: of the prompts that came, each
    time before the last counting half, and of the decodes that are under way. A machine that changes its home finishes
    what it has first."""
    desk, machines = s.desk[0], s.machines
    for_prompts = desk.prompt_tokens * limits.prompt_token_s / (2.0 * limits.balance_s)
    for_tokens = desk.decoding / limits.decodes
    desk.prompt_tokens //= 2
    desk.next_balance += limits.balance_s
    if for_prompts + for_tokens == 0.0:
        return
    share = len(machines) * for_prompts / (for_prompts + for_tokens)
    wanted = int(min(max(np.floor(share + 0.5), 1.0), len(machines) - 1.0))
    have = 0
    for m in range(len(machines)):
        if machines[m].home == PROMPT_LIST:
            have += 1
    while have < wanted:
        change_home(s, least_of_home(s, TOKEN_LIST), PROMPT_LIST)
        have += 1
    while have > wanted:
        change_home(s, least_of_home(s, PROMPT_LIST), TOKEN_LIST)
        have -= 1


@compiled
def least_of_home(s, home):
    """With the least pending, the first of equals."""
    machines, found = s.machines, NONE
    for m in range(len(machines)):
        if machines[m].home == home and (found == NONE or machines[m].pending < machines[found].pending):
            found = m
    return found


@compiled
def change_home(s, m, home):
    machine = s.machines[m]
    machine.home = home
    if machine.present[0] == NONE and machine.batch_size == 0:
        move(s, m, home)
    elif machine.list != MIXED_LIST:
        move(s, m, MIXED_LIST)


@compiled
def answer(s, limits, a, b):
    """Where the request goes that a run of the policy ASKED stopped at."""
    desk = s.desk[0]
    desk.status = GOING_ON
    r = (desk.next - 1) % len(s.requests)
    if s.requests[r].output == 1:
        assign_alone(s, limits, r, a)
    else:
        assign(s, limits, r, a, b)


@compiled
def run(s, limits, policy, more):
    """Until nothing is left to do; where `more` requests are to come, until the first of them is due. Under ASKED also
    whenever a request came, whose place is asked for (`answer`)."""
    desk, slots = s.desk[0], len(s.requests)
    while desk.status == GOING_ON:
        if desk.next < desk.fed:
            r = desk.next % slots
            if desk.events == 0 or s.requests[r].arrival <= s.events[0].time:
                desk.now = s.requests[r].arrival
                desk.next += 1
                desk.executed += 1
                if policy == SPLIT:
                    if limits.balance_s > 0.0:
                        while desk.next_balance <= desk.now:
                            balance(s, limits)
                        desk.prompt_tokens += s.requests[r].prompt
                    arrive_split(s, limits, r)
                elif policy == CHUNKED:
                    arrive_chunked(s, limits, r)
                elif policy == ASKED:
                    desk.status = ASKS
                else:
                    arrive_together(s, limits, r)
                continue
        elif more or desk.events == 0:
            return
        event = s.events[0]
        time, kind, of, version = event.time, event.kind, event.of, event.version
        pop(s)
        if kind != RETRY:
            desk.alive -= 1
        if kind == END and version != s.machines[of].version:
            continue
        desk.now = time
        desk.executed += 1
        if kind == END and policy == CHUNKED:
            finish_chunked(s, limits, of)
        elif kind == END:
            finish(s, limits, of)
        elif kind == ARRIVED:
            arrived(s, limits, of)
        else:
            transfer(s, limits, of, time)
            if desk.failed > desk.events and desk.alive == 0 and desk.next == desk.fed and not more:
                desk.status = DEADLOCK
