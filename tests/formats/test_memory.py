"""No temporary is larger than a few blocks per thread. NumPy reports all that it allocates to tracemalloc."""

import tracemalloc
from itertools import product

import numpy as np
import pytest

from jouleproof.formats import fake_quantize, quantize

ELEMENTS = 1 << 22
WHOLE_BLOCKS = (2048, ELEMENTS // 2048)
RAGGED = (2048, ELEMENTS // 2048 - 1)
IN_PLACE = 16 << 10  # bytes: what the call itself takes
BUFFER = 768 << 10  # bytes, where an array cannot be worked on where it lies; the array has 8 or 16 MiB
CASES = [
    pytest.param(*case, id="-".join(map(str, case)))
    for case in product([WHOLE_BLOCKS, RAGGED], [-1, 0], ["float32", "float16"])
]


def peak(call):
    """Bytes that are allocated at the worst moment of a second call, when all is compiled."""
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def numbers():
    return np.random.default_rng(0).standard_normal(WHOLE_BLOCKS, dtype=np.float32)


def allowed(shape, axis, dtype):
    return IN_PLACE if (shape, axis, dtype) == (WHOLE_BLOCKS, -1, "float32") else BUFFER


@pytest.mark.parametrize(("shape", "axis", "dtype"), CASES)
def test_a_fake_quantised_array_is_never_copied(numbers, shape, axis, dtype):
    x = numbers[:, : shape[1]].astype(dtype)
    out = np.empty_like(x)
    assert peak(lambda: fake_quantize(x, "mxfp6_e2m3", axis=axis, out=out)) < allowed(shape, axis, dtype)
    assert peak(lambda: fake_quantize(x, "mxfp6_e2m3", axis=axis, out=x)) < allowed(shape, axis, dtype)


@pytest.mark.parametrize(("shape", "axis", "dtype"), CASES)
def test_an_array_is_packed_without_a_copy(numbers, shape, axis, dtype):
    x = numbers[:, : shape[1]].astype(dtype)
    out = quantize(x, "mxfp6_e2m3", axis=axis)
    assert peak(lambda: quantize(x, "mxfp6_e2m3", axis=axis, out=out)) < allowed(shape, axis, dtype)


@pytest.mark.parametrize("shape", [WHOLE_BLOCKS, RAGGED])
@pytest.mark.parametrize("axis", [-1, 0])
def test_an_array_is_unpacked_without_a_copy(numbers, shape, axis):
    packed = quantize(numbers[:, : shape[1]], "mxfp6_e2m3", axis=axis)
    out = np.empty(shape, dtype=np.float32)
    assert peak(lambda: packed.dequantize(out=out)) < allowed(shape, axis, "float32")


def test_without_out_only_the_result_is_new(numbers):
    assert peak(lambda: fake_quantize(numbers, "mxfp4")) < numbers.nbytes + IN_PLACE
    packed = quantize(numbers, "mxfp4")
    assert peak(lambda: quantize(numbers, "mxfp4")) < packed.nbytes + IN_PLACE
    assert peak(packed.dequantize) < numbers.nbytes + IN_PLACE


def test_a_rule_of_the_users_own_sees_some_blocks_at_a_time(numbers):
    def rule(amax, fmt):
        return np.frexp(amax)[1] - 1 - fmt.emax

    out = np.empty_like(numbers)
    assert peak(lambda: fake_quantize(numbers, "mxfp4", scale=rule, out=out)) < BUFFER


def test_the_measure_notices_a_copy(numbers):
    """What an overlapping `out` costs."""
    x = numbers.copy()
    assert peak(lambda: fake_quantize(x, "mxfp4", out=x[::-1])) > numbers.nbytes
