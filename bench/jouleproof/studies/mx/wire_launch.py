"""Start the processes that send tensors to each other, collect their reports, and end all of them."""

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

STARTING_S = 60.0  # allowed for the import of torch on a busy machine
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
INTERFACE = {"GLOO_SOCKET_IFNAME": LOOPBACK[sys.platform]} if sys.platform in LOOPBACK else {}

ReportHandler = Callable[[int, Report], None]


def ignore_report(_: int, __: Report) -> None:
    """Ignore a report, for callers that need only the final result."""


def run_ranks(
    task: Task, tensors: Sequence[Mapping[str, Tensor]], on_report: ReportHandler = ignore_report
) -> list[list[Report]]:
    """Run all ranks and return the reports of each, in order.

    tensors: tensors of each rank, by payload. on_report: called with each report as it arrives.
    Every rank is a new process with one thread, pinned to a separate core if the system allows it and has enough cores.
    Ranks communicate only over the loopback interface and find each other through a temporary folder.
    Raises UserError, and ends all ranks, if a rank ends early or none reports in time.
    """
    with tempfile.TemporaryDirectory(prefix="jouleproof-wire-") as folder:
        task.write(Path(folder))
        for rank, payloads in enumerate(tensors):
            save_file(dict(payloads), tensors_path(Path(folder), rank))
        commands = [[sys.executable, "-m", wire_rank.__name__, folder, str(rank)] for rank in range(task.world)]
        with Children(commands, INTERFACE) as ranks:
            return gather(ranks, STARTING_S + task.timeout_s, on_report)


def gather(ranks: Children, silence_s: float, on_report: ReportHandler = ignore_report) -> list[list[Report]]:
    """Collect all reports of the processes until they end. Raises UserError as soon as one fails, or if silence_s pass
    without a report from any."""
    reports: list[list[Report]] = [[] for _ in ranks.members]
    while ranks.unended:
        received = ranks.reports(silence_s)
        if not received:
            silent = ", ".join(map(str, ranks.unended))
            raise UserError(f"mx wire: no report from rank {silent} within {silence_s:g} s; its process was ended")
        for rank, report in received:
            if report is None:
                _check_end(ranks, rank, silence_s)
            else:
                reports[rank].append(report)
                on_report(rank, report)
    return reports


def _check_end(ranks: Children, ended: int, silence_s: float) -> None:
    """Raise UserError if a process failed. A killed process is named rather than one that lost its connection."""
    try:
        ranks.members[ended].process.wait(silence_s)
    except subprocess.TimeoutExpired:
        raise UserError(f"mx wire: rank {ended} closed its output but kept running; its process was ended") from None
    killed = [rank for rank, child in enumerate(ranks.members) if (child.process.poll() or 0) < 0]
    blamed = killed[0] if killed else ended
    if ranks.members[blamed].process.returncode:
        raise UserError(f"mx wire: rank {blamed} {ranks.members[blamed].how_it_ended()}")
