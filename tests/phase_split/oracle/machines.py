"""Clock, requests, tasks and machines of the oracle: one Python object for each."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

BEND, LATEST_S = 16, 86_400.0
MAX_BATCH, MAX_TOKENS, STARVED, QUEUE_LIMIT = 512, 2048, 4, 8192
BANDWIDTH, RETRY_S, MIXED = 200 * 1024**3, 1.0, 1.1  # bytes/s, s
QUEUED, RUNNING, BLOCKED, DONE = "queued", "running", "blocked", "done"


@dataclass
class World:
    """Settings of the oracle. layers: 0 moves caches whole, at BANDWIDTH, over unshared links."""

    machine_bytes: int = 8 * 85_899_345_920
    weight_bytes: int = 329_000_000_000
    kv_bytes: int = 4_014_080
    layers: int = 0


@dataclass(eq=False)
class Task:
    request: Request
    is_prompt: bool
    remaining: int
    cost: int
    need: int
    state: str = "not delivered"
    waits: int = 0

    @property
    def key(self):
        return (self.waits, self.request.arrival)


@dataclass(eq=False)
class Request:
    number: int
    arrival: float
    prompt_tokens: int
    output_tokens: int
    kv_bytes: int
    held: int = 0
    last_token: float = math.nan
    gaps: list[float] = field(default_factory=list)
    ttft: float = math.nan
    e2e: float = math.nan
    prompt_machine: Machine | None = None
    token_machine: Machine | None = None

    def __post_init__(self):
        self.prompt = Task(self, True, 1, self.prompt_tokens, (self.prompt_tokens + 1) * self.kv_bytes)
        self.decode = Task(self, False, self.output_tokens - 1, 1, (self.output_tokens - 1) * self.kv_bytes)


class Event:
    def __init__(self, time, action):
        self.time, self.action, self.cancelled = time, action, False


class Clock:
    def __init__(self):
        self.now, self.queue, self.count, self.executed = 0.0, [], 0, 0

    def at(self, time, action):
        event = Event(time, action)
        heapq.heappush(self.queue, (time, self.count, event))
        self.count += 1
        return event

    def run(self):
        while self.queue and self.now <= LATEST_S:
            time, _, event = heapq.heappop(self.queue)
            if not event.cancelled:
                self.now = time
                self.executed += 1
                event.action()


class Knots:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __call__(self, value):
        i = 0
        while i < len(self.x) - 2 and value > self.x[i + 1]:
            i += 1
        x0, x1, y0, y1 = self.x[i], self.x[i + 1], self.y[i], self.y[i + 1]
        return (y1 - y0) / (x1 - x0) * (value - x0) + y0


@dataclass
class Kind:
    """A kind of machine: seconds of prompts and of decodes by tokens; additional seconds per decode, per decode above
    BEND, and per token of context; bytes/s of its link."""

    prompt_s: Knots
    decode_s: Knots
    affine: tuple[float, float, float] = (0.0, 0.0, 0.0)
    link: float = 200e9
    hop_s: float = 0.0

    def iteration_s(self, prompts, decodes, context):
        """Return the seconds of an iteration. prompts: prompt tokens. context: tokens that attention reads."""
        per_decode, above, per_context = self.affine
        further = per_decode * decodes + above * max(decodes - BEND, 0) + per_context * context
        if not prompts:
            return self.decode_s(decodes) + further
        return (MIXED if decodes else 1.0) * self.prompt_s(prompts + decodes) + further


class Machine:
    def __init__(self, number, kind, clock, scheduler, world):
        self.number, self.clock, self.scheduler = number, clock, scheduler
        self.kind, self.world = kind, world
        self.link_free = 0.0
        self.used = self.reserved = world.weight_bytes
        self.pending = 0
        self.present: list[tuple[Request, list[Task]]] = []
        self.waiting: list[Task] = []
        self.waiting_prompts: list[Task] = []
        self.blocked: list[Task] = []
        self.batch: list[Task] = []
        self.batch_tokens = 0
        self.end = None
        self.d, self.growth, self.k, self.cut, self.begun = 0.0, 0.0, 0, False, 0.0

    def deliver(self, task):
        task.state = QUEUED
        for request, tasks in self.present:
            if request is task.request:
                tasks.append(task)
                break
        else:
            place = len(self.present)
            while place and self.present[place - 1][0].arrival > task.request.arrival:
                place -= 1
            self.present.insert(place, (task.request, [task]))
        self.insert_waiting(task)
        if task.is_prompt:
            self.waiting_prompts.append(task)
        if not self.batch:
            if self.used + task.need <= self.world.machine_bytes:
                self.begin()
            return
        prompts = sum(t.request.prompt_tokens for t in self.batch if t.is_prompt)
        decodes = any(not t.is_prompt for t in self.batch)
        fits = len(self.batch) < MAX_BATCH and self.batch_tokens + task.cost <= MAX_TOKENS
        if fits or (task.is_prompt and decodes and prompts + task.request.prompt_tokens <= MAX_TOKENS):
            self.cut_short()

    def insert_waiting(self, task):
        low, high = 0, len(self.waiting)
        while low < high:
            middle = (low + high) // 2
            if task.key < self.waiting[middle].key:
                high = middle
            else:
                low = middle + 1
        self.waiting.insert(low, task)

    def select(self):
        chosen, chosen_requests, total, memory = [], set(), 0, self.used

        def over(task):
            return bool(chosen) and total + task.cost > MAX_TOKENS

        def take(task):
            nonlocal total
            chosen.append(task)
            chosen_requests.add(task.request)
            total += task.cost

        def fits(task):
            return task.need + memory <= self.world.machine_bytes

        for task in self.waiting:
            if task.waits < STARVED or len(chosen) == MAX_BATCH or over(task):
                break
            if task.request in chosen_requests:
                continue
            if task.state == BLOCKED:
                take(task)
            elif fits(task):
                take(task)
                memory += task.need
        for task in self.waiting_prompts:
            if len(chosen) == MAX_BATCH or over(task):
                break
            if task.request in chosen_requests:
                continue
            if not fits(task):
                break
            take(task)
            memory += task.need
        for owned in (self.blocked, self.batch):
            for task in owned:
                if len(chosen) == MAX_BATCH or over(task):
                    break
                if task.request not in chosen_requests:
                    take(task)
        for _, tasks in self.present:
            task = tasks[0]
            if len(chosen) == MAX_BATCH:
                break
            if task.request in chosen_requests:
                continue
            if over(task):
                break
            if task.state == BLOCKED:
                take(task)
            elif fits(task):
                take(task)
                memory += task.need
            else:
                break
        self.batch_tokens = total
        preempted = [task for task in self.batch if task not in chosen]
        new = [task for task in chosen if task not in self.batch]
        return preempted, new

    def begin(self):
        preempted, new = self.select()
        for task in preempted:
            task.state = BLOCKED
            self.batch.remove(task)
            self.insert_waiting(task)
            self.blocked.append(task)
        for task in new:
            self.waiting.remove(task)
            if task in self.blocked:
                self.blocked.remove(task)
            if task in self.waiting_prompts:
                self.waiting_prompts.remove(task)
            self.batch.append(task)
        for _, tasks in self.present:
            if tasks[0] not in self.batch:
                tasks[0].waits += 1
        if not self.batch:
            if not self.present:
                self.scheduler.free(self)
            return
        prompts = sum(t.request.prompt_tokens for t in self.batch if t.is_prompt)
        decodes = sum(not t.is_prompt for t in self.batch)
        context = sum(
            t.request.prompt_tokens + t.request.output_tokens - t.remaining for t in self.batch if not t.is_prompt
        )
        self.d = self.kind.iteration_s(prompts, decodes, context)
        self.growth = 0.0 if prompts else self.kind.affine[2] * decodes
        self.k = 1 if prompts else min(t.remaining for t in self.batch)
        for task in self.batch:
            if task.state == QUEUED:
                self.used += task.need
                task.request.held += task.need
            task.state = RUNNING
            if task.is_prompt:
                task.request.last_token = self.clock.now
        self.begun = self.clock.now
        self.end = self.clock.at(self.clock.now + self.length(self.k), self.finish)

    def length(self, iterations):
        return sum(self.d + self.growth * i for i in range(iterations)) if self.growth else self.d * iterations

    def cut_short(self):
        if self.cut or any(task.is_prompt for task in self.batch):
            return
        self.cut = True
        elapsed = self.clock.now - (self.end.time - self.length(self.k))
        if self.growth:
            self.k, until = 1, self.d
            while until <= elapsed:
                until += self.d + self.growth * self.k
                self.k += 1
        else:
            self.k = int(elapsed // self.d) + 1
        self.end.cancelled = True
        self.end = self.clock.at(self.clock.now + (self.length(self.k) - elapsed), self.finish)

    def finish(self):
        for task in self.batch:
            if not task.is_prompt:
                task.request.gaps.append(self.begun + self.d - task.request.last_token)
                task.request.gaps += [self.d + self.growth * i for i in range(1, self.k)]
                task.request.last_token = self.clock.now
            task.remaining -= 1 if task.is_prompt else self.k
        for task in [task for task in self.batch if task.remaining == 0]:
            self.complete(task)
        self.cut = False
        self.begin()

    def complete(self, task):
        request = task.request
        task.state = DONE
        self.batch.remove(task)
        place = next(i for i, (resident, _) in enumerate(self.present) if resident is request)
        tasks = self.present[place][1]
        tasks.remove(task)
        if not tasks:
            del self.present[place]
        if task.is_prompt:
            self.pending -= request.prompt_tokens
            request.ttft = self.clock.now - request.arrival
            prompt_began, request.last_token = request.last_token, self.clock.now
            if request.output_tokens == 1:
                self.pending -= 1
                self.used -= request.held
                self.reserved -= request.held
                request.e2e = self.clock.now - request.arrival
            elif request.decode.state == "not delivered":
                self.scheduler.transfer(request, prompt_began)
        else:
            self.pending -= 1
            self.used -= request.held
            self.reserved -= request.held
            request.e2e = self.clock.now - request.arrival

    def memory_freed(self):
        if not self.waiting:
            return
        if not self.batch:
            if self.used + self.waiting[0].need <= self.world.machine_bytes:
                self.begin()
        elif len(self.batch) < MAX_BATCH and self.batch_tokens < MAX_TOKENS:
            self.cut_short()
