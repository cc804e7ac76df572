"""The cores of a job, where they are fewer than the machine's: by affinity, quota, or a scheduler's grant."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jouleproof.measure import threads
from jouleproof.measure.threads import MASK, quota

CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
LIMITED = ("OMP_NUM_THREADS", "OMP_PROC_BIND", MASK)
several = pytest.mark.skipif(len(CORES) < 2, reason="needs two cores that a process can be kept to")
STATE = """
import json, os
{first}
from jouleproof.measure import threads
threads.use_{kind}()
import numpy, torch
from jouleproof.measure.machine import blas, machine
print(json.dumps([threads.cores(), machine()["usable_threads"], machine()["threads"], torch.get_num_threads(),
                  blas()["numpy"]["threads"], threads.unpin()]))
"""


def state(kind="placed_threads", first="", mask=None, **variables):
    """Run a job's first steps. mask: the cores that it is started on."""
    pytest.importorskip("threadpoolctl")
    kept = {name: value for name, value in os.environ.items() if name not in (*LIMITED, *threads.VARIABLES)}
    done = subprocess.run(
        [sys.executable, "-c", STATE.format(kind=kind, first=first)],
        env={**kept, **variables},
        preexec_fn=mask and (lambda: os.sched_setaffinity(0, mask)),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@several
def test_a_process_that_is_kept_to_one_core_uses_one_thread_and_stays_there():
    one = {CORES[1]}
    assert state(mask=one) == [1, 1, os.cpu_count(), 1, 1, sorted(one)]
    assert state()[0] == len(CORES)


@several
@pytest.mark.parametrize("first", ["", "import numpy", "import numpy, numba"])
def test_the_threads_that_were_granted_are_used_even_by_a_library_that_was_imported_before(first):
    assert state(first=first, OMP_NUM_THREADS="1")[:5] == [1, 1, os.cpu_count(), 1, 1]
    assert state(first=first, OMP_NUM_THREADS="64,2", OPENBLAS_NUM_THREADS="1")[3:5] == [len(CORES)] * 2
    assert state("one_thread", first)[3:5] == [1, 1]


@several
def test_a_child_of_a_process_that_openmp_has_pinned_gets_back_what_its_parent_was_started_on():
    code = "from jouleproof.measure.threads import cores, unpin; print([cores(), unpin()])"
    placed = threads.placed_threads(2)
    environment = {**os.environ, **placed}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, {CORES[0]}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [2, CORES]


@pytest.mark.parametrize(
    ("groups", "files", "cores"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 1),
        ("0::/", {"cpu.max": "50000 100000"}, 1),
        ("0::/", {"cpu.max": "max 100000"}, 0),
        ("0::/", {}, 0),
        ("0::/a/b", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000", "cpu.max": "800000 100000"}, 3),
        ("4:memory:/x\n1:cpu,cpuacct:/x", {"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ("1:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 0),
    ],
)
def test_the_quota_of_a_container_is_in_whole_cores(tmp_path, groups, files, cores):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups + "\n")
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert quota(tmp_path) == cores


def test_no_code_asks_for_the_cores_of_the_machine_to_use_them():
    folder = Path(threads.__file__).parents[1]
    asking = {path.name for path in folder.rglob("*.py") if "os.cpu_count" in path.read_text(encoding="utf-8")}
    assert asking == {"threads.py", "machine.py", "contention.py"}
