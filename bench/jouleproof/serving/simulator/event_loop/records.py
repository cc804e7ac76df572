"""Records and constants of the event loop. Times are in seconds, memory in bytes, work in tokens.

A task is a number: 2 r is the prompt of the request in slot r, 2 r + 1 its decode. Slots are used again in a ring, so a
stream of requests needs memory only for those that are under way.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

# Nothing is allocated here, so references need not be counted; and the state is some twenty arrays, whose descriptors
# would be copied at every call that is not inlined. Without both, the loop takes a third of the time. Only `loop.run`
# is cached on disk: a function that is cached keeps what it calls as it was, whatever becomes of other files.
compiled = njit(error_model="numpy", _nrt=False, forceinline=True)  # type: ignore[call-overload]
compiled_and_cached = njit(error_model="numpy", _nrt=False, cache=True)  # type: ignore[call-overload]

MAX_BATCH = 512
BEND = 16  # decodes of a batch, above which each costs more
NONE = -1

NOT_DELIVERED, WAITING, RUNNING, PREEMPTED, DONE = range(5)  # states of a task
PROMPT, DECODE = range(2)  # phases
PROMPT_POOL, TOKEN_POOL, MIXED_POOL = range(3)
SEGMENT_END, CACHE_ARRIVED, TRANSFER_RETRY = range(3)  # kinds of events
GOING_ON, WAITING_FULL, EVENTS_FULL, DEADLOCK, HOPELESS, ASKS = range(6)  # status of a simulation
TOGETHER, SPLIT, CHUNKED, ASKED = range(4)  # policies

RESIDENT, QUEUE = range(2)  # the lists that a request is linked in (linked_lists)
POOL = 0  # the list that a machine is linked in
BEFORE, AFTER = range(2)
FIRST, LAST = range(2)

REQUEST = np.dtype(
    [
        ("arrival", "f8"),
        ("ttft", "f8"),
        ("e2e", "f8"),
        ("last_token", "f8"),  # when it was made; while the prompt runs, when that began
        ("alone_s", "f8", (3,)),  # TTFT, time of all later tokens, E2E on a machine that serves nothing else
        ("prompt", "i4"),
        ("output", "i4"),
        ("remaining", "i4"),  # tokens to decode, up to date while the decode does not run
        ("missed", "i4", (2,)),  # selections that the prompt, the decode missed
        ("read", "i4"),  # tokens of the prompt, where it is read in chunks
        ("links", "i4", (2, 2)),  # RESIDENT; QUEUE: among waiting prompts, later among preempted decodes
        ("selected", "i4"),  # the last selection that took it
        ("machine", "i2", (2,)),  # of the prompt, of the decode
        ("state", "u1", (2,)),
    ],
    align=True,
)
MACHINE = np.dtype(
    [
        ("used", "i8"),  # bytes of weights and KV caches
        ("reserved", "i8"),  # the same with all caches to come
        ("pending", "i8"),  # tokens of prompts and of decodes that are not begun or finished
        ("step", "f8"),  # of the segment under way: seconds of its first iteration,
        ("steps", "i8"),  # its iterations,
        ("end", "f8"),
        ("growth", "f8"),  # seconds that each iteration takes longer than the one before,
        ("begun", "f8"),
        ("watts", "f8"),
        ("phase", "i8"),
        ("busy_s", "f8", (2,)),  # by phase
        ("energy_j", "f8", (2,)),
        ("link", "f8"),  # bytes/s
        ("link_free", "f8"),  # when
        ("hop_s", "f8"),  # seconds after every layered transfer
        ("version", "i8"),  # of the segment under way; an end of an earlier one no longer counts
        ("kind", "i8"),  # row of Times
        ("cut", "i8"),  # whether the segment under way was cut short
        ("batch_size", "i8"),
        ("batch_prompts", "i8"),  # tokens of prompts in the batch
        ("batch_tokens", "i8"),
        ("waiting", "i8"),  # tasks
        ("active", "i8"),  # tokens that the segment's iterations work on
        ("residents", "i8", (2,)),  # FIRST and LAST of all requests here, by arrival,
        ("prompts", "i8", (2,)),  # of the waiting prompts,
        ("preempted", "i8", (2,)),  # of the preempted decodes
        ("links", "i8", (1, 2)),  # POOL
        ("pool", "i8"),
        ("home", "i8"),  # the pool that it returns to
        ("context", "i8"),  # tokens in front of the batch's decodes
        ("kept", "i8"),  # tasks of the batch that ran just before
        ("batch", "i4", (MAX_BATCH,)),
        ("left", "i4", (MAX_BATCH,)),  # tokens that each decode of the batch has to make
    ],
    align=True,
)
EVENT = np.dtype([("time", "f8"), ("order", "i8"), ("kind", "i8"), ("of", "i8"), ("version", "i8")], align=True)
SIMULATION = np.dtype(
    [
        ("now", "f8"),
        ("order", "i8"),  # of the next event, among those of one time
        ("executed", "i8"),  # events
        ("iterations", "i8"),
        ("fed", "i8"),  # requests so far
        ("next", "i8"),  # request to arrive
        ("events", "i8"),
        ("alive", "i8"),  # events that are no retry
        ("failed", "i8"),  # transfers in a row
        ("status", "i8"),
        ("placed", "i8", (2,)),  # under ASKED, the machines of the request that arrives next; NONE: not asked yet
        ("late", "i8", (3, 3)),  # requests, by TTFT, decoding and E2E, and by percentile
        ("next_balance", "f8"),
        ("prompt_tokens", "i8"),  # what the pools are balanced by
        ("decoding", "i8"),
        ("pools", "i8", (3, 2)),  # FIRST and LAST machine
        ("selection", "i8"),  # number of the selection under way (batching.select),
        ("memory", "i8"),  # the bytes that it comes to,
        ("chosen_count", "i8"),
        ("chosen", "i8", (MAX_BATCH,)),  # its tasks
    ],
    align=True,
)


class Limits(NamedTuple):
    """Limits of a cluster. memory, weights, kv: bytes of a machine, of the model, and of a token's KV cache. tokens:
    budget of a batch. starved: missed selections after which a task goes first. queue: tokens that may wait for a
    prompt machine. retry_s: time after which a transfer that found no room is tried again. layers: layers that a cache
    is sent in, one after the other while the prompt runs, over shared links; 0 sends it whole after the prompt at
    `bandwidth` bytes/s, as if it were alone. balance_s: time between two balances of the pools; 0 leaves them.
    prompt_token_s: seconds that a prompt machine needs for a token. decodes: number that a token machine is meant to
    hold."""

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
    """Seconds and watts of an iteration, by kind of machine.

    tokens: (knots,). prompt_s, decode_s, prompt_w: (kinds, knots) at a number of prompt tokens, of decodes, of prompt
    tokens. affine: (kinds, 3) further seconds of decodes: for each, for each above BEND, for each token of context.
    decode_w: (kinds,). mixed: (kinds,) factor on the prompts' time where decodes are in the same batch.
    """

    tokens: np.ndarray
    prompt_s: np.ndarray
    decode_s: np.ndarray
    prompt_w: np.ndarray
    affine: np.ndarray
    decode_w: np.ndarray
    mixed: np.ndarray


class Counts(NamedTuple):
    """Optional counters of a run, and its conditions for stopping early.

    window: (2,) arrivals of the requests whose gaps between tokens count. edges: (bins + 1,) of gaps, ascending. gaps:
    (bins,) tokens. power: (machines, bins of time, 4), joules of both phases, then seconds. width: (1,) seconds.
    active: (most + 1,) seconds of machines by the tokens that an iteration works on. slowdowns, allowed: (3, 3) limits
    over `alone_s`, and how many requests may exceed them before the run is infeasible.
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
    """State of the event loop. requests: (slots,) REQUEST. machines: (machines,) MACHINE. waiting: (machines, capacity)
    tasks. events: a heap of EVENT. simulation: (1,) SIMULATION."""

    requests: np.ndarray
    machines: np.ndarray
    waiting: np.ndarray
    events: np.ndarray
    simulation: np.ndarray
    times: Times
    counts: Counts


@compiled
def request_of(task):
    return task >> 1


@compiled
def is_decode(task):
    return task & 1


@compiled
def phase_of(task):
    return task & 1


@compiled
def task_of(r, phase):
    return 2 * r + phase


@compiled
def batch_tokens(request, task):
    """Return the tokens that an iteration works on for the task."""
    return 1 if is_decode(task) else request.prompt


@compiled
def kv_needed(request, task, kv):
    """Return the bytes of KV cache that the task allocates when it starts."""
    return np.int64(request.output - 1 if is_decode(task) else request.prompt + 1) * kv
