"""Peak rates of this machine for matrix products and for reading memory."""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import torch

from jouleproof.measure.clocks import Stopwatch

MATRIX_SIDES = (768, 1024, 1536)
READ_BYTES = 256 * 2**20  # larger than any cache


def flops_per_s(repeats: int) -> float:
    """Return FLOP/s of float32 products of square matrices on torch's threads: the best median over a few sizes."""
    best = 0.0
    for side in MATRIX_SIDES:
        a, b = torch.rand(2, side, side)
        out = torch.empty(side, side)
        best = max(best, 2 * side**3 / _median_s(partial(torch.mm, a, b, out=out), repeats))
    return best


def read_bytes_per_s(repeats: int) -> float:
    """Return bytes/s of reading memory on torch's threads: the best median over a few ways to pass once over more data
    than any cache holds."""
    values = torch.rand(READ_BYTES // 4)
    rows = values.view(1024, -1)
    ones = torch.ones(1, len(rows))
    passes: Sequence[Callable[[], object]] = (values.sum, values.amax, lambda: torch.mm(ones, rows))
    return max(values.nbytes / _median_s(run, repeats) for run in passes)


def _median_s(run: Callable[[], object], repeats: int) -> float:
    run()
    seconds = []
    for _ in range(repeats):
        watch = Stopwatch()
        run()
        seconds.append(watch.wall_s())
    return median(seconds)
