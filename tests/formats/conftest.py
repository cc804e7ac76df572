"""Fixtures that tests of the formats share: torch, imported on demand, the number of threads, and casts of X."""

import sys

import numba
import pytest

from jouleproof.formats import fake_quantize, quantize
from tests.formats.generated import FMT, X


@pytest.fixture(scope="session")
def torch():
    """The torch module, whose import takes a second and which only some tests need."""
    import torch

    return torch


@pytest.fixture
def t(torch):
    """X as a tensor."""
    return torch.from_numpy(X.copy())


@pytest.fixture
def packed():
    return quantize(X, FMT)


@pytest.fixture
def packed_t(t):
    return quantize(t, FMT)


@pytest.fixture
def expected():
    return fake_quantize(X, FMT)


@pytest.fixture(scope="module")
def one_thread():
    """Run a module that makes many small casts and products on one thread, of numba and of torch.

    Several threads would wait for each other far longer than they compute. The results of casts and products do not
    depend on the number of threads, as other tests check.
    """
    yield from threads(1)


@pytest.fixture
def every_thread():
    """Use all threads in a test about threads, within a module that uses one."""
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
