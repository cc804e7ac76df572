"""Faults of machines and people during a pipeline run, each tried on a small part of the pipeline in a separate folder.

A fault's `run` yields the count of each outcome so far. Good outcomes end with the bytes of an undisturbed run, and
leave nothing half-written on the way.
"""

import atexit
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from tests.pipeline.conftest import ROOT, TINY, Done, command, copy_project, environment, snakemake

SMALL = (*TINY, "--config", "quick=False")  # a figure needs only its tables
CHEAP = (*SMALL, "inputs={gsm8k_test: stand-in}", "--cores", "2")
TARGETS = ("results/tables/mx/formats.csv", "results/inputs/acme_power.json", "results/inputs/gsm8k_test.json")
QSNR = "results/mx/qsnr.parquet"
SMALL_QSNR = "vectors: 10, length: 32, seeds: [0], distributions: [gaussian]"
YEAR_S = 365 * 86400

SAME = "same bytes at the end"
HALF, OTHER, TRACE, WENT_ON = (
    "a half-written file",
    "other bytes at the end",
    "an unclear message",
    "the fault went unnoticed",
)
BAD = (HALF, OTHER, TRACE, WENT_ON)
Outcomes = Iterator[Counter[str]]


@dataclass(frozen=True)
class Fault:
    """A fault that can be tried. what: name in the table. run: (folder, times, seed) -> outcomes so far, after each
    time. mounts: whether it needs permission to mount."""

    what: str
    run: Callable[[Path, int, int], Outcomes]
    mounts: bool = False


def run_cheap(project: Path, home: Path = ROOT) -> Done:
    return snakemake(project, *CHEAP, *TARGETS, home=home)


def made(project: Path) -> dict[str, bytes]:
    """Finished results by path: all but provenance, which holds times, logs, and files under temporary names."""
    results = project / "results"
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and not path.is_relative_to(results / "log")
        and not path.name.startswith(".")
        and not path.name.endswith(".provenance.json")
    }


@cache
def undisturbed() -> tuple[Path, dict[str, bytes], float]:
    """Return a folder in which the small part ran to its end, the results, and the seconds that it took."""
    folder = tempfile.mkdtemp(prefix="undisturbed.")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    project = fresh(Path(folder), "project")
    start = time.monotonic()
    done = run_cheap(project)
    assert done.returncode == 0, done.stdout
    return project, made(project), time.monotonic() - start


def finished(folder: Path) -> tuple[Path, dict[str, bytes]]:
    """Return a copy of that folder, and the results."""
    project, expected, _ = undisturbed()
    return shutil.copytree(project, folder / "finished"), expected


def fresh(folder: Path, name: str) -> Path:
    """Return an empty folder to run in."""
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).mkdir()
    return folder / name


def ended(project: Path, expected: Mapping[str, bytes], home: Path = ROOT) -> str:
    """Return how an undisturbed run ends after a fault."""
    done = run_cheap(project, home)
    assert done.returncode == 0, done.stdout
    return SAME if made(project) == expected else OTHER


def _killed(folder: Path, times: int, seed: int) -> Outcomes:
    """Send SIGKILL at a random moment, to all processes or to Snakemake alone, whose jobs then continue."""
    rng, outcomes = random.Random(seed), Counter[str]()
    _, expected, whole_s = undisturbed()
    project, kills = fresh(folder, "killed"), 0
    while kills < times:
        running = _started(project, *TARGETS)
        try:
            running.wait(timeout=rng.uniform(0, whole_s))
        except subprocess.TimeoutExpired:
            kill = os.killpg if rng.random() < 0.7 else os.kill
            kill(running.pid, signal.SIGKILL)
            running.wait()
            kills += 1
            outcomes[_whole(project, expected)] += 1
            _unlock(project)
        else:  # it ended before it was killed: its results after earlier kills must be right
            outcomes[OTHER] += made(project) != expected
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            project = fresh(folder, "killed")
        yield +outcomes
    if ended(project, expected) != SAME:
        outcomes[OTHER] += 1
    yield +outcomes


def _whole(project: Path, expected: Mapping[str, bytes]) -> str:
    there = made(project) if (project / "results").exists() else {}
    return SAME if all(expected.get(name) == content for name, content in there.items()) else HALF


def _unlock(project: Path) -> None:
    """Remove the locks, as `snakemake --unlock` does."""
    shutil.rmtree(project / ".snakemake/locks", ignore_errors=True)


