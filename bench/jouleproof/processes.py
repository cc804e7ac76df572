"""Child processes that run side by side on one core each, report line by line, and are all stopped at the end."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import IO, Any

from jouleproof.measure.clocks import now
from jouleproof.measure.threads import threads, unpin

PLACED_BY_OPENMP = ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY")
Report = Mapping[str, Any]


@dataclass(frozen=True)
class Child:
    """A process and what it writes on its standard error."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    def how_it_ended(self) -> str:
        """Wait for the end and describe it, with the last line that the process wrote on its standard error."""
        returncode = self.process.wait()
        self.errors.seek(0)
        lines = [line for line in self.errors.read().decode(errors="replace").splitlines() if line.strip()]
        return _ending(returncode) + (f": {lines[-1].strip():.300}" if lines else "")


class Children(AbstractContextManager["Children"]):
    """Processes that report one JSON object per line on their standard output, until the end of a `with` block.

    Each uses one thread on a separate core, if the system allows it and there are enough cores; `placed` says whether
    that was possible. commanded: the processes read commands, also JSON lines, on their standard input, and a keyboard
    interrupt does not reach them. variables: environment variables to add to those of this process.
    """

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        variables: Mapping[str, str],
        *,
        commanded: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.members: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._unfinished = [b""] * len(commands)  # the last, incomplete line of each
        try:
            for number, command in enumerate(commands):
                errors = tempfile.TemporaryFile()  # noqa: SIM115
                stdin = subprocess.PIPE if commanded else subprocess.DEVNULL
                process = subprocess.Popen(
                    command,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=environment(1, **variables),
                    pass_fds=pass_fds,
                    start_new_session=commanded,
                )
                self.members.append(Child(process, errors))
                assert process.stdout is not None
                self._selector.register(process.stdout, selectors.EVENT_READ, number)
            self.placed = place([child.process.pid for child in self.members])
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def unended(self) -> list[int]:
        """Numbers of the children whose output has not ended."""
        return sorted(key.data for key in self._selector.get_map().values())

    def send(self, to: int, command: Mapping[str, Any]) -> None:
        """Send a command to a child. Raises OSError if the child no longer reads."""
        stdin = self.members[to].process.stdin
        assert stdin is not None
        stdin.write(json.dumps(command).encode() + b"\n")
        stdin.flush()

    def reports(self, timeout_s: float) -> list[tuple[int, Report | None]]:
        """Wait for reports and return them with the number of the child; the list is empty if none arrives in time.

        None in place of a report means that the child's output has ended.
        """
        until_s, reports = now() + timeout_s, list[tuple[int, Report | None]]()
        while not reports:
            ready = self._selector.select(max(until_s - now(), 0.0))
            if not ready:
                break
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                *lines, self._unfinished[key.data] = (self._unfinished[key.data] + data).split(b"\n")
                reports += [(key.data, json.loads(line)) for line in lines]
                if not data:
                    self._selector.unregister(key.fileobj)
                    reports.append((key.data, None))
        return reports

    def stop(self) -> None:
        """Kill the children that still run, and close the pipes to them."""
        for child in self.members:
            child.process.kill()
        for child in self.members:
            child.process.wait()
            for stream in (child.process.stdin, child.process.stdout, child.errors):
                with suppress(OSError):  # unsent data has no reader
                    if stream is not None:
                        stream.close()
        self._selector.close()


def reporter() -> Callable[..., None]:
    """Return a function with which a child sends its keyword arguments as a report. Whatever else the child prints goes
    to standard error."""
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return lambda **report: print(json.dumps(report), file=lines, flush=True)


def environment(thread_count: int, **further: str) -> Mapping[str, str]:
    """Return the environment of a child whose libraries use `thread_count` threads, which OpenMP does not bind to
    cores."""
    kept = {name: value for name, value in os.environ.items() if name not in PLACED_BY_OPENMP}
    return {**kept, **threads(thread_count), **further}


def place(pids: Sequence[int]) -> bool:
    """Pin each process, and the threads that it will start, to a separate core. Return whether that was possible."""
    if sys.platform != "linux" or not pids:
        return False
    try:
        cores = unpin(pids[0])
        if len(cores) < len(pids):
            return False
        for pid, core in zip(pids, cores, strict=False):
            os.sched_setaffinity(pid, {core})
    except ProcessLookupError:  # it has already ended, as its output shows
        return False
    return True


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"ended with status {returncode}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-returncode).name}"
    return f"was killed by signal {-returncode}"
