"""Casts from several threads and in forked processes: numba ends the process where they are not kept apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = """
import os, threading
import numpy as np
from jouleproof.formats import fake_quantize, matvec, quantize
x = np.random.default_rng(0).standard_normal((256, 64)).astype(np.float32)
"""
THREADS = """
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
print("wrong:", len(wrong))
"""
FORK = """
pid = os.fork()
if pid == 0:
    try:
        print("cast:", fake_quantize(x, "mxfp4").shape, flush=True)
    except RuntimeError as error:
        print("refused:", error, flush=True)
    os._exit(0)
print("child:", os.waitpid(pid, 0)[1])
"""


def printed(program, **changes):
    """By a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", START + program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "2", **changes},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_several_threads_may_cast_at_once(layer):
    assert printed(THREADS, NUMBA_THREADING_LAYER=layer) == "wrong: 0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_of_a_process_that_has_not_cast_may_cast():
    assert printed(FORK) == "cast: (256, 64)\nchild: 0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_a_fork_of_a_process_that_has_cast_casts_or_says_why_it_cannot(layer):
    answer = printed('fake_quantize(x, "mxfp4")\n' + FORK, NUMBA_THREADING_LAYER=layer)
    assert answer.endswith("child: 0\n") and answer.startswith(("cast: (256, 64)", "refused: jouleproof.formats: "))
    assert layer != "workqueue" or answer.startswith("cast")
