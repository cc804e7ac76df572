"""Transfers between two real processes over gloo, the failure of one of them, and the experiment's table."""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from jouleproof.errors import UserError
from jouleproof.formats.codecs import BFloat16, Float32, Packed
from jouleproof.inputs import Problem
from jouleproof.processes import Children
from jouleproof.studies.mx.config import MxConfig, WireConfig
from jouleproof.studies.mx.experiments import wire as experiment
from jouleproof.studies.mx.experiments.wire import wire
from jouleproof.studies.mx.wire_launch import gather, run_ranks
from jouleproof.studies.mx.wire_rank import REFERENCE, Task, codecs
from tests.models.small import language_model
from tests.mx.wire_formula import cast, random_tensor, sum_as_described

LOOPBACK = Path("/proc/net/dev")
ELEMENTS, LIMIT = 1_500_001, 1e10  # elements of the tensor; bits/s of the link
pytestmark = pytest.mark.usefixtures("one_thread")


def bytes_over_loopback():
    """Return the bytes that the loopback interface has sent; 0 if the system does not report them."""
    if not LOOPBACK.exists():
        return 0
    (line,) = [line for line in LOOPBACK.read_text(encoding="ascii").splitlines() if line.strip().startswith("lo:")]
    return int(line.split(":")[1].split()[8])


@pytest.fixture(scope="module")
def two_processes():
    """One run of two real processes: their tensors, reports by rank, and the loopback interface's count of bytes."""
    names = ["mxfp8_e4m3", "mxfp4"]
    tensors = [{"gradient": random_tensor(ELEMENTS, rank), "kv_cache": random_tensor((2, 5, 33), 7)} for rank in (0, 1)]
    before = bytes_over_loopback()
    ranks = run_ranks(Task(2, names, {"unlimited": None, "limited": LIMIT}, repeats=1, timeout_s=60), tensors)
    return names, tensors, ranks, bytes_over_loopback() - before


def reported(ranks, key, payload):
    """Return a field of the reports about a payload, by rank."""
    return [report[key] for reports in ranks for report in reports if report["payload"] == payload and key in report]


def digest(x):
    return hashlib.sha256(x.contiguous().numpy().tobytes()).hexdigest()


def test_two_processes_reduce_to_the_bits_of_the_formula(two_processes):
    names, tensors, ranks, _ = two_processes
    gradients = [payloads["gradient"] for payloads in tensors]
    for name in ("float32", "bfloat16", *names):
        expected = digest(sum_as_described(gradients, name))
        assert [formats[name]["digest"] for formats in reported(ranks, "delivered", "gradient")] == [expected] * 2


def test_one_process_moves_to_the_other_what_a_cast_gives(two_processes):
    names, tensors, ranks, _ = two_processes
    sender, receiver = reported(ranks, "delivered", "kv_cache")
    expected = {name: digest(cast(tensors[0]["kv_cache"], name)) for name in ("float32", "bfloat16", *names)}
    assert (sender, {name: delivered["digest"] for name, delivered in receiver.items()}) == ({}, expected)


def test_the_error_is_that_of_the_result(two_processes):
    _, tensors, ranks, _ = two_processes
    gradients = [payloads["gradient"] for payloads in tensors]
    exact, rough = (sum_as_described(gradients, name).double() for name in ("float32", "mxfp4"))
    expected = float(((rough - exact).square().sum() / exact.square().sum()).sqrt())
    (delivered, _) = reported(ranks, "delivered", "gradient")
    assert delivered["mxfp4"]["relative_error"] == pytest.approx(expected, rel=1e-5)
    assert delivered["float32"]["relative_error"] == 0


def times_of(ranks, link):
    """Return the times by rank, payload and format."""
    return {
        (rank, report["payload"], name): times
        for rank, reports in enumerate(ranks)
        for report in reports
        if report.get("link") == link
        for name, times in report["times"].items()
    }


def test_a_limited_link_takes_at_least_its_time(two_processes):
    for times in times_of(two_processes[2], "limited").values():
        assert times["time_s"] >= 8 * times["sent_bytes"] / LIMIT


def test_a_limit_does_not_change_what_is_sent(two_processes):
    sent = [
        {key: times["sent_bytes"] for key, times in times_of(two_processes[2], link).items() if REFERENCE not in key}
        for link in ("limited", "unlimited")
    ]
    assert sent[0] == sent[1]


@pytest.mark.skipif(not LOOPBACK.exists(), reason="only Linux tells what its loopback interface sent")
def test_the_system_saw_the_bytes_that_were_counted(two_processes):
    """The count includes all payload bytes; headers, gloo's own messages and other programs add a little."""
    *_, ranks, counted = two_processes
    times = [*times_of(ranks, "limited").values(), *times_of(ranks, "unlimited").values()]
    untimed = sum(of_one["sent_bytes"] for of_one in times_of(ranks, "limited").values())
    by_torch = 2 * 4 * ELEMENTS
    sent = sum(of_one["sent_bytes"] for of_one in times) + untimed + by_torch
    assert sent <= counted < 1.5 * sent


def children(*programs):
    return Children([[sys.executable, "-c", program] for program in programs], {})


def returncodes(ranks):
    return [child.process.returncode for child in ranks.members]


WAITS = "import time; time.sleep(60)"


