"""A plain and slow implementation of the simulator's rules: schedulers over the machines of the oracle."""

import math

from tests.phase_split.oracle.machines import (
    BANDWIDTH,
    LATEST_S,
    MAX_BATCH,
    MAX_TOKENS,
    QUEUE_LIMIT,
    RETRY_S,
    Clock,
    Kind,
    Knots,
    Machine,
    Request,
    World,
)

__all__ = [
    "LATEST_S",
    "MAX_TOKENS",
    "Baseline",
    "Chunked",
    "Kind",
    "Knots",
    "Machine",
    "Request",
    "Split",
    "World",
    "simulate",
]


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
    """A machine that runs one iteration after another: all decodes, and as many prompt tokens as fit."""

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
        chunks, context = [], sum(r.prompt_tokens + r.output_tokens - r.decode.remaining for r in self.decodes)
        for request in self.queue:
            tokens_left = self.chunk - len(self.decodes) - sum(chunk for _, chunk in chunks)
            if tokens_left <= 0 or len(chunks) + len(self.decodes) == MAX_BATCH:
                break
            if request not in self.read:
                if self.used + self.whole(request) > self.world.machine_bytes:
                    break
                self.used += self.whole(request)
                self.read[request] = 0
            chunks.append((request, min(tokens_left, request.prompt_tokens - self.read[request])))
            context += self.read[request]
        self.running = bool(chunks or self.decodes)
        if self.running:
            lasts = self.kind.iteration_s(sum(chunk for _, chunk in chunks), len(self.decodes), context)
            self.clock.at(self.clock.now + lasts, lambda: self.finish(chunks))

    def finish(self, chunks):
        now = self.clock.now
        for request in list(self.decodes):
            request.gaps.append(now - request.last_token)
            request.last_token = now
            request.decode.remaining -= 1
            if request.decode.remaining == 0:
                self.decodes.remove(request)
                self.leave(request)
        for request, chunk in chunks:
            self.read[request] += chunk
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
        """Match the pools to the shares of the work; a machine that changes pools first finishes its current work."""
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
    """Simulate a trace. make: returns a scheduler for a clock and a world. trace: (arrival, prompt, output) by
    arrival."""
    clock = Clock()
    scheduler = make(clock, world)
    requests = [Request(i, *row, world.kv_bytes) for i, row in enumerate(trace)]
    for request in requests:
        clock.at(request.arrival, lambda request=request: scheduler.arrive(request))
    clock.run()
    return requests, scheduler, clock
