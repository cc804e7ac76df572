"""A single run of the simulator: from a cluster design, a model and requests to the results of every request and
machine."""

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jouleproof.errors import UserError, reason
from jouleproof.serving.rules import STARVED
from jouleproof.serving.simulator.admission import DRAIN_S, power_bins, refuse_late, refuse_what_never_fits
from jouleproof.serving.simulator.cost_model import Performance, extrapolated
from jouleproof.serving.simulator.event_loop import loop, records
from jouleproof.serving.simulator.event_loop.linked_lists import chain
from jouleproof.serving.simulator.machines import GIB, Design, Load
from jouleproof.serving.simulator.performance import performance, times
from jouleproof.serving.simulator.served_models import ServedModel, served
from jouleproof.serving.simulator.workload import Requests

GAP_EDGES = np.geomspace(1e-3, 1e3, 1501)  # s; bins of 0.9 %
BATCH_TOKENS = 2048
FIRST_CAPACITY = 1024  # waiting tasks per machine; the capacity for events is a multiple of it
MOST_CAPACITY = 1 << 22
MOST_ACTIVE = 16_384  # tokens of a batch; larger batches are counted at this number
POLICIES = {"together": records.TOGETHER, "split": records.SPLIT, "chunked": records.CHUNKED}


@dataclass(frozen=True)
class Semantics:
    """Corrections of the published simulator's errors; each can be switched on alone.

    by_context: decode time depends on batch and context, not on the published axis. layered: caches move layer by layer
    over shared links, not whole at 200 GiB/s each. shared_heads: the cache holds only the key-value heads that the
    model has. link_bytes_per_s: rate of all links, in place of each machine's; infinite if moving a cache takes no
    time.
    """

    by_context: bool = True
    layered: bool = True
    shared_heads: bool = True
    link_bytes_per_s: float | None = None


PUBLISHED = Semantics(by_context=False, layered=False, shared_heads=False)
CORRECTED = Semantics()


@dataclass(frozen=True)
class Window:
    """The arrivals that count, from `first` up to `last` seconds: earlier ones fill the cluster, later ones drain
    it."""

    first: float = -np.inf
    last: float = np.inf


@dataclass(frozen=True)
class Hopeless:
    """The condition for stopping early: more than `allowed` requests are slower than `slowdowns` times their time
    alone.

    alone_s: (n, 3) seconds: TTFT, all later tokens, and E2E; infinite for requests that do not count. slowdowns,
    allowed: (3, 3) by these measures and by percentile.
    """

    alone_s: np.ndarray
    slowdowns: np.ndarray
    allowed: np.ndarray


@dataclass(frozen=True)
class Run:
    """The result of a run. By request: ttft_s; tbt_s, the mean gap (NaN without gaps); e2e_s, NaN if it did not finish;
    prompt_machine, token_machine: numbers in the order of the design. gaps: (1500,) by GAP_EDGES, if counted. busy_s,
    energy_j: (machines, 2) by phase. power: (machines, bins, 4) joules and seconds by phase in time bins. active_s:
    (16385,) seconds of all machines by the tokens that they worked on, if counted. idle_w: (machines,). most_decodes:
    that one machine ran at once. end_s: time of the last event. deadlock: whether the run stopped because no event was
    possible any more."""

    arrival_s: np.ndarray
    prompt: np.ndarray
    output: np.ndarray
    ttft_s: np.ndarray
    e2e_s: np.ndarray
    prompt_machine: np.ndarray
    token_machine: np.ndarray
    gaps: np.ndarray
    busy_s: np.ndarray
    energy_j: np.ndarray
    power: np.ndarray
    active_s: np.ndarray
    idle_w: np.ndarray
    most_decodes: int
    end_s: float
    events: int
    iterations: int
    deadlock: bool

    @property
    def unfinished(self) -> int:
        return int(np.isnan(self.e2e_s).sum())

    @property
    def energy_all_j(self) -> float:
        """Return the energy of all machines up to the last event, idle ones included."""
        idle_s = self.end_s - self.busy_s.sum(axis=1)
        return float(self.energy_j.sum() + (idle_s * self.idle_w).sum())

    @property
    def tbt_s(self) -> np.ndarray:
        """Return the mean gap of each request; NaN if it has one token."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.output > 1, (self.e2e_s - self.ttft_s) / (self.output - 1), np.nan)

    def watts(self, bin_s: float, bins: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (machines, bins) mean watts of the first bins of `power`, idle time included, and (machines, bins, 3)
        seconds of each bin by phase, idle last."""
        joules, busy_s = self.power[:, :bins, :2], self.power[:, :bins, 2:]
        idle_s = bin_s - busy_s.sum(axis=2)
        watts = (joules.sum(axis=2) + idle_s * self.idle_w[:, None]) / bin_s
        return watts, np.concatenate([busy_s, idle_s[:, :, None]], axis=2)

    def table(self) -> pd.DataFrame:
        """Return one row per request."""
        names = ("arrival_s", "ttft_s", "tbt_s", "e2e_s", "prompt_machine", "token_machine")
        columns = {name: getattr(self, name) for name in names}
        return pd.DataFrame({"request_id": np.arange(len(self.arrival_s)), **columns})


