"""The simulator's rules, written plainly and slowly: one Python object per request, task and machine."""

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
    """What is set from outside. layers: 0 moves a cache whole, at BANDWIDTH, as if alone."""

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
    """A kind of machine: seconds of prompts and of decodes by tokens, further seconds of decodes for each, for each
    above BEND, and for each token of context; bytes/s of its link."""

    prompt_s: Knots
    decode_s: Knots
    affine: tuple[float, float, float] = (0.0, 0.0, 0.0)
    link: float = 200e9
    hop_s: float = 0.0

    def iteration_s(self, prompts, decodes, context):
        """Of so many prompt tokens and decodes; context: tokens that attention reads."""
        each, above, per_context = self.affine
        further = each * decodes + above * max(decodes - BEND, 0) + per_context * context
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

    # 7
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
        room = len(self.batch) < MAX_BATCH and self.batch_tokens + task.cost <= MAX_TOKENS
        if room or (task.is_prompt and decodes and prompts + task.request.prompt_tokens <= MAX_TOKENS):
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

    # 8
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

    # 9
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

    # 10
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

    # 11
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

    # 12
    def complete(self, task):
        request = task.request
        task.state = DONE
        self.batch.remove(task)
        place = next(i for i, (each, _) in enumerate(self.present) if each is request)
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

    # 14.2c
    def memory_freed(self):
        if not self.waiting:
            return
        if not self.batch:
            if self.used + self.waiting[0].need <= self.world.machine_bytes:
                self.begin()
        elif len(self.batch) < MAX_BATCH and self.batch_tokens < MAX_TOKENS:
            self.cut_short()


def least(machines, load):
    return min(machines, key=load) if machines else None


class Baseline:
    def __init__(self, clock, world, kind, count):
        self.machines = [Machine(i, kind, clock, self, world) for i in range(count)]

    def arrive(self, request):
        machine = least(self.machines, lambda m: m.pending)
        machine.pending += request.prompt_tokens + 1
        request.prompt_machine = request.token_machine = machine
        machine.deliver(request.prompt)
        if request.output_tokens > 1:
            machine.deliver(request.decode)

    def free(self, machine):
        pass


class ChunkedMachine:
    """One iteration after the other: all decodes, and of the prompts what there is room for."""

    def __init__(self, number, kind, clock, world, chunk):
        self.number, self.kind, self.clock, self.world, self.chunk = number, kind, clock, world, chunk
        self.queue, self.decodes, self.read, self.running = [], [], {}, False
        self.used, self.pending = world.weight_bytes, 0

    def whole(self, request):
        return (request.prompt_tokens + request.output_tokens) * self.world.kv_bytes

    def arrive(self, request):
        self.pending += request.prompt_tokens + 1
        self.queue.append(request)
        if not self.running:
            self.begin()

    def begin(self):
        parts, context = [], sum(r.prompt_tokens + r.output_tokens - r.decode.remaining for r in self.decodes)
        for request in self.queue:
            room = self.chunk - len(self.decodes) - sum(part for _, part in parts)
            if room <= 0 or len(parts) + len(self.decodes) == MAX_BATCH:
                break
            if request not in self.read:
                if self.used + self.whole(request) > self.world.machine_bytes:
                    break
                self.used += self.whole(request)
                self.read[request] = 0
            parts.append((request, min(room, request.prompt_tokens - self.read[request])))
            context += self.read[request]
        self.running = bool(parts or self.decodes)
        if self.running:
            lasts = self.kind.iteration_s(sum(part for _, part in parts), len(self.decodes), context)
            self.clock.at(self.clock.now + lasts, lambda: self.finish(parts))

    def finish(self, parts):
        now = self.clock.now
        for request in list(self.decodes):
            request.gaps.append(now - request.last_token)
            request.last_token = now
            request.decode.remaining -= 1
            if request.decode.remaining == 0:
                self.decodes.remove(request)
                self.leave(request)
        for request, part in parts:
            self.read[request] += part
            if self.read[request] == request.prompt_tokens:
                self.queue.remove(request)
                self.pending -= request.prompt_tokens
                request.ttft, request.last_token = now - request.arrival, now
                if request.output_tokens == 1:
                    self.leave(request)
                else:
                    self.decodes.append(request)
        self.begin()

    def leave(self, request):
        self.pending -= 1
        self.used -= self.whole(request)
        request.e2e = self.clock.now - request.arrival


class Chunked:
    def __init__(self, clock, world, kind, count, chunk):
        self.machines = [ChunkedMachine(i, kind, clock, world, chunk) for i in range(count)]

    def arrive(self, request):
        machine = least(self.machines, lambda m: m.pending)
        request.prompt_machine = request.token_machine = machine
        machine.arrive(request)


