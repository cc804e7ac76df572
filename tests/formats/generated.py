"""Blocks of float32 for tests: random bit patterns, and blocks on which quantisers often fail."""

from itertools import pairwise

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jouleproof.formats import FORMATS, MXFormat
from tests.formats import oracle

REPEATABLE = settings(derandomize=True, deadline=None, database=None)
FLOAT32_MAX = np.finfo(np.float32).max
TELLING_MANTISSAS = [0, 1, 0x7FFFFF, 0x7FFFFE, 0x400000, 0x200000, 0x600000, 0x3FFFFF, 0x600001]


def numbers(shape: int | tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return Gaussian float32 of this shape."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


X, FMT = numbers((4, 64)), FORMATS["mxfp8_e4m3"]  # cast by tests of arguments and outputs


@st.composite
def blocks(draw: st.DrawFn, size: int = 32, low: int = 0, high: int = 255, span: int = 40) -> np.ndarray:
    """Draw (size,) float32 with exponent fields in [low, high], near the block's largest or up to `span` below it.

    Field 0 holds zeros and subnormals, field 255 Inf and NaN.
    """
    top = draw(st.integers(low, high))
    near, far = st.integers(0, 4), st.integers(0, span)
    below = draw(arrays(np.int64, size, elements=st.one_of(near, near, near, far), fill=st.nothing()))
    mantissas = st.one_of(st.sampled_from(TELLING_MANTISSAS), st.integers(0, 0x7FFFFF))
    mantissa = draw(arrays(np.int64, size, elements=mantissas, fill=st.nothing()))
    negative = draw(st.integers(0, 2**size - 1))
    sign = np.array([negative >> i & 1 for i in range(size)])
    exponent = np.clip(top - below, low, 255)
    return (sign << 31 | exponent << 23 | mantissa).astype(np.uint32).view(np.float32)


def any_blocks(size: int = 32) -> st.SearchStrategy[np.ndarray]:
    """Draw blocks of any float32: subnormals, both zeros, NaN, Inf, the largest floats."""
    raw = arrays(np.uint32, size, elements=st.integers(0, 2**32 - 1), fill=st.nothing())
    return st.one_of(
        blocks(size),
        blocks(size, high=3),
        blocks(size, low=250, high=254),
        blocks(size, low=253, high=255),
        raw.map(lambda bits: bits.view(np.float32)),
    )


def finite_blocks(size: int = 32) -> st.SearchStrategy[np.ndarray]:
    """Draw blocks whose values do not exceed float32 when they are rounded up."""
    return blocks(size, low=0, high=253)


def normal_blocks(size: int = 32, low: int = 87, high: int = 167) -> st.SearchStrategy[np.ndarray]:
    """Draw blocks of magnitudes from about 2**-40 to 2**40, whose scales never clamp."""
    return blocks(size, low=low, high=high, span=30)


def adversarial(fmt: MXFormat) -> np.ndarray:
    """Return (blocks, block) float32: zeros, powers of two and neighbours, midpoints, saturation, ends of float32."""
    size = fmt.block
    values = [float(value) for value in oracle.magnitudes(fmt)]
    top = 2.0 ** oracle.floor_log2(oracle.magnitudes(fmt)[-1])
    largest = values[-1]
    unit = 2.0**-fmt.mantissa_bits
    middles = [(a + b) / 2 for a, b in pairwise(values)]
    rows: list[list[float]] = [[0.0], [-0.0], [0.0, -0.0] * (size // 2)]
    rows += rows_under(top, with_neighbours(middles), size)
    rows += rows_under(top, values, size)
    rows += rows_under(top, with_neighbours([largest, 2 * top, (largest + 2 * top) / 2]), size)
    for power in (-149, -140, -127, -126, -112, -1, 0, 119, 126, 127):
        for amax in with_neighbours([2.0**power, largest / top * 2.0**power, (2 - unit / 2) * 2.0**power]):
            if amax <= FLOAT32_MAX:
                rows.append([amax, -amax, amax / 2, -amax / 3, amax * 1e-3, -amax * 1e-6, 2.0**-149, -0.0])
    rows += [[FLOAT32_MAX, -1.0], [np.float32(1e-45)], [np.nan, 1.0], [1.0, np.inf], [-np.inf], [np.inf, np.nan, -0.0]]
    block = np.zeros((len(rows), size), dtype=np.float32)
    for target, row in zip(block, rows, strict=True):
        target[: len(row)] = row
    return block


def with_neighbours(values: list[float]) -> list[float]:
    """Return each value as a float32, and the floats just below and just above it."""
    middle = np.array(values, dtype=np.float32)
    with np.errstate(over="ignore"):
        below, above = np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(np.inf))
    return [float(value) for trio in zip(below, middle, above, strict=True) for value in trio]


def rows_under(top: float, values: list[float], size: int) -> list[list[float]]:
    """Return rows of the values with both signs, led by `top`, for which the floor rule chooses a scale of 1."""
    usable = [value for value in values if value < 2 * top]
    signed = [value * sign for value in usable for sign in (1, -1)]
    return [[top, *signed[first : first + size - 1]] for first in range(0, len(signed), size - 1)]


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether shapes and bits are equal; all NaN count as equal."""
    a, b = np.asarray(a, dtype=np.float32), np.asarray(b, dtype=np.float32)
    both_nan = np.isnan(a) & np.isnan(b)
    return a.shape == b.shape and bool(((a.view(np.int32) == b.view(np.int32)) | both_nan).all())