@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        ("import sys; sys.exit(3)", r"rank 1 ended with status 3$"),
        ("raise RuntimeError('out of luck')", r"rank 1 ended with status 1: RuntimeError: out of luck"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", r"rank 1 was killed by SIGKILL"),
    ],
)
def test_a_rank_that_dies_ends_the_run_with_its_last_words(program, complaint):
    with children(WAITS, program) as ranks, pytest.raises(UserError, match=complaint) as caught:
        gather(ranks, silence_s=30)
    assert "\n" not in str(caught.value)
    assert returncodes(ranks)[0] == -signal.SIGKILL


def test_the_one_that_was_killed_is_blamed_not_the_one_that_noticed():
    with children("import sys, time; time.sleep(0.3); sys.exit(1)", WAITS) as ranks:
        ranks.members[1].process.kill()
        ranks.members[1].process.wait()
        with pytest.raises(UserError, match="rank 1 was killed by SIGKILL"):
            gather(ranks, silence_s=30)


def test_silence_ends_the_run():
    with children(WAITS, WAITS) as ranks, pytest.raises(UserError, match=r"no report from rank 0, 1 within 0\.2 s"):
        gather(ranks, silence_s=0.2)
    assert returncodes(ranks) == [-signal.SIGKILL] * 2


def test_an_interrupt_leaves_no_process_behind():
    def interrupt(rank, report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), children("print('{}', flush=True); " + WAITS, WAITS) as ranks:
        gather(ranks, 30, interrupt)
    assert returncodes(ranks) == [-signal.SIGKILL] * 2


def test_reports_come_whole_and_in_order():
    program = "import sys\nfor n in range(3): sys.stdout.write('{\"n\": ' + str(n)); sys.stdout.flush(); print('}')"
    with children(program, program) as ranks:
        assert gather(ranks, 30) == [[{"n": 0}, {"n": 1}, {"n": 2}]] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process be placed")
def test_each_rank_gets_one_core_even_where_openmp_has_bound_this_process(tmp_path, monkeypatch):
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("there is one core only")
    placed = tmp_path / "placed"
    program = (
        f"import json, os, time\nwhile not os.path.exists({str(placed)!r}): time.sleep(0.01)\n"
        "print(json.dumps(sorted(os.sched_getaffinity(0))))"
    )
    monkeypatch.setenv("OMP_PROC_BIND", "true")
    os.sched_setaffinity(0, {cores[0]})
    try:
        with children(program, program) as ranks:
            assert ranks.placed
            placed.touch()
            (first,), (second,) = gather(ranks, 30)
    finally:
        os.sched_setaffinity(0, set(cores))
    assert len(first) == len(second) == 1 and first != second


def reports_of(rank, differ=False):
    """Return made-up reports of one repeat over one link."""
    bits = "other" if differ and rank else "same"
    names = {"float32": 400, "bfloat16": 200, "mxfp4": 53}
    reports = []
    for payload in ("gradient", "kv_cache"):
        arrives = payload == "gradient" or rank == 1
        delivered = {name: {"digest": bits, "relative_error": 0.1} for name in names} if arrives else {}
        times = {
            name: {"time_s": count / 100 + rank, "cast_s": 0.25, "uncast_s": 0.25, "sent_bytes": count}
            for name, count in names.items()
        }
        reports.append({"payload": payload, "delivered": delivered})
        reports.append({"payload": payload, "link": "1 Gbit/s", "repeat": 0, "times": times})
    return reports


@pytest.fixture
def table(monkeypatch):
    """A function from made-up reports to the experiment's table."""

    def table(ranks):
        monkeypatch.setattr(experiment, "run_ranks", lambda *_: ranks)
        config = MxConfig(formats=["mxfp4"], wire=WireConfig(bucket_mib=0.01, tokens=10, gbit_per_s=[1.0], repeats=1))
        return wire(config, [Problem("How many apples are left?", "#### 1", 1)], language_model())

    return table


def test_the_table_holds_speedups_bytes_and_errors(table):
    values = table([reports_of(0), reports_of(1)]).set_index(["payload", "format", "metric"])["value"].sort_index()
    gradient = values["gradient", "mxfp4"]
    assert gradient["time_s"] == 1.53 and gradient["bytes_over_bfloat16"] == 53 / 200
    assert gradient["wire_s"] == pytest.approx(1.03)
    assert gradient["speedup_over_float32"] == pytest.approx(5 / 1.53)
    assert gradient["speedup_over_bfloat16"] == pytest.approx(3 / 1.53)
    assert gradient["wire_rate"] == pytest.approx(8e-9 * 53 / 1.03)


def test_ranks_with_different_bits_stop_the_experiment(table):
    with pytest.raises(RuntimeError, match="gradient in float32 differs"):
        table([reports_of(0), reports_of(1, differ=True)])


def test_a_task_survives_its_file(tmp_path):
    task = Task(2, ["mxfp4"], {"loopback": None, "1 Gbit/s": 1e9}, 3, 60.0)
    task.write(tmp_path)
    assert Task.read(tmp_path) == task
    assert json.loads((tmp_path / "task.json").read_text())["links"]["loopback"] is None


def test_codecs_are_the_plain_ones_and_those_of_the_config():
    assert [type(codec) for codec in codecs(["mxfp4"]).values()] == [Float32, BFloat16, Packed]