class Split:
    def __init__(
        self, clock, world, prompt_kind, prompt_count, token_kind, token_count, balance_s=0.0, decodes_meant=64
    ):
        self.clock, self.world = clock, world
        self.balance_s, self.next_balance, self.decodes_meant = balance_s, balance_s, decodes_meant
        self.came, self.requests = 0, []
        self.prompt = [Machine(i, prompt_kind, clock, self, world) for i in range(prompt_count)]
        self.token = [Machine(prompt_count + i, token_kind, clock, self, world) for i in range(token_count)]
        self.machines = [*self.prompt, *self.token]
        self.home = dict.fromkeys(self.prompt, self.prompt) | dict.fromkeys(self.token, self.token)
        self.mixed = []

    def arrive(self, request):
        p, o = request.prompt_tokens, request.output_tokens
        if self.balance_s:
            while self.next_balance <= self.clock.now:
                self.balance()
                self.next_balance += self.balance_s
            self.came += p
            self.requests.append(request)
        whole, first = (p + o) * self.world.kv_bytes, (p + 1) * self.world.kv_bytes

        def pending(m):
            return m.pending

        def reserved(m):
            return m.reserved

        def chosen(lists, load, refused):
            for machines in lists:
                m = least(machines, load)
                if m is not None and not refused(m):
                    return m
            return None

        a = chosen((self.prompt, self.mixed), pending, lambda m: m.waiting and m.pending + p > QUEUE_LIMIT)
        b = chosen((self.token, self.mixed), reserved, lambda m: m.reserved + whole >= self.world.machine_bytes)
        if o == 1:
            a = chosen((self.prompt,), pending, lambda m: m.waiting and m.pending + p > QUEUE_LIMIT)
            a = a or least([*self.prompt, *self.mixed, *self.token], pending)
            a.reserved += first
            a.pending += p + 1
            request.prompt_machine = request.token_machine = a
            a.deliver(request.prompt)
            return
        found_a, found_b = a, b
        if found_a is None and self.token:
            a = least(self.token, pending)
            self.token.remove(a)
            self.mixed.append(a)
        if found_b is None and self.prompt:
            b = least(self.prompt, reserved)
            self.prompt.remove(b)
            self.mixed.append(b)
        if a is None or b is None:
            a = b = least([*self.prompt, *self.mixed, *self.token], pending)
        if a is b:
            a.reserved += whole
        else:
            a.reserved += first
            b.reserved += whole
        a.pending += p
        b.pending += 1
        request.prompt_machine, request.token_machine = a, b
        a.deliver(request.prompt)
        if a is b:
            a.deliver(request.decode)

    def balance(self):
        """The pools in the proportion of the work; a machine that changes finishes what it has first."""
        prompt_s = self.machines[0].kind.prompt_s(MAX_TOKENS) / MAX_TOKENS
        for_prompts = self.came * prompt_s / (2 * self.balance_s)
        decoding = sum(not math.isnan(r.ttft) and math.isnan(r.e2e) for r in self.requests)
        for_tokens = decoding / self.decodes_meant
        self.came //= 2
        if not for_prompts + for_tokens:
            return
        many = len(self.machines)
        wanted = math.floor(many * for_prompts / (for_prompts + for_tokens) + 0.5)
        wanted = min(max(wanted, 1), many - 1)
        while (have := sum(home is self.prompt for home in self.home.values())) != wanted:
            old, new = (self.token, self.prompt) if have < wanted else (self.prompt, self.token)
            machine = min((m for m in self.machines if self.home[m] is old), key=lambda m: m.pending)
            self.home[machine] = new
            for pool in (self.prompt, self.token, self.mixed):
                if machine in pool and (pool is not self.mixed or (not machine.present and not machine.batch)):
                    pool.remove(machine)
                    (self.mixed if machine.present or machine.batch else new).append(machine)
                    break

    def free(self, machine):
        if machine in self.mixed:
            self.mixed.remove(machine)
            self.home[machine].append(machine)

    def transfer(self, request, prompt_began):
        source, machine, now = request.prompt_machine, request.token_machine, self.clock.now
        if machine.used + request.held > self.world.machine_bytes:
            self.clock.at(now + RETRY_S, lambda: self.transfer(request, self.clock.now))
            return
        machine.used += request.held
        size = request.prompt_tokens * self.world.kv_bytes
        if not self.world.layers:
            self.clock.at(now + size / BANDWIDTH, lambda: self.arrived(request))
            return
        lasts = size / min(source.kind.link, machine.kind.link)
        ready = prompt_began + (now - prompt_began) / self.world.layers
        sent = max(ready, source.link_free, machine.link_free) + lasts
        source.link_free = machine.link_free = sent
        self.clock.at(max(sent, now + lasts / self.world.layers) + source.kind.hop_s, lambda: self.arrived(request))

    def arrived(self, request):
        source = request.prompt_machine
        source.used -= request.held
        source.reserved -= request.held
        request.token_machine.deliver(request.decode)
        source.memory_freed()


def simulate(make, trace, world):
    """make: a scheduler from a clock and the world. trace: (arrival, prompt, output) by arrival."""
    clock = Clock()
    scheduler = make(clock, world)
    requests = [Request(i, *row, world.kv_bytes) for i, row in enumerate(trace)]
    for request in requests:
        clock.at(request.arrival, lambda request=request: scheduler.arrive(request))
    clock.run()
    return requests, scheduler, clock
