"""What tests of the formats share: torch, imported where it is asked for, and how many threads cast."""

import sys

import numba
import pytest


@pytest.fixture(scope="session")
def torch():
    """The module: a second of work, which only some tests need."""
    import torch

    return torch


@pytest.fixture(scope="module")
def one_thread():
    """For many casts and products of a few blocks each: threads, numba's and torch's, would wait for each other far
    longer than they work. No cast and no product on packed weights depends on their number, as other tests see."""
    yield from threads(1)


@pytest.fixture
def every_thread():
    """For a test that is about threads, in a module that has one."""
    yield from threads(numba.config.NUMBA_NUM_THREADS)


def threads(count):
    torch = sys.modules.get("torch")
    before = numba.get_num_threads(), torch and torch.get_num_threads()
    numba.set_num_threads(count)
    if torch:
        torch.set_num_threads(count)
    yield
    numba.set_num_threads(before[0])
    if torch:
        torch.set_num_threads(before[1])