def simulate(
    design: Design,
    requests: Requests,
    semantics: Semantics = CORRECTED,
    model: str | ServedModel = "bloom-176b",
    window: Window | None = None,
    power_bin_s: float = 0.0,
    active: bool = False,
    hopeless: Hopeless | None = None,
) -> Run:
    """Simulate until every request is served, no event is possible any more, or the run is `hopeless`.

    window: requests whose gaps between tokens are counted; none by default. power_bin_s: width of the bins of `power`;
    0 keeps none. active: whether to count time by the tokens of an iteration. Raises RequestError if a request fits no
    machine or, under published semantics, which lose such requests, has a single output token.
    """
    refuse_late(requests)
    _refuse_what_never_fits(design, requests, semantics, model)
    machines, kept_s = len(design.machines), float(requests.arrival_s[-1]) + DRAIN_S
    capacity = FIRST_CAPACITY
    while True:
        counts = _nothing_counted(machines)
        if window:
            gaps = np.zeros(len(GAP_EDGES) - 1, np.int64)
            counts = counts._replace(window=np.array([window.first, window.last], dtype=float), gaps=gaps)
        if power_bin_s > 0:
            power = np.zeros((machines, power_bins(machines, kept_s, power_bin_s), 4))
            counts = counts._replace(power=power, width=np.array([power_bin_s], dtype=float))
        if active:
            counts = counts._replace(active=np.zeros(MOST_ACTIVE + 1))
        if hopeless:
            counts = counts._replace(slowdowns=hopeless.slowdowns, allowed=hopeless.allowed)
        state, limits = _start(design, semantics, model, len(requests), capacity, counts)
        _feed(state, requests)
        if hopeless:
            state.requests["alone_s"] = hopeless.alone_s
        _run(design, state, limits, False)
        if state.simulation[0]["status"] not in (records.WAITING_FULL, records.EVENTS_FULL):
            run = _result(state, requests, design)
            if power_bin_s <= 0 or run.end_s <= kept_s:
                return run
            kept_s = run.end_s
            continue
        if capacity >= MOST_CAPACITY:
            raise UserError(f"design {design.name}: more than {capacity} tasks are waiting for one machine")
        capacity *= 4


def stream(
    design: Design,
    batches: Iterable[Requests],
    semantics: Semantics = CORRECTED,
    model: str | ServedModel = "bloom-176b",
) -> Iterator[tuple[Requests, np.ndarray, np.ndarray]]:
    """Simulate a stream of batches and yield each with the seconds of TTFT and E2E; three are in memory at once.

    batches: in order of arrival and of equal length; the last may be shorter. Raises UserError if a request takes
    longer than two batches, or too many wait.
    """
    state: records.State | None = None
    limits: records.Limits | None = None
    held: list[Requests] = []  # batches in progress, the newest last
    taken = 0
    for batch in batches:
        _refuse_what_never_fits(design, batch, semantics, model)
        if state is None or limits is None:
            refuse_late(batch)
            nothing = _nothing_counted(len(design.machines))
            state, limits = _start(design, semantics, model, 3 * len(batch), 1 << 16, nothing)
        if len(held) > 1:
            yield held[0], *_taken(state, taken, len(held[0]))
            taken += len(held.pop(0))
        _feed(state, batch)
        _run(design, state, limits, True)
        _stop_where_full(design, state)
        held.append(batch)
    if state is None or limits is None:
        return
    _run(design, state, limits, False)
    _stop_where_full(design, state)
    for batch in held:
        yield batch, *_taken(state, taken, len(batch))
        taken += len(batch)


