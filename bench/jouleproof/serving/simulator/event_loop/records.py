"""Records and constants of the event loop. Times are in seconds, memory in bytes, work in tokens.

A task is a number: 2 r is the prompt of the request in slot r, 2 r + 1 its decode. Slots form a ring and are reused, so
a stream needs memory only for the requests in progress.
"""

from typing import NamedTuple

import numpy as np

from jouleproof.kernels import njit

# Nothing is allocated here, so references need not be counted (_nrt=False). The state is some twenty arrays, whose
# descriptors would be copied at every call that is not inlined. Together, both options cut the time to a third. Only
# `loop.run` is cached on disk: a cached function keeps its compiled callees, even after their files have changed.
compiled = njit(error_model="numpy", _nrt=False, forceinline=True)
compiled_and_cached = njit(error_model="numpy", _nrt=False, cache=True)

MAX_BATCH = 512
BEND = 16  # decodes in a batch above which each further one costs more
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
        ("last_token", "f8"),  # time of the last token; while the prompt runs, its start
        ("alone_s", "f8", (3,)),  # TTFT, time of all later tokens, and E2E on an otherwise idle machine
        ("prompt", "i4"),
        ("output", "i4"),
        ("remaining", "i4"),  # tokens to decode, not updated while the decode runs
        ("missed", "i4", (2,)),  # selections that the prompt and the decode missed
        ("read", "i4"),  # tokens of a prompt that is read in chunks
        ("links", "i4", (2, 2)),  # RESIDENT; QUEUE: waiting prompts, later preempted decodes
        ("selected", "i4"),  # number of the last selection that took it
        ("machine", "i2", (2,)),  # of the prompt, of the decode
        ("state", "u1", (2,)),
    ],
    align=True,
)
MACHINE = np.dtype(
    [
        ("used", "i8"),  # bytes of weights and KV caches
        ("reserved", "i8"),  # the same with the caches of all its requests
        ("pending", "i8"),  # tokens of unfinished prompts, and unfinished decodes
        ("step", "f8"),  # current segment: seconds of its first iteration,
        ("steps", "i8"),  # number of iterations,
        ("end", "f8"),
        ("growth", "f8"),  # seconds by which each iteration is longer than the one before,
        ("begun", "f8"),
        ("watts", "f8"),
        ("phase", "i8"),
        ("busy_s", "f8", (2,)),  # by phase
        ("energy_j", "f8", (2,)),
        ("link", "f8"),  # bytes/s
        ("link_free", "f8"),  # time from which it is free
        ("hop_s", "f8"),  # seconds after every layered transfer
        ("version", "i8"),  # of the current segment; ends of earlier ones are ignored
        ("kind", "i8"),  # row of Times
        ("cut", "i8"),  # whether the current segment was cut short
        ("batch_size", "i8"),
        ("batch_prompts", "i8"),  # prompt tokens in the batch
        ("batch_tokens", "i8"),
        ("waiting", "i8"),  # tasks
        ("active", "i8"),  # tokens that the segment's iterations work on
        ("residents", "i8", (2,)),  # FIRST and LAST of all requests here by arrival,
        ("prompts", "i8", (2,)),  # of the waiting prompts,
        ("preempted", "i8", (2,)),  # of the preempted decodes
        ("links", "i8", (1, 2)),  # POOL
        ("pool", "i8"),
        ("home", "i8"),  # pool to which it returns
        ("context", "i8"),  # tokens of context of the batch's decodes
        ("most_decodes", "i8"),  # at once, so far
        ("kept", "i8"),  # tasks that also ran in the previous batch
        ("batch", "i4", (MAX_BATCH,)),
        ("left", "i4", (MAX_BATCH,)),  # tokens that each decode still has to generate
    ],
    align=True,
)
EVENT = np.dtype([("time", "f8"), ("order", "i8"), ("kind", "i8"), ("of", "i8"), ("version", "i8")], align=True)
SIMULATION = np.dtype(
    [
        ("now", "f8"),
        ("order", "i8"),  # number of the next event, to order those of one time
        ("executed", "i8"),  # events
        ("iterations", "i8"),
        ("fed", "i8"),  # requests so far
        ("next", "i8"),  # request that arrives next
        ("events", "i8"),
        ("alive", "i8"),  # events other than retries
        ("failed", "i8"),  # consecutive failed transfers
        ("status", "i8"),
        ("placed", "i8", (2,)),  # under ASKED, the machines of the next request; NONE before asking
        ("late", "i8", (3, 3)),  # requests over a limit, by TTFT, decoding and E2E, and by percentile
        ("next_balance", "f8"),
        ("prompt_tokens", "i8"),  # of arrived prompts, for the balance of the pools
        ("decoding", "i8"),
        ("pools", "i8", (3, 2)),  # FIRST and LAST machine
        ("selection", "i8"),  # number of the current selection (batching.select),
        ("memory", "i8"),  # bytes in use with its tasks,
        ("chosen_count", "i8"),
        ("chosen", "i8", (MAX_BATCH,)),  # its tasks
    ],
    align=True,
)


class Limits(NamedTuple):
    """Limits of a cluster. memory, weights, kv: bytes of a machine, of the model, and of a token's KV cache. tokens:
    budget of a batch. starved: missed selections after which a task goes first. queue: tokens that may wait for a
    prompt machine. retry_s: time until a transfer that found no room is tried again. layers: number of layers in which
    a cache is sent while the prompt runs, over shared links; 0 sends the whole cache after the prompt, at `bandwidth`
    bytes/s over unshared links. balance_s: time between two balances of the pools; 0 never balances them.
    prompt_token_s: seconds per token on a prompt machine. decodes: intended number on a token machine."""

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

    tokens: (knots,). prompt_s, prompt_w: (kinds, knots) by prompt tokens. decode_s: (kinds, knots) by decodes. affine:
    (kinds, 3) additional seconds per decode, per decode above BEND, and per token of context. decode_w: (kinds,).
    mixed: (kinds,) factor on the time of prompts if decodes are in the same batch.
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

    window: (2,) first and last arrival of the requests whose gaps between tokens count. edges: (bins + 1,) of gaps,
    ascending. gaps: (bins,) tokens. power: (machines, time bins, 4) joules of both phases, then seconds. width: (1,)
    seconds of a time bin. active: (most + 1,) seconds of all machines by the tokens that an iteration works on.
    slowdowns, allowed: (3, 3) limits over `alone_s`, and how many requests may exceed each before the run is
    infeasible.
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
    """The state of the event loop. requests: (slots,) REQUEST. machines: (machines,) MACHINE. waiting: (machines,
    capacity) tasks. events: a heap of EVENT. simulation: (1,) SIMULATION."""

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
    """Return the number of the task's tokens that an iteration works on."""
    return 1 if is_decode(task) else request.prompt


@compiled
def kv_needed(request, task, kv):
    """Return the bytes of KV cache that a task allocates when it starts."""
    return np.int64(request.output - 1 if is_decode(task) else request.prompt + 1) * kv
