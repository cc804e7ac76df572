"""One worker of the engine: `python -m jouleproof.serving.engine.worker`, started by jouleproof.serving.engine.fleet.

It reads commands from its standard input, one JSON object per line, and writes reports in the same form to its standard
output; output of libraries goes to standard error. It exits at the end of its input.
"""

import json
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

from jouleproof.measure.clocks import Stopwatch, now, own_cpu_seconds
from jouleproof.models.decoder import Decoder
from jouleproof.models.decoder_shape import DecoderShape
from jouleproof.models.loading import with_weights
from jouleproof.models.runner import Piece, Runner
from jouleproof.models.shapes import Shape, one_round, timed
from jouleproof.processes import reporter
from jouleproof.serving.engine.batching import Job, next_batch
from jouleproof.serving.engine.shared import mapped
from jouleproof.serving.engine.transport import Carrier, GlooCarrier, MemoryCarrier, Move, Mover

Command = Mapping[str, Any]
SILENCE_S = 60.0  # the other side of a socket counts as lost after this time


class Worker:
    """The requests that a worker serves, and the slots that they occupy. carriers: by transport."""

    def __init__(self, runner: Runner, carriers: Mapping[str, Carrier], report: Callable[..., None]) -> None:
        self._runner, self._carriers, self._report = runner, carriers, report
        self.begin({"tokens": 1, "chunked": False, "move": {}})

    def begin(self, command: Command) -> None:
        """Begin a new run without any requests."""
        move = Move(**command["move"])
        self._tokens, self._chunked = command["tokens"], command["chunked"]
        self._mover = Mover(self._runner, self._carriers[move.transport], move)
        self._jobs: list[Job] = []
        self._waiting: list[Command] = []  # requests without a slot, in order of arrival
        self._boxes: dict[int, tuple[int, int]] = {}  # by job whose cache is sent: box and receiver's rank
        self._free = list(range(self._runner.slots))
        self._loop: Shape | None = None  # repeated to load the machine while another worker is measured
        self.busy_s = self.cpu_s = 0.0

    @property
    def idle(self) -> bool:
        return not self._jobs and not self._waiting and self._loop is None

    def obey(self, command: Command) -> None:
        do = command["do"]
        if do in ("prompt", "continue"):
            self._waiting.append(command)
        elif do == "expect":
            self._mover.expect(command["tokens"], command["box"], command["source"])
        elif do == "drop":
            self._drop(command["id"])
        elif do == "begin":
            self.begin(command)
        elif do == "measure":
            shapes = [Shape(*shape) for shape in command["shapes"]]
            self._report(seconds=timed(self._runner, shapes, command["repeats"]))
        elif do == "loop":
            self._loop = Shape(*command["shape"])
        elif do == "stop":
            self._loop = None
        elif do == "stats":
            self._report(stats={"busy_s": self.busy_s, "cpu_s": self.cpu_s})
        else:
            raise ValueError(f"unknown command {do!r}")

    def iterate(self) -> None:
        """Run one iteration over the current requests."""
        if self._loop is not None:
            one_round(self._runner, [self._loop])
            return
        busy, cpu = Stopwatch(), own_cpu_seconds()
        self._admit()
        batch = next_batch(self._jobs, self._tokens, self._chunked)
        self._run([job for job, _ in batch], [job.piece(count) for job, count in batch])
        self.busy_s += busy.wall_s()
        self.cpu_s += own_cpu_seconds() - cpu

    def _admit(self) -> None:
        while self._waiting and self._free:
            command = self._waiting.pop(0)
            slot = self._free.pop()
            if command["do"] == "continue":
                watch = Stopwatch()
                self._mover.take(command["box"], slot)
                self._report(t=now(), taken=[command["id"], watch.wall_s()])
                prompt, tokens, read = [], [command["first"]], command["read"]
            else:
                prompt, tokens, read = command["prompt"], [], 0
            job = Job(id=command["id"], prompt=prompt, wanted=command["wanted"], slot=slot, generated=tokens, read=read)
            if "to" in command:
                self._boxes[job.id] = command["box"], command["to"]
            self._jobs.append(job)

    def _run(self, jobs: list[Job], pieces: list[Piece]) -> None:
        leaving = [job for job in jobs if job.id in self._boxes]  # this iteration reads their whole prompts
        watch_s = dict.fromkeys((job.id for job in leaving), 0.0)
        sizes = dict.fromkeys(watch_s, 0)

        def send(layer: int) -> None:
            for job in leaving:
                watch = Stopwatch()
                sizes[job.id] += self._mover.send(job.slot, len(job.prompt), layer, *self._boxes[job.id])
                watch_s[job.id] += watch.wall_s()

        logits = self._runner.run(pieces, send) if self._mover.by_layer else self._runner.run(pieces)
        generated = []
        for job, piece, best in zip(jobs, pieces, logits.argmax(dim=1).tolist(), strict=True):
            job.read = piece.end
            if not job.prompt_left:
                job.generated.append(best)
                generated.append([job.id, best])
        for job in self._jobs:
            job.missed = 0 if job in jobs else job.missed + 1
        self._report(t=now(), generated=generated)
        if leaving:
            if not self._mover.by_layer:
                send(0)
            flush = Stopwatch()
            self._mover.flush()
            flush_s = flush.wall_s() / len(leaving)
            self._report(
                t=now(), moved=[[job.id, job.generated[0], watch_s[job.id] + flush_s, sizes[job.id]] for job in leaving]
            )
        for job in [job for job in jobs if job.done]:
            self._boxes.pop(job.id, None)
            self._leave(job)

    def _leave(self, job: Job) -> None:
        self._jobs.remove(job)
        self._free.append(job.slot)

    def _drop(self, number: int) -> None:
        """Drop a request whose client has left."""
        for job in [job for job in self._jobs if job.id == number]:
            self._leave(job)
        self._waiting = [command for command in self._waiting if command["id"] != number]