def _run(design: Design, state: records.State, limits: records.Limits, more: bool) -> None:
    if isinstance(design.policy, str):
        loop.run(state, limits, POLICIES[design.policy], more)
        return
    pending, reserved = (state.machines[name].view() for name in ("pending", "reserved"))
    load = Load(pending, reserved, prompt_pool=design.prompt[1])
    for readings in (load.pending, load.reserved):
        readings.flags.writeable = False
    simulation = state.simulation[0]
    loop.run(state, limits, records.ASKED, more)
    while simulation["status"] == records.ASKS:
        request = state.requests[simulation["next"] % len(state.requests)]
        simulation["placed"] = _places(design, int(request["prompt"]), int(request["output"]), load)
        simulation["status"] = records.GOING_ON
        loop.run(state, limits, records.ASKED, more)


def _places(design: Design, prompt: int, output: int, load: Load) -> tuple[int, int]:
    """Ask a user's scheduler for the machines of a request. Raises UserError unless it returns a pair of machines."""
    assert not isinstance(design.policy, str)
    try:
        machines = tuple(operator.index(machine) for machine in design.policy(prompt, output, load))
    except Exception as error:  # a user's function can break in any way
        asked = f"a request of {prompt} + {output} tokens"
        raise UserError(f"design {design.name}: its policy failed on {asked}: {reason(error)}") from error
    if len(machines) != 2 or not all(0 <= machine < len(load.pending) for machine in machines):
        raise UserError(
            f"design {design.name}: policy must return two machines from 0 to {len(load.pending) - 1}, got {machines}"
        )
    return machines


def _stop_where_full(design: Design, state: records.State) -> None:
    if state.simulation[0]["status"] != records.GOING_ON:
        raise UserError(f"design {design.name}: cannot keep up with the stream of requests")


