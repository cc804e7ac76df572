"""Management of the engine's worker processes: it starts them, pins them to cores, reads their reports, restarts them
if one dies, and always stops them at the end."""

import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, astuple, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import psutil
import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from jouleproof.errors import UserError
from jouleproof.models.decoder import Decoder
from jouleproof.models.shapes import Shape
from jouleproof.processes import Children, Report
from jouleproof.serving.engine.shared import mapped, shared_memory

WORKER = "jouleproof.serving.engine.worker"
STARTS = 3  # attempts to start the workers
SILENCE_S = 120.0  # longest wait for an answer; importing torch and packing weights takes long on a busy machine


class WorkerDied(UserError):
    """A worker's process ended, or was killed because it stopped reporting. rank: the worker's number."""

    def __init__(self, rank: int, why: str) -> None:
        super().__init__(f"engine: worker {rank} {why}")
        self.rank = rank


@dataclass(frozen=True)
class FleetPlan:
    """Size and layout of a fleet. workers: number of processes. slots, capacity: requests per worker, and tokens per
    request. boxes: KV caches in transfer at once.

    gloo: whether workers may use sockets, which meet at host and port (0: any free port) and bind to the host's
    address only. device: `cpu`, one core per worker, or `cuda`, one GPU per worker.
    """

    workers: int = 2
    slots: int = 32
    capacity: int = 512
    boxes: int = 8
    gloo: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    device: str = "cpu"


class Fleet:
    """The running workers; create them with `started_fleet`. children: their processes by rank, new after each
    start."""

    def __init__(self, plan: FleetPlan, decoder: Decoder, weights: int, mailbox: int, store: TCPStore | None) -> None:
        self.plan, self.shape = plan, decoder.shape
        self._weights, self._mailbox, self._store = weights, mailbox, store
        self._starts = 0
        self.children = Children([], {})

    def start(self) -> None:
        """Start all workers, replacing any that run. Raises UserError if they fail to start STARTS times."""
        for tries_left in reversed(range(STARTS)):
            try:
                self._start()
                return
            except WorkerDied as died:
                self.stop()
                if not tries_left:
                    raise UserError(f"{died} before it was ready") from died

    def _start(self) -> None:
        self.stop()
        self._starts += 1
        interface = {"GLOO_SOCKET_IFNAME": interface_of(self.plan.host)} if self._store else {}
        commands = [[sys.executable, "-m", WORKER]] * self.plan.workers
        self.children = Children(commands, interface, commanded=True, pass_fds=(self._weights, self._mailbox))
        for rank in range(self.plan.workers):
            self.tell(rank, **self._what_to_load(rank))
        self.answers("ready", range(self.plan.workers))

    def _what_to_load(self, rank: int) -> dict[str, Any]:
        return {
            **asdict(self.plan),
            "shape": asdict(self.shape),
            "weights": self._weights,
            "mailbox": self._mailbox,
            "rank": rank,
            "start": self._starts,
            "store": [self.plan.host, self._store.port] if self._store else None,
        }

    def tell(self, to: int, /, **command: Any) -> None:
        """Send a command to a worker. Raises WorkerDied if its process has ended."""
        try:
            self.children.send(to, command)
        except OSError:
            raise self._died(to) from None

    def reports(self, timeout_s: float) -> list[tuple[int, Report]]:
        """Wait up to `timeout_s` s for a report, and return all that have come, by rank. Raises WorkerDied if a worker
        ended."""
        reports: list[tuple[int, Report]] = []
        for rank, report in self.children.reports(timeout_s):
            if report is None:
                raise self._died(rank)
            reports.append((rank, report))
        return reports

    def _died(self, rank: int) -> WorkerDied:
        child = self.children.members[rank]
        child.process.kill()
        return WorkerDied(rank, child.how_it_ended())

    def answers(self, key: str, ranks: Iterable[int]) -> dict[int, Any]:
        """Wait until every worker in `ranks` has reported `key`, and return the values by rank; other reports are
        dropped. Raises WorkerDied if a worker ends or stays silent."""
        waited_for, answers = set(ranks), dict[int, Any]()
        while waited_for:
            reports = self.reports(SILENCE_S)
            if not reports:
                raise WorkerDied(min(waited_for), f"did not report for {SILENCE_S:g} s")
            answers |= {rank: report[key] for rank, report in reports if key in report}
            waited_for -= set(answers)
        return answers

    def measured(self, shapes: Sequence[Shape], repeats: int, background: Shape) -> np.ndarray:
        """Measure iterations on one worker after another, while the other workers run the shape `background`. Returns
        (workers, repeats, shapes) seconds."""
        seconds = []
        for rank in range(self.plan.workers):
            others = [other for other in range(self.plan.workers) if other != rank]
            for other in others:
                self.tell(other, do="loop", shape=astuple(background))
            self.tell(rank, do="measure", shapes=[astuple(shape) for shape in shapes], repeats=repeats)
            seconds.append(self.answers("seconds", [rank])[rank])
            for other in others:
                self.tell(other, do="stop")
        return np.array(seconds)

    def stop(self) -> None:
        self.children.stop()


@contextmanager
def started_fleet(plan: FleetPlan, decoder: Decoder) -> Iterator[Fleet]:
    """Start workers with a model, and stop them at the end of the block.

    Raises UserError if they do not start, there is too little memory, or the port is taken.
    """
    shape = decoder.shape
    box = 2 * shape.kv_heads * plan.capacity * shape.head_width * 4 * shape.layers
    state = list(decoder.state_dict().values())
    with ExitStack() as stack:
        store = stack.enter_context(_meeting_place(plan)) if plan.gloo else None
        weights = stack.enter_context(shared_memory(sum(value.nbytes for value in state)))
        mailbox = stack.enter_context(shared_memory(plan.boxes * box))
        _fill(mapped(weights), state)
        fleet = Fleet(plan, decoder, weights=weights, mailbox=mailbox, store=store)
        stack.callback(fleet.stop)
        fleet.start()
        yield fleet


def _fill(memory: torch.Tensor, state: list[torch.Tensor]) -> None:
    first = 0
    for value in state:
        memory[first : first + value.nbytes] = value.detach().float().contiguous().view(-1).view(torch.uint8)
        first += value.nbytes


@contextmanager
def _meeting_place(plan: FleetPlan) -> Iterator[TCPStore]:
    """Create the store at which sockets meet; it listens on the plan's address only."""
    interface_of(plan.host)
    listening = socket.socket()
    try:
        listening.bind((plan.host, plan.port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise UserError(f"engine: cannot listen on {plan.host}:{plan.port} ({error.strerror})") from error
    port = listening.getsockname()[1]
    yield TCPStore(
        plan.host,
        port,
        is_master=True,
        wait_for_workers=False,
        timeout=timedelta(seconds=SILENCE_S),
        master_listen_fd=listening.detach(),
    )


def interface_of(host: str) -> str:
    """Return the network interface that has the address `host`. Raises UserError if none has."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(address.address == host for address in addresses):
            return name
    raise UserError(f"engine: host {host!r} is not an address of this machine")