def commands(descriptor: int, wait: Callable[[], bool]) -> Iterator[Command | None]:
    """Yield commands read from a file descriptor, or None if there is none and `wait()` is false."""
    rest = b""
    while True:
        if not wait() and not select.select([descriptor], [], [], 0)[0]:
            yield None
            continue
        data = os.read(descriptor, 1 << 20)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield json.loads(line)


def loaded(weights: Tensor, shape: DecoderShape) -> Decoder:
    """Build a decoder on shared weights. weights: (bytes,), all parameters in the order of the decoder's state."""
    with torch.device("meta"):
        empty = Decoder(shape)
    state = empty.state_dict()
    values = torch.split(weights.view(torch.float32), [like.numel() for like in state.values()])
    named = zip(state.items(), values, strict=True)
    return with_weights(lambda: empty, {name: value.view(like.shape) for (name, like), value in named})


def main() -> None:
    """Run the worker; the first command says what to load and where to connect."""
    report = reporter()
    torch.set_num_threads(1)
    first = next(commands(0, lambda: True), None)
    if first is None:
        return
    worker = _prepared(first, report)
    report(ready=True)
    for command in commands(0, lambda: worker.idle):
        if command is None:
            worker.iterate()
        else:
            worker.obey(command)


def _prepared(command: Command, report: Callable[..., None]) -> Worker:
    shape = DecoderShape(**command["shape"])
    device = f"cuda:{command['rank'] % torch.cuda.device_count()}" if command["device"] == "cuda" else command["device"]
    weights = mapped(command["weights"])
    runner = Runner(loaded(weights, shape), command["slots"], command["capacity"], device)
    mailbox = mapped(command["mailbox"]).view(command["boxes"], shape.layers, -1)
    carriers: dict[str, Carrier] = {"memory": MemoryCarrier(mailbox)}
    if command["store"]:
        timeout = timedelta(seconds=SILENCE_S)
        host, port = command["store"]
        store = TCPStore(host, port, is_master=False, timeout=timeout)
        own_store = PrefixStore(str(command["start"]), store)
        rank, world = command["rank"], command["workers"]
        dist.init_process_group("gloo", store=own_store, rank=rank, world_size=world, timeout=timeout)
        carriers["gloo"] = GlooCarrier(shape.layers)
    return Worker(runner, carriers, report)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # without waiting for a process group whose other side is gone