def _on_a_mount(
    folder: Path, times: int, seed: int, *, bad: Callable[[random.Random], str], good: str, words: str
) -> Outcomes:
    """Run with results on a file system with bad options, which the run must report with `words`, then with good
    ones."""
    _, expected, _ = undisturbed()
    rng, outcomes = random.Random(seed), Counter[str]()
    for _ in range(times):
        project = fresh(folder, "mounted")
        with mounted(project / "results") as remount:
            remount(bad(rng))
            done = run_cheap(project)
            remount(good)
            if done.returncode == 0:
                outcomes["enough space"] += 1
            elif "Traceback" in done.stdout or words not in done.stdout:
                outcomes[TRACE] += 1
            elif _whole(project, expected) != SAME:
                outcomes[HALF] += 1
            else:
                outcomes[f"one line, then {ended(project, expected)}"] += 1
        yield outcomes


def may_mount() -> bool:
    """Return whether this user may mount a file system here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder) / "it"):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


@contextmanager
def mounted(place: Path) -> Iterator[Callable[[str], object]]:
    """Mount a file system in memory at `place`; the yielded function changes its options."""
    place.mkdir(exist_ok=True)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], **quiet)  # type: ignore[call-overload]
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", place], **quiet)  # type: ignore[call-overload]
    finally:
        subprocess.run(["umount", "-l", place], check=False)


def _clock(folder: Path, times: int, seed: int) -> Outcomes:
    """Shift the dates of results and code by up to ten years; then change the config, which must be noticed."""
    rng, outcomes = random.Random(seed), Counter[str]()
    home, project, reference = copy_project(folder / "home"), fresh(folder, "clock"), fresh(folder, "other")
    expected = undisturbed()[1]
    assert ended(project, expected, home) == SAME
    other = (*SMALL, "mx={formats: [mxfp4]}", "--cores", "2", TARGETS[0])
    assert snakemake(reference, *other).returncode == 0
    for _ in range(times):
        shift = rng.uniform(-10, 10) * YEAR_S
        for part in (project / "results", home / "bench"):
            for path in sorted(part.rglob("*")):
                if path.is_file() and rng.random() < 0.5:
                    os.utime(path, (time.time() + shift,) * 2)
        outcome = _with_other_dates(project, expected, home)
        _touch(home)
        for path in (project / "results").rglob("*"):
            os.utime(path, (time.time() + YEAR_S,) * 2)
        done = snakemake(project, *other, home=home)
        if _reports_skew(done):  # of a result made now from an unchanged table
            _touch(project)
            done = snakemake(project, *other, home=home)
        noticed = done.returncode == 0 and made(project)[TARGETS[0]] == made(reference)[TARGETS[0]]
        outcomes[f"{outcome}, and another config noticed" if noticed else WENT_ON] += 1
        shutil.rmtree(project / "results")
        ended(project, expected, home)
        yield outcomes


def _with_other_dates(project: Path, expected: Mapping[str, bytes], home: Path) -> str:
    """Run with shifted dates. Snakemake refuses to write a result that is older than its code; with today's dates it
    continues."""
    done = run_cheap(project, home)
    if done.returncode == 0:
        return SAME if made(project) == expected else OTHER
    if not _reports_skew(done):
        return TRACE
    _touch(project, home)
    return f"refused as clock skew, then {ended(project, expected, home)}"


def _reports_skew(done: Done) -> bool:
    return done.returncode != 0 and "clock skew" in done.stdout and "Traceback" not in done.stdout


def _touch(*folders: Path) -> None:
    """Set today's dates on everything in the folders."""
    for folder in folders:
        for path in folder.rglob("*"):
            os.utime(path)


def _changed(folder: Path, times: int, seed: int) -> Outcomes:
    """Change a byte of a table between the job that wrote it and the one that reads it."""
    rng, outcomes = random.Random(seed), Counter[str]()
    project, expected = finished(folder)
    table = project / "results/mx/formats.parquet"
    for _ in range(times):
        whole, place = table.read_bytes(), rng.randrange(table.stat().st_size)
        table.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << rng.randrange(8))]) + whole[place + 1 :])
        (project / TARGETS[0]).unlink()
        done = run_cheap(project)
        if done.returncode == 0:
            outcomes["harmless byte, " + SAME if made(project)[TARGETS[0]] == expected[TARGETS[0]] else OTHER] += 1
        elif "Traceback" in done.stdout or "formats.parquet cannot be read" not in done.stdout:
            outcomes[TRACE] += 1
        else:
            table.unlink()
            outcomes[f"one line, then {ended(project, expected)}"] += 1
        table.write_bytes(whole)
        yield outcomes


def _two(folder: Path, times: int, seed: int) -> Outcomes:
    """Start a second pipeline, with another config, at a random moment of the first."""
    rng, outcomes = random.Random(seed), Counter[str]()
    _, expected, whole_s = undisturbed()
    for _ in range(times):
        project = fresh(folder, "two")
        first = _started(project, *TARGETS)
        while not any((project / ".snakemake/locks").glob("*")) and first.poll() is None:
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 0.2) * whole_s)
        running = first.poll() is None
        second = snakemake(project, *SMALL, "mx={formats: [mxfp4]}", "--cores", "1", TARGETS[0])
        assert first.wait(timeout=900) == 0
        if not running or second.returncode == 0:
            outcomes["ran one after the other"] += 1
        elif "Traceback" in second.stdout or "locked" not in second.stdout:
            outcomes[TRACE] += 1
        else:
            outcomes[
                f"the second is refused by the lock, the first has the {SAME}" if made(project) == expected else OTHER
            ] += 1
        yield outcomes


