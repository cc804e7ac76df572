"""Start the processes that send tensors to each other, hear what they report, and leave none behind."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from jouleproof.errors import UserError
from jouleproof.processes import Children, Report
from jouleproof.studies.mx import wire_rank
from jouleproof.studies.mx.wire_rank import Task, tensors_path

STARTING_S = 60.0  # importing torch on a machine that is busy
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
INTERFACE = {"GLOO_SOCKET_IFNAME": LOOPBACK[sys.platform]} if sys.platform in LOOPBACK else {}

ReportHandler = Callable[[int, Report], None]


def ignore_report(_: int, __: Report) -> None:
    """For callers who wait for the end."""


def run_ranks(
    task: Task, tensors: Sequence[Mapping[str, Tensor]], on_report: ReportHandler = ignore_report
) -> list[list[Report]]:
    """Reports of every rank, in their order. tensors: of each rank, by payload. heard: called with each as it comes.

    Every rank is a fresh process with one thread, on a core of its own where the system lets it be placed and there are
    enough; they talk over the loopback interface alone and meet in a temporary folder.
    Raises UserError, and ends all ranks, where one ends before its time or none is heard of in time.
    """
    with tempfile.TemporaryDirectory(prefix="jouleproof-wire-") as folder:
        task.write(Path(folder))
        for rank, payloads in enumerate(tensors):
            save_file(dict(payloads), tensors_path(Path(folder), rank))
        commands = [[sys.executable, "-m", wire_rank.__name__, folder, str(rank)] for rank in range(task.world)]
        with Children(commands, INTERFACE) as ranks:
            return gather(ranks, STARTING_S + task.timeout_s, on_report)


def gather(ranks: Children, silence_s: float, on_report: ReportHandler = ignore_report) -> list[list[Report]]:
    """All that the processes report until they end. Raises UserError as soon as one ends badly, or silence_s pass
    without a word from any."""
    reports: list[list[Report]] = [[] for _ in ranks.members]
    while ranks.unended:
        received = ranks.reports(silence_s)
        if not received:
            silent = ", ".join(map(str, ranks.unended))
            raise UserError(f"mx wire: no word from rank {silent} for {silence_s:g} s; its process was ended")
        for rank, report in received:
            if report is None:
                _check_end(ranks, rank, silence_s)
            else:
                reports[rank].append(report)
                on_report(rank, report)
    return reports


def _check_end(ranks: Children, ended: int, silence_s: float) -> None:
    """Raise UserError where a process ended badly; one that was killed is blamed before one that lost it."""
    try:
        ranks.members[ended].process.wait(silence_s)
    except subprocess.TimeoutExpired:
        raise UserError(f"mx wire: rank {ended} closed its output and went on; its process was ended") from None
    killed = [rank for rank, child in enumerate(ranks.members) if (child.process.poll() or 0) < 0]
    blamed = killed[0] if killed else ended
    if ranks.members[blamed].process.returncode:
        raise UserError(f"mx wire: rank {blamed} {ranks.members[blamed].how_it_ended()}")
