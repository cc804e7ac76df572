"""Casts from several threads and in forked processes: numba aborts the process unless kernels are serialised."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
PROGRAM = """
import os, threading
import numpy as np
from jouleproof.formats import fake_quantize, matvec, quantize
x = np.random.default_rng(0).standard_normal((256, 64)).astype(np.float32)

def in_a_fork(when):
    if not hasattr(os, "fork"):
        return
    pid = os.fork()
    if pid == 0:
        try:
            print(when, "cast:", fake_quantize(x, "mxfp4").shape, flush=True)
        except RuntimeError as error:
            print(when, "refused:", error, flush=True)
        os._exit(0)
    print(when, "child:", os.waitpid(pid, 0)[1], flush=True)

in_a_fork("before")
expected, wrong = fake_quantize(x, "mxfp4"), []
weights = quantize(x, "mxfp4")
product = matvec(weights, x[0])
def cast():
    for _ in range(50):
        if not (np.array_equal(fake_quantize(x, "mxfp4"), expected) and np.array_equal(matvec(weights, x[0]), product)):
            wrong.append(1)
threads = [threading.Thread(target=cast) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("wrong:", len(wrong), flush=True)
in_a_fork("after")
"""


@pytest.fixture(scope="module", params=["workqueue", "default"])
def printed(request):
    """The threading layer of numba in one process, and the lines that the process printed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "NUMBA_NUM_THREADS": "2", "NUMBA_THREADING_LAYER": request.param},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return request.param, done.stdout.splitlines()


def test_several_threads_may_cast_at_once(printed):
    assert "wrong: 0" in printed[1]


@forks
def test_a_fork_of_a_process_that_has_not_cast_may_cast(printed):
    assert printed[1][:2] == ["before cast: (256, 64)", "before child: 0"]


@forks
def test_a_fork_of_a_process_that_has_cast_casts_or_says_why_it_cannot(printed):
    layer, (*_, answer, end) = printed
    assert end == "after child: 0" and answer.startswith(
        ("after cast: (256, 64)", "after refused: jouleproof.formats: ")
    )
    assert layer != "workqueue" or answer.startswith("after cast")
