"""No temporary is larger than a few blocks per thread. NumPy reports its allocations to tracemalloc."""

import tracemalloc
from functools import partial
from itertools import product

import numpy as np
import pytest

from jouleproof.formats import fake_quantize, quantize

ELEMENTS = 1 << 20
WHOLE_BLOCKS = (1024, ELEMENTS // 1024)
RAGGED = (1024, ELEMENTS // 1024 - 1)
IN_PLACE = 16 << 10  # bytes that a call may allocate in addition to its result
BUFFER = 768 << 10  # the same for arrays that cannot be processed in place; the array has 2 or 4 MiB
CASES = [*product([WHOLE_BLOCKS, RAGGED], [-1, 0], ["float32", "float16"])]


def peak(call):
    """Return the peak of allocated bytes in a second call, when everything is compiled."""
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


def copied(numbers, calls):
    """Return the cases in which one of calls(x, axis) allocates more memory than allowed."""
    cases = []
    for shape, axis, dtype in CASES:
        x = numbers[:, : shape[1]].astype(dtype)
        peaks = [peak(call) for call in calls(x, axis)]
        if max(peaks) >= allowed(shape, axis, dtype):
            cases.append(f"{shape}, {axis}, {dtype}: {peaks}")
    return cases


def test_a_fake_quantized_array_is_never_copied(numbers):
    def calls(x, axis):
        return [partial(fake_quantize, x, "mxfp6_e2m3", axis=axis, out=out) for out in (np.empty_like(x), x)]

    assert copied(numbers, calls) == []


def test_an_array_is_packed_without_a_copy(numbers):
    def calls(x, axis):
        return [partial(quantize, x, "mxfp6_e2m3", axis=axis, out=quantize(x, "mxfp6_e2m3", axis=axis))]

    assert copied(numbers, calls) == []


def test_an_array_is_unpacked_without_a_copy(numbers):
    def calls(x, axis):
        packed = quantize(x, "mxfp6_e2m3", axis=axis)
        return [partial(packed.dequantize, out=np.empty(x.shape, dtype=np.float32))]

    assert copied(numbers, calls) == []


def test_without_out_only_the_result_is_new(numbers):
    assert peak(lambda: fake_quantize(numbers, "mxfp4")) < numbers.nbytes + IN_PLACE
    packed = quantize(numbers, "mxfp4")
    assert peak(lambda: quantize(numbers, "mxfp4")) < packed.nbytes + IN_PLACE
    assert peak(packed.dequantize) < numbers.nbytes + IN_PLACE


def test_a_rule_of_the_users_own_sees_some_blocks_at_a_time():
    """The array is so large that the rule's results for all blocks would exceed the limit."""

    def rule(amax, fmt):
        return np.frexp(amax)[1] - 1 - fmt.emax

    x = np.random.default_rng(0).standard_normal((1 << 12, 1 << 10), dtype=np.float32)
    assert peak(lambda: fake_quantize(x, "mxfp4", scale=rule, out=x)) < BUFFER


def test_the_measure_notices_a_copy(numbers):
    """An overlapping `out` costs a copy."""
    x = numbers.copy()
    assert peak(lambda: fake_quantize(x, "mxfp4", out=x[::-1])) > numbers.nbytes