MUCH = "mx={qsnr: {vectors: 1000000, length: 4096, seeds: [0]}}"
RAISES = "def rule(amax, fmt):\n    raise RuntimeError('not today')\n"
WRONG_SHAPE = "import numpy as np\ndef rule(amax, fmt):\n    return np.zeros(3, dtype=np.int32)\n"
HANGS = "import pathlib\ndef rule(amax, fmt):\n    pathlib.Path('hangs').touch()\n    while True: pass\n"
WITH_OWN = f"mx={{formats: [mxfp4], scales: ['own:rule'], qsnr: {{{SMALL_QSNR}}}}}"


def _broken_jobs(
    folder: Path,
    times: int,
    seed: int,
    *,
    source: str = "",
    config: str = WITH_OWN,
    words: str = "",
    limit: int | None = None,
    interrupt: bool = False,
    traced: bool = False,
) -> Outcomes:
    """Run a job that cannot succeed: its result must be absent, earlier ones stay, and a valid config continues.

    source: of the user-defined scale rule. words: text that the output must contain. traced: whether a stack trace is
    expected, which shows the author of the object where it failed. limit: bytes of memory that the job may use.
    """
    outcomes = Counter[str]()
    project, expected = finished(folder)
    for _ in range(times):
        (project / "own.py").write_text(source, encoding="utf-8")
        running = _started(project, QSNR, config=config, limit=limit)
        if interrupt:
            while not (project / "hangs").exists() and running.poll() is None:
                time.sleep(0.1)
            os.killpg(running.pid, signal.SIGINT)
            (project / "hangs").unlink()
        output, _ = running.communicate(timeout=600)
        left = [path for path in (project / "results/mx").iterdir() if "qsnr" in path.name]
        if running.returncode == 0:
            outcomes[WENT_ON] += 1
        elif left:
            outcomes[HALF] += 1
        elif words not in output or ("Traceback" in output and not (traced or interrupt)):
            outcomes[TRACE] += 1
        else:
            said = "stopped by Ctrl-C" if interrupt else "traced to its line" if traced else "one line"
            outcomes[f"{said}, then {ended(project, expected)}"] += 1
        yield outcomes


def _started(project: Path, *targets: str, config: str = "", limit: int | None = None) -> "subprocess.Popen[str]":
    """Start Snakemake in a separate process group."""
    options = (*SMALL, config, "--cores", "2") if config else CHEAP

    def limited() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # background jobs of a shell ignore it
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    output = subprocess.PIPE if config else subprocess.DEVNULL
    return subprocess.Popen(
        command(project, *options, *targets),
        cwd=ROOT,
        env=environment(),
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=limited,
    )


FULL = partial(
    _on_a_mount, bad=lambda rng: f"size={rng.randrange(8, 64, 4)}k", good="size=64m", words="No space left on device"
)
READ_ONLY = partial(_on_a_mount, bad=lambda _: "ro", good="rw", words="Read-only file system")
MEMORY = partial(_broken_jobs, config=MUCH, words="out of memory", limit=6 << 30)
NOT_TODAY = "config: mx.scales: 'own:rule' failed: RuntimeError: not today"
RAISING = partial(_broken_jobs, source=RAISES, words=NOT_TODAY, traced=True)
ONE_PER_BLOCK = "scale rule rule must return one integer per block"
MISSHAPEN = partial(_broken_jobs, source=WRONG_SHAPE, words=ONE_PER_BLOCK, traced=True)
HANGING = partial(_broken_jobs, source=HANGS, interrupt=True)

FAULTS: Mapping[str, Fault] = {
    "killed": Fault("pipeline killed (SIGKILL) at a random moment, and resumed", _killed),
    "full": Fault("disk full, then freed", FULL, mounts=True),
    "read_only": Fault("results folder read-only, then writable", READ_ONLY, mounts=True),
    "clock": Fault("dates of results and code shifted by up to ten years, then another config", _clock),
    "changed": Fault("a bit of a table flipped before it is read", _changed),
    "two": Fault("a second pipeline with another config in the same folder", _two),
    "memory": Fault("a job that asks for more memory than it may have", MEMORY),
    "raises": Fault("a custom scale rule that raises", RAISING),
    "wrong_shape": Fault("a custom scale rule that returns another shape", MISSHAPEN),
    "hangs": Fault("a custom scale rule that never returns, and Ctrl-C", HANGING),
}
