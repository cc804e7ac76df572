"""Processor time of work on one core, and joules if this machine counts them."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numba
import torch

from jouleproof.measure.clocks import own_cpu_seconds
from jouleproof.measure.threads import unpin
from jouleproof.power.meters import Meter
from jouleproof.processes import place

CLOCK = "clock"  # the source of values that no counter measured
METERED_S = 2.0  # length of a meter's window; counters update every few milliseconds to tenths of a second
SHORTEST_S = 1e-3  # shortest time that a run is assumed to take


@contextmanager
def one_core() -> Iterator[None]:
    """Pin this process to one core, with torch and numba on one thread."""
    threads, of_numba = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    place([os.getpid()])
    try:
        yield
    finally:
        unpin()
        torch.set_num_threads(threads)
        numba.set_num_threads(of_numba)


def cpu_s(run: Callable[[], object]) -> float:
    """Return the CPU seconds that this process takes for a run, including all its threads."""
    before = own_cpu_seconds()
    run()
    return own_cpu_seconds() - before


def joules(meter: Meter, run: Callable[[], object]) -> Iterator[tuple[str, float]]:
    """Yield the joules of one run by source, as the mean over as many runs as take about METERED_S seconds. Yields
    nothing without a counter, or for a counter that gave no number."""
    if not meter.describe().get("domains"):
        return
    times = math.ceil(METERED_S / max(cpu_s(run), SHORTEST_S))
    window = meter.begin()
    for _ in range(times):
        run()
    for source, counted in window.end().joules.items():
        if counted is not None:
            yield source, counted / times