def _taken(state: records.State, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    slots = (first + np.arange(count)) % len(state.requests)
    rows = state.requests[slots]
    _refuse_unfinished(rows["e2e"])
    return rows["ttft"].copy(), rows["e2e"].copy()


def _refuse_unfinished(e2e_s: np.ndarray) -> None:
    if np.isnan(e2e_s).any():
        raise UserError("stream: a request took longer than two batches; make the batches larger")


def _refuse_what_never_fits(design: Design, requests: Requests, semantics: Semantics, model: str | ServedModel) -> None:
    kinds, kv = [machine for machine, _ in design.pools], _kv_bytes(semantics, model)
    refuse_what_never_fits(design.name, kinds, requests, kv, served(model), semantics == PUBLISHED)


def _kv_bytes(semantics: Semantics, model: str | ServedModel) -> int:
    served_model = served(model)
    return (served_model if semantics.shared_heads else served_model.without_shared_heads()).kv_bytes


def _start(
    design: Design, semantics: Semantics, model: str | ServedModel, slots: int, capacity: int, counts: records.Counts
) -> tuple[records.State, records.Limits]:
    """Create the state of a cluster before its first request."""
    kinds = list(dict.fromkeys(design.machines))
    laws = [performance(kind, model, semantics.by_context) for kind in kinds]
    limits = _limits(design, semantics, served(model), laws[0])
    machines = _machines(design, semantics, limits.weights)
    machines["kind"] = [kinds.index(machine) for machine in design.machines]
    simulation = np.zeros(1, records.SIMULATION)
    simulation["pools"] = simulation["placed"] = records.NONE
    simulation["next_balance"] = design.balance_s
    in_prompt_pool = design.prompt[1]
    for pool, members in (
        (records.PROMPT_POOL, range(in_prompt_pool)),
        (records.TOKEN_POOL, range(in_prompt_pool, len(machines))),
    ):
        machines["pool"][members] = machines["home"][members] = pool
        chain(machines, records.POOL, simulation[0]["pools"][pool], members)
    state = records.State(
        requests=np.zeros(slots, records.REQUEST),
        machines=machines,
        waiting=np.zeros((len(machines), capacity), np.int64),
        events=np.zeros(16 * capacity, records.EVENT),
        simulation=simulation,
        times=times(laws),
        counts=counts,
    )
    return state, limits


def _limits(design: Design, semantics: Semantics, model: ServedModel, law: Performance) -> records.Limits:
    """Return the limits of a cluster. law: performance of a prompt machine."""
    return records.Limits(
        memory=int(min(machine.memory_bytes for machine in design.machines)),
        weights=model.weight_bytes,
        kv=_kv_bytes(semantics, model),
        tokens=design.batch_tokens,
        starved=STARVED,
        queue=8192,
        bandwidth=float(semantics.link_bytes_per_s or 200.0 * GIB),
        retry_s=1.0,
        layers=model.layers if semantics.layered else 0,
        balance_s=float(design.balance_s),
        prompt_token_s=float(extrapolated(np.array([BATCH_TOKENS]), law.tokens, law.prompt_s)[0]) / BATCH_TOKENS,
        decodes=float(design.decodes),
    )


def _machines(design: Design, semantics: Semantics, weights: int) -> np.ndarray:
    machines = np.zeros(len(design.machines), records.MACHINE)
    machines["used"] = machines["reserved"] = weights
    link, free = semantics.link_bytes_per_s, semantics.link_bytes_per_s == np.inf
    machines["link"] = [link or machine.link_bytes_per_s for machine in design.machines]
    machines["hop_s"] = [0.0 if free else machine.hop_s for machine in design.machines]
    for name in ("residents", "prompts", "preempted"):
        machines[name] = records.NONE
    return machines


def _nothing_counted(machines: int) -> records.Counts:
    return records.Counts(
        window=np.zeros(2),
        edges=GAP_EDGES,
        gaps=np.zeros(0, np.int64),
        power=np.zeros((machines, 0, 4)),
        width=np.ones(1),
        active=np.zeros(0),
        slowdowns=np.ones((3, 3)),
        allowed=np.zeros((3, 3), np.int64),
    )


def _feed(state: records.State, requests: Requests) -> None:
    """Add requests to the stream, in slots whose requests are done."""
    fed = int(state.simulation[0]["fed"])
    slots = (fed + np.arange(len(requests))) % len(state.requests)
    _refuse_unfinished(state.requests["e2e"][slots])
    rows = state.requests
    for name in ("missed", "selected", "state", "read"):
        rows[name][slots] = 0
    for name, values in (("arrival", requests.arrival_s), ("prompt", requests.prompt), ("output", requests.output)):
        rows[name][slots] = values
    rows["remaining"][slots] = requests.output - 1
    rows["ttft"][slots] = rows["e2e"][slots] = np.nan
    rows["alone_s"][slots] = np.inf
    rows["machine"][slots] = records.NONE
    state.simulation[0]["fed"] = fed + len(requests)


def _result(state: records.State, requests: Requests, design: Design) -> Run:
    rows, machines, simulation = state.requests, state.machines, state.simulation[0]
    return Run(
        arrival_s=requests.arrival_s,
        prompt=requests.prompt,
        output=requests.output,
        ttft_s=rows["ttft"].copy(),
        e2e_s=rows["e2e"].copy(),
        prompt_machine=rows["machine"][:, 0].copy(),
        token_machine=rows["machine"][:, 1].copy(),
        gaps=state.counts.gaps,
        busy_s=machines["busy_s"].copy(),
        energy_j=machines["energy_j"].copy(),
        power=state.counts.power,
        active_s=state.counts.active,
        idle_w=np.array([machine.idle_w for machine in design.machines]),
        most_decodes=int(machines["most_decodes"].max()),
        end_s=float(simulation["now"]),
        events=int(simulation["executed"]),
        iterations=int(simulation["iterations"]),
        deadlock=bool(simulation["status"] == records.DEADLOCK),
    )
