"""The package that observes the machine, on made-up readings."""

import hashlib
import json
import os
import subprocess
import sys
from collections import namedtuple
from types import SimpleNamespace

import pytest

from jouleproof.errors import UserError
from jouleproof.evidence import provenance
from jouleproof.evidence.provenance import ProvenanceRecorder, provenance_path, read_provenance
from jouleproof.measure import clocks, contention, threads
from jouleproof.measure.contention import BUSY_FOREIGN, BUSY_STEAL, Contention, ContentionWatch
from jouleproof.power import meters

Linux = namedtuple("Linux", "user system idle iowait steal guest")
Mac = namedtuple("Mac", "user nice system idle")


@pytest.fixture
def watched(monkeypatch):
    """Return a function from two readings of the counters and our CPU seconds to the contention."""

    def watched(start, end, own_s, load=0.5):
        readings = iter([start, end])
        fake = SimpleNamespace(cpu_times=lambda: next(readings), getloadavg=lambda: (load, 0.0, 0.0))
        monkeypatch.setattr(contention, "psutil", fake)
        monkeypatch.setattr(contention, "Stopwatch", lambda: SimpleNamespace(cpu_s=lambda: own_s))
        return ContentionWatch().reading()

    return watched


def test_what_is_neither_idle_nor_stolen_nor_ours_is_foreign(watched):
    contention = watched(Linux(0, 0, 0, 0, 0, 0), Linux(50, 10, 30, 8, 2, 0), own_s=40)
    assert (contention.idle, contention.foreign, contention.steal) == pytest.approx((0.38, 0.2, 0.02))


def test_time_before_the_watch_does_not_count(watched):
    contention = watched(Linux(1000, 500, 10, 0, 300, 0), Linux(1040, 510, 60, 0, 300, 0), own_s=50)
    assert (contention.foreign, contention.steal) == (0.0, 0.0)


def test_only_the_cores_of_this_process_count(monkeypatch):
    readings = iter([[Mac(0, 0, 0, 0)] * 3, [Mac(10, 0, 0, 0), Mac(0, 0, 0, 10), Mac(6, 0, 0, 4)]])
    fake = SimpleNamespace(cpu_times=lambda percpu: next(readings), getloadavg=lambda: (0.0, 0.0, 0.0))
    monkeypatch.setattr(contention, "psutil", fake)
    monkeypatch.setattr(contention, "Stopwatch", lambda: SimpleNamespace(cpu_s=lambda: 6))
    monkeypatch.setattr(contention, "STARTED_ON", frozenset({1, 2}))
    monkeypatch.setattr(contention.os, "cpu_count", lambda: 3)
    reading = ContentionWatch().reading()
    assert (reading.idle, reading.foreign) == pytest.approx((0.7, 0.0))


def test_guest_time_is_not_counted_twice(watched):
    contention = watched(Linux(0, 0, 0, 0, 0, 0), Linux(50, 0, 50, 0, 0, 50), own_s=0)
    assert contention.foreign == 0.5


def test_a_system_that_knows_no_steal_says_so(watched):
    contention = watched(Mac(0, 0, 0, 0), Mac(30, 10, 10, 50), own_s=20)
    assert (contention.foreign, contention.steal) == (pytest.approx(0.3), None)


def test_the_load_of_the_last_minute_is_kept(watched):
    assert watched(Mac(0, 0, 0, 0), Mac(1, 0, 0, 1), own_s=1, load=3.5).load_1min == 3.5


def test_counters_that_stood_still_are_no_contention(watched):
    contention = watched(Linux(1, 1, 1, 1, 1, 1), Linux(1, 1, 1, 1, 1, 1), own_s=0)
    assert (contention.foreign, contention.steal) == (0.0, 0.0)


def test_shares_stay_between_0_and_1_where_our_clock_runs_ahead_of_the_machines(watched):
    assert watched(Linux(0, 0, 0, 0, 0, 0), Linux(1, 0, 9, 0, 0, 0), own_s=2).foreign == 0.0


@pytest.mark.parametrize(
    ("foreign", "steal", "busy"),
    [
        (0.0, 0.0, False),
        (BUSY_FOREIGN, BUSY_STEAL, False),
        (BUSY_FOREIGN + 1e-9, 0.0, True),
        (0.0, BUSY_STEAL + 1e-9, True),
        (0.0, None, False),
        (0.5, None, True),
    ],
)
def test_a_machine_is_busy_above_either_limit(foreign, steal, busy):
    assert Contention(0.0, foreign, steal, load_1min=9.0).busy is busy


