"""Processor time of pieces of work, on one core."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from bench.measure.clocks import own_cpu_seconds
from bench.measure.threads import let_out
from bench.processes import place


@contextmanager
def one_core() -> Iterator[None]:
    """This process on one core, torch on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    place([os.getpid()])
    try:
        yield
    finally:
        let_out()
        torch.set_num_threads(threads)


def cpu_s(run: Callable[[], object]) -> float:
    """Seconds that this process takes for it, all its threads included."""
    before = own_cpu_seconds()
    run()
    return own_cpu_seconds() - before
