"""The router in front of the workers: it admits requests at their arrival times, assigns them to workers, and records
the tokens that the workers report."""

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Literal

from jouleproof.errors import UserError
from jouleproof.measure.clocks import Stopwatch, now, own_cpu_seconds
from jouleproof.processes import Report
from jouleproof.serving.engine.fleet import Fleet, WorkerDied
from jouleproof.serving.engine.transport import Move
from jouleproof.serving.rules import Policy

HEAD_START_S = 0.05  # until the clock of the arrivals starts, so that the first request is sent in time
SILENCE_S = 60.0  # a worker counts as dead after this time without a report while requests are in progress
Status = Literal["waiting", "done", "refused", "left", "failed"]


@dataclass(frozen=True)
class Request:
    """A request to serve. prompt: tokens. output: number of tokens to generate; none ends the text early. leaves_s:
    time from arrival until the client disconnects."""

    arrival_s: float
    prompt: Sequence[int]
    output: int
    leaves_s: float = inf


@dataclass(frozen=True)
class Rules:
    """Rules of one run. prompt_workers: number of workers that read prompts if the phases are split. tokens: budget of
    a batch. retries: most new starts of a request after a worker died."""

    policy: Policy
    prompt_workers: int = 1
    tokens: int = 2048
    move: Move = field(default_factory=Move)
    retries: int = 2


@dataclass
class Outcome:
    """The outcome of one request. reason: why it was refused or failed. times_s: time of every token, on the clock of
    the arrivals.

    sent_s, taken_s: seconds that the sender and the receiver spent on its KV cache. arrived_s: time at which the
    cache was in place, on the same clock. moved_bytes: size of all its messages.
    """

    status: Status = "waiting"
    reason: str = ""
    tokens: list[int] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    retries: int = 0
    sent_s: float = 0.0
    taken_s: float = 0.0
    arrived_s: float = 0.0
    moved_bytes: int = 0


@dataclass(frozen=True)
class Served:
    """The result of a run. outcomes: in the order of the requests. cpu_share: by rank, a worker's processor time
    over the time of its iterations; 1 without iterations. router_cpu_s: processor time of this process. deaths: how
    workers died."""

    outcomes: list[Outcome]
    cpu_share: list[float]
    router_cpu_s: float
    wall_s: float
    deaths: list[str]


def serve(fleet: Fleet, requests: Sequence[Request], rules: Rules) -> Served:
    """Serve all requests and return their outcomes. requests: in order of arrival.

    If a worker dies, all workers are restarted, and the requests in flight start again but keep the tokens that their
    clients already have. Raises UserError if the rules do not fit the workers, or the workers cannot be restarted.
    """
    split = rules.policy == "split"
    if split and not 0 < rules.prompt_workers < fleet.plan.workers:
        raise UserError(
            f"engine: prompt_workers must be at least 1 and less than workers={fleet.plan.workers}, got "
            f"{rules.prompt_workers}"
        )
    run = _Run(fleet, requests, rules)
    watch, cpu_s = Stopwatch(), own_cpu_seconds()
    run.to_the_end()
    return Served(
        outcomes=run.outcomes,
        cpu_share=run.cpu_shares(),
        router_cpu_s=own_cpu_seconds() - cpu_s,
        wall_s=watch.wall_s(),
        deaths=run.deaths,
    )