def test_cpu_seconds_are_user_and_system_of_this_process_and_its_children(monkeypatch):
    monkeypatch.setattr(clocks.os, "times", lambda: os.times_result((1.0, 2.0, 4.0, 8.0, 1e6)))
    assert clocks.cpu_seconds() == 15.0


def test_a_stopwatch_counts_cpu_and_wall_from_its_making(monkeypatch):
    monkeypatch.setattr(clocks, "cpu_seconds", iter([5.0, 7.5]).__next__)
    monkeypatch.setattr(clocks.time, "perf_counter", iter([100.0, 109.0]).__next__)
    watch = clocks.Stopwatch.__new__(clocks.Stopwatch)
    watch._wall, watch._cpu = clocks.time.perf_counter(), clocks.cpu_seconds()
    assert (watch.cpu_s(), watch.wall_s()) == (2.5, 9.0)


def test_waiting_costs_no_cpu_and_a_busy_loop_does():
    watch = clocks.Stopwatch()
    clocks.time.sleep(0.05)
    asleep = watch.cpu_s()
    end = clocks.time.process_time() + 0.2
    while clocks.time.process_time() < end:
        pass
    assert watch.cpu_s() - asleep >= 0.15 > asleep


def test_one_thread_is_asked_of_every_numerical_library(monkeypatch):
    for name in threads.VARIABLES:
        monkeypatch.setenv(name, "8")
    threads.use_one_thread()
    assert {os.environ[name] for name in threads.VARIABLES} == {"1"}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write the provenance of a result in a process that opened no meter."""
    monkeypatch.setattr(meters, "_opened", {})
    inputs = {"one": {"origin": "stand-in", "sha256 of a": "0"}}
    ProvenanceRecorder().write(tmp_path / "t.parquet", config={"b": 1, "a": [2]}, inputs=inputs, timed=True)
    return read_provenance(tmp_path / "t.parquet")


def test_provenance_lies_beside_its_result(tmp_path):
    assert provenance_path(tmp_path / "t.parquet") == tmp_path / "t.provenance.json"


def test_provenance_has_what_was_promised(written):
    assert set(written) == {
        *("result", "timed", "code", "config_sha256", "inputs", "machine", "libraries", "cpu_s", "wall_s"),
        *("contention", "peak_memory_bytes", "blas"),
    }
    assert set(written["machine"]) == {
        *("processor", "architecture", "cores", "threads", "memory_bytes", "system", "python"),
        *("usable_threads", "flags", "cache_bytes", "governor", "gpus", "container"),
    }
    assert set(written["code"]) == {"commit", "dirty"} and set(written["blas"]) == {"numpy", "torch"}
    assert set(written["contention"]) == {"idle", "foreign", "steal", "load_1min", "busy"}
    assert set(written["libraries"]) == set(provenance.LIBRARIES)


def test_provenance_repeats_the_inputs_and_whether_the_result_was_timed(written):
    assert written["inputs"] == {"one": {"origin": "stand-in", "sha256 of a": "0"}}
    assert (written["result"], written["timed"]) == ("t.parquet", True)


def test_the_order_of_the_knobs_does_not_change_the_hash_of_the_config(written):
    assert written["config_sha256"] == hashlib.sha256(b'{"a": [2], "b": 1}').hexdigest()


@pytest.mark.parametrize("content", [None, "{"])
def test_provenance_that_is_missing_or_damaged_is_one_line_that_names_it(tmp_path, content):
    if content is not None:
        (tmp_path / "t.provenance.json").write_text(content)
    with pytest.raises(UserError, match=r"t\.provenance\.json cannot be read") as caught:
        read_provenance(tmp_path / "t.parquet")
    assert "\n" not in str(caught.value)


def test_provenance_is_json_that_any_reader_takes(written):
    assert json.loads(json.dumps(written, allow_nan=False)) == written


def test_numba_obeys_even_where_it_was_imported_before():
    code = (
        "import numba; from jouleproof.measure.threads import use_one_thread; use_one_thread();"
        "from jouleproof.formats import fake_quantize, quantize; import numpy;"
        "x = numpy.ones(64, dtype=numpy.float32); fake_quantize(x, 'mxfp4'); print(numba.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_memory_that_was_held_counts_at_its_most_after_it_was_given_back():
    before = provenance.peak_memory_bytes()
    held = bytearray(before + 64 * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    size = len(held)
    del held
    assert size <= provenance.peak_memory_bytes() < 2 * size + before
