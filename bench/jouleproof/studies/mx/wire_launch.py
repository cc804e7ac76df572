"""Start the processes that send tensors to each other, hear what they report, and leave none behind."""

import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from safetensors.torch import save_file
from torch import Tensor

from jouleproof.errors import UserError
from jouleproof.processes import environment, how_it_ended, place
from jouleproof.studies.mx import wire_rank
from jouleproof.studies.mx.wire_rank import Task, tensors_path

STARTING_S = 60.0  # importing torch on a machine that is busy
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
INTERFACE = {"GLOO_SOCKET_IFNAME": LOOPBACK[sys.platform]} if sys.platform in LOOPBACK else {}

Report = dict[str, Any]
Heard = Callable[[int, Report], None]


def unheard(_: int, __: Report) -> None:
    """For callers who wait for the end."""


@dataclass(frozen=True)
class RankProcess:
    """A process with one JSON object per line on its standard output. log: what it wrote on its standard error."""

    rank: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def lines(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout


def run_ranks(
    task: Task,
    tensors: Sequence[Mapping[str, Tensor]],
    heard: Heard = unheard,
) -> list[list[Report]]:
    """Reports of every rank, in their order. tensors: of each rank, by payload. heard: called with each as it comes.

    Every rank is a fresh process with one thread, on a core of its own where the system lets it be placed and there are
    enough; they talk over the loopback interface alone and meet in a temporary folder.
    Raises UserError, and ends all ranks, where one ends before its time or none is heard of in time.
    """
    with tempfile.TemporaryDirectory(prefix="jouleproof-wire-") as name, ExitStack() as stack:
        folder = Path(name)
        task.write(folder)
        for rank, own in enumerate(tensors):
            save_file(dict(own), tensors_path(folder, rank))
        command = [sys.executable, "-m", wire_rank.__name__, name]
        ranks = [stack.enter_context(started([*command, str(rank)], rank, folder)) for rank in range(task.world)]
        place([each.process.pid for each in ranks])
        return gather(ranks, STARTING_S + task.timeout_s, heard)


@contextmanager
def started(command: Sequence[str], rank: int, folder: Path) -> Iterator[RankProcess]:
    """The process, killed at the end of the block if it still runs."""
    log = folder / f"rank-{rank}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file, env=environment(1, **INTERFACE)
        )
    found = RankProcess(rank, process, log)
    try:
        yield found
    finally:
        process.kill()
        process.wait()
        found.lines.close()


def gather(ranks: Sequence[RankProcess], silence_s: float, heard: Heard = unheard) -> list[list[Report]]:
    """All that the processes report until they end. Raises UserError as soon as one ends badly, or silence_s pass
    without a word from any."""
    reports: list[list[Report]] = [[] for _ in ranks]
    rest = [b""] * len(ranks)
    with selectors.DefaultSelector() as selector:
        for index, each in enumerate(ranks):
            selector.register(each.lines, selectors.EVENT_READ, index)
        while selector.get_map():
            ready = selector.select(silence_s)
            if not ready:
                silent = ", ".join(str(ranks[key.data].rank) for key in selector.get_map().values())
                raise UserError(f"mx wire: no word from rank {silent} for {silence_s:g} s; its process was ended")
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                *lines, rest[key.data] = (rest[key.data] + data).split(b"\n")
                for line in lines:
                    report = json.loads(line)
                    reports[key.data].append(report)
                    heard(ranks[key.data].rank, report)
                if not data:
                    selector.unregister(key.fileobj)
                    _check_end(ranks, ranks[key.data], silence_s)
    return reports


def _check_end(ranks: Sequence[RankProcess], ended: RankProcess, silence_s: float) -> None:
    """Raise UserError where a process ended badly; one that was killed is blamed before one that lost it."""
    try:
        ended.process.wait(silence_s)
    except subprocess.TimeoutExpired:
        raise UserError(f"mx wire: rank {ended.rank} closed its output and went on; its process was ended") from None
    killed = [each for each in ranks if (each.process.poll() or 0) < 0]
    blamed = killed[0] if killed else ended
    if blamed.process.returncode:
        errors = blamed.log.read_text(encoding="utf-8", errors="replace")
        raise UserError(f"mx wire: rank {blamed.rank} {how_it_ended(blamed.process.returncode, errors)}")