class _Run:
    """The state of one call of `serve`."""

    def __init__(self, fleet: Fleet, requests: Sequence[Request], rules: Rules) -> None:
        self.fleet, self.requests, self.rules = fleet, requests, rules
        self.outcomes = [Outcome() for _ in requests]
        self.deaths: list[str] = []
        split = rules.policy == "split"
        ranks = range(fleet.plan.workers)
        self.prompt_pool = list(ranks)[: rules.prompt_workers] if split else list(ranks)
        self.token_pool = list(ranks)[rules.prompt_workers :] if split else []
        self.start_s = 0.0
        self.came: dict[int, int] = {}  # by request in progress: tokens received since its last start
        self.queue: deque[int] = deque()  # requests that wait for a box
        try:
            self._begin()
        except WorkerDied as died:
            self._begin_again(died)

    def _begin(self) -> None:
        rules = self.rules
        for rank in range(self.fleet.plan.workers):
            chunked = rules.policy == "chunked"
            self.fleet.tell(rank, do="begin", tokens=rules.tokens, chunked=chunked, move=asdict(rules.move))
        self.pending = [0] * self.fleet.plan.workers  # by worker: tokens of unread prompts, plus unfinished requests
        self.at: dict[int, tuple[int, int]] = {}  # by request: ranks of its prompt worker and token worker
        self.boxes = list(range(self.fleet.plan.boxes))
        self.box_of: dict[int, int] = {}
        self.came.clear()
        self.queue.clear()

    def to_the_end(self) -> None:
        self.start_s = now() + HEAD_START_S
        coming = deque(range(len(self.requests)))
        leaving = sorted(
            (request.arrival_s + request.leaves_s, number)
            for number, request in enumerate(self.requests)
            if request.leaves_s < inf
        )
        heard_s = now()
        while coming or self.came or self.queue:
            try:
                clock = now() - self.start_s
                while coming and self.requests[coming[0]].arrival_s <= clock:
                    self._arrive(coming.popleft())
                while leaving and leaving[0][0] <= clock:
                    self._hang_up(leaving.pop(0)[1])
                next_s = min(self.requests[coming[0]].arrival_s if coming else inf, leaving[0][0] if leaving else inf)
                reports = self.fleet.reports(min(next_s - (now() - self.start_s), 1.0))
                for _, report in reports:
                    self._hear(report)
                if reports or not self.came:
                    heard_s = now()
                elif now() - heard_s > SILENCE_S:
                    raise WorkerDied(min(self.at[number][0] for number in self.came), "stopped reporting")
            except WorkerDied as died:
                self._begin_again(died)
                heard_s = now()

    def cpu_shares(self) -> list[float]:
        """Return each worker's processor time over the time of its iterations, since the run began or the last start
        of the workers; 0 for all if one has just died."""
        ranks = range(self.fleet.plan.workers)
        try:
            for rank in ranks:
                self.fleet.tell(rank, do="stats")
            stats = self.fleet.answers("stats", ranks)
        except WorkerDied as died:
            self.deaths.append(str(died))
            self.fleet.start()
            return [0.0 for _ in ranks]
        return [stats[rank]["cpu_s"] / stats[rank]["busy_s"] if stats[rank]["busy_s"] else 1.0 for rank in ranks]

    def _arrive(self, number: int) -> None:
        request, capacity = self.requests[number], self.fleet.plan.capacity
        tokens = len(request.prompt) + request.output - 1  # the last token is generated, never read
        if not request.prompt or request.output < 1:
            self._end(number, "refused", "prompt and output must have at least one token each")
        elif tokens > capacity:
            self._end(number, "refused", f"{tokens} tokens do not fit into a cache of {capacity} tokens")
        else:
            self._submit(number)

    def _submit(self, number: int) -> None:
        request = self.requests[number]
        if self.token_pool and request.output > 1:
            self.queue.append(number)
            self._send_off()
            return
        rank = self._least_busy(self.prompt_pool)
        self._take_on(number, rank, rank)
        self.fleet.tell(rank, do="prompt", id=number, prompt=list(request.prompt), wanted=request.output)

    def _least_busy(self, pool: Sequence[int]) -> int:
        return min(pool, key=self.pending.__getitem__)

    def _take_on(self, number: int, prompt_rank: int, token_rank: int) -> None:
        self.at[number], self.came[number] = (prompt_rank, token_rank), 0
        self.pending[prompt_rank] += len(self.requests[number].prompt)
        self.pending[token_rank] += 1

    def _send_off(self) -> None:
        """Submit queued requests while there are free boxes for their caches."""
        while self.queue and self.boxes:
            number = self.queue.popleft()
            prompt, box = list(self.requests[number].prompt), self.boxes.pop()
            reader, maker = self._least_busy(self.prompt_pool), self._least_busy(self.token_pool)
            self._take_on(number, reader, maker)
            self.box_of[number] = box
            self.fleet.tell(maker, do="expect", tokens=len(prompt), box=box, source=reader)
            self.fleet.tell(reader, do="prompt", id=number, prompt=prompt, wanted=1, box=box, to=maker)

    def _hear(self, report: Report) -> None:
        time_s = report.get("t", 0.0) - self.start_s
        for number, token in report.get("generated", []):
            self._token(number, token, time_s)
        for number, first, seconds, size in report.get("moved", []):
            outcome, request = self.outcomes[number], self.requests[number]
            outcome.sent_s, outcome.moved_bytes = seconds, size
            read, wanted, box = len(request.prompt), request.output, self.box_of[number]
            self.fleet.tell(
                self.at[number][1], do="continue", id=number, read=read, wanted=wanted, first=first, box=box
            )
        if "taken" in report:
            number, seconds = report["taken"]
            self.outcomes[number].taken_s, self.outcomes[number].arrived_s = seconds, time_s
            self.boxes.append(self.box_of.pop(number))
            if self.outcomes[number].status == "left":
                self._drop(number)
            self._send_off()

    def _token(self, number: int, token: int, time_s: float) -> None:
        if number not in self.came:  # its client has left
            return
        request, outcome = self.requests[number], self.outcomes[number]
        self.came[number] += 1
        if self.came[number] == 1:
            self.pending[self.at[number][0]] -= len(request.prompt)
        if outcome.status == "waiting" and self.came[number] > len(outcome.tokens):
            outcome.tokens.append(token)
            outcome.times_s.append(time_s)
        if self.came[number] == request.output:
            self._forget(number)
            self._end(number, "done")

    def _forget(self, number: int) -> None:
        if number in self.came:
            if not self.came.pop(number):
                self.pending[self.at[number][0]] -= len(self.requests[number].prompt)
            self.pending[self.at.pop(number)[1]] -= 1

    def _end(self, number: int, status: Status, reason: str = "") -> None:
        if self.outcomes[number].status == "waiting":
            self.outcomes[number].status, self.outcomes[number].reason = status, reason

    def _hang_up(self, number: int) -> None:
        """End a request whose client has left. A request whose cache is in transfer is dropped once the cache has
        arrived."""
        if self.outcomes[number].status != "waiting":
            return
        self._end(number, "left", f"the client left after {self.requests[number].leaves_s:g} s")
        if number in self.queue:
            self.queue.remove(number)
        elif number in self.came and number not in self.box_of:
            self._drop(number)

    def _drop(self, number: int) -> None:
        rank = self.at[number][1]
        self._forget(number)
        self.fleet.tell(rank, do="drop", id=number)

    def _begin_again(self, died: WorkerDied) -> None:
        """Restart the requests in flight from their prompts, except those without retries left."""
        again = sorted([*self.came, *self.queue])
        while True:
            self.deaths.append(str(died))
            self.fleet.start()
            try:
                self._begin()
                for number in again:
                    self._try_again(number, died)
                return
            except WorkerDied as another:
                died = another

    def _try_again(self, number: int, died: WorkerDied) -> None:
        outcome = self.outcomes[number]
        if outcome.status != "waiting":
            return
        outcome.retries += 1
        if outcome.retries > self.rules.retries:
            self._end(number, "failed", f"failed {self.rules.retries + 1} times; last error: {died}")
        else:
            self._submit(number)
