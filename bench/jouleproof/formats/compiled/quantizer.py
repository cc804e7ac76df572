"""The compiled quantiser: parallel loops over blocks, in one pass through memory, with the bits of formats.blocks.

A kernel is compiled at the first call for a kind of code (bits, float or integer, rounding); numba caches it on disk.
The loops run on numba's threads; blocks are independent, so results do not depend on the number of threads.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import numpy as np
from numba import prange

from jouleproof.formats import scale
from jouleproof.formats.blocks import FLOAT32_BIAS, FLOAT32_MANTISSA, SCALE_VALUES
from jouleproof.formats.compiled import CODE_VERSION, casts, simd
from jouleproof.formats.compiled.casts import Rounding
from jouleproof.formats.compiled.elements import Decoding, group_width
from jouleproof.formats.compiled.threading import one_at_a_time
from jouleproof.formats.description import SCALE_BIAS, SCALE_MAX, SCALE_MIN, SCALE_NAN, MXFormat
from jouleproof.formats.scale import ScaleRule
from jouleproof.kernels import njit

CHUNK_BLOCKS = 1 << 10  # blocks that a thread takes at a time
NAN_BITS, INFINITY_BITS, SMALLEST_NORMAL = 0x7FC00000, 0x7F800000, 0x00800000
HIDDEN_BIT = 1 << FLOAT32_MANTISSA
NO_EXPONENTS = 0  # given instead of an address if the kernel computes the exponents

# The smallest mantissa (out of 2**23) of a block's largest magnitude for which a rule takes the next exponent.
UP_FROM: Mapping[ScaleRule, Callable[[MXFormat], int]] = {
    scale.floor: lambda fmt: HIDDEN_BIT,
    scale.ceil: lambda fmt: 1,
    scale.even: lambda fmt: HIDDEN_BIT - (1 << (FLOAT32_MANTISSA - 1 - fmt.mantissa_bits)),
    scale.rceil: lambda fmt: (_bits(fmt.max_normal) & (HIDDEN_BIT - 1)) + 1,
}


def fake_quantize(fmt: MXFormat, rule: ScaleRule, away: bool, x: np.ndarray, out: np.ndarray) -> None:
    """Quantise and dequantise x into `out`. x, out: contiguous float32 in whole blocks; they may be the same array."""
    kernel = _fake_kernel(group_width(fmt), away)
    for chunk, exponents, rounding in _chunked(x, fmt, rule):
        source, target = x[chunk], out[chunk]
        blocks = len(source) // fmt.block
        kernel(address(source), address(target), blocks, fmt.block, exponents, SCALE_VALUES, *rounding)


def quantize(fmt: MXFormat, rule: ScaleRule, away: bool, x: np.ndarray, codes: np.ndarray, scales: np.ndarray) -> None:
    """Quantise x, contiguous float32 in whole blocks, into codes (blocks * block_bytes,) and scales (blocks,), both
    contiguous uint8."""
    kernel = _packed_kernel(group_width(fmt), away, fmt.bits, fmt.is_integer)
    for chunk, exponents, rounding in _chunked(x, fmt, rule):
        first, blocks = chunk.start // fmt.block, len(x[chunk]) // fmt.block
        places = address(x[chunk]), address(codes[first * fmt.block_bytes :]), address(scales[first:])
        kernel(*places, blocks, fmt.block, exponents, SCALE_VALUES, *rounding)


def dequantize(fmt: MXFormat, out: np.ndarray, codes: np.ndarray, scales: np.ndarray) -> None:
    """Dequantise into `out`, contiguous float32 in whole blocks: the inverse of `quantize`."""
    kernel = _decoding_kernel(group_width(fmt), fmt.bits, fmt.is_integer)
    places = address(codes), address(scales), address(out)
    kernel(*places, len(scales), fmt.block, SCALE_VALUES, *decoding_constants(fmt))


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _bits(value: float) -> int:
    return int(np.float32(value).view(np.int32))


def _chunked(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> Iterator[tuple[slice, int, Rounding]]:
    """Yield a slice of x, the address of its exponents, and constants: all of x for a built-in rule, else chunks."""
    if rule in UP_FROM:
        yield slice(0, len(x)), NO_EXPONENTS, rounding_constants(fmt, rule)
        return
    step, largest = 16 * CHUNK_BLOCKS * fmt.block, _largest_kernel(group_width(fmt))
    for start in range(0, len(x), step):
        chunk = slice(start, min(start + step, len(x)))
        amax = np.empty(len(x[chunk]) // fmt.block, dtype=np.float32)
        largest(address(x[chunk]), amax.view(np.int32), fmt.block)
        sized = np.isfinite(amax) & (amax > 0)
        exponents = np.full(amax.shape, SCALE_MIN, dtype=np.int16)
        exponents[sized] = np.clip(rule(amax[sized], fmt), SCALE_MIN, SCALE_MAX)
        yield chunk, address(exponents), rounding_constants(fmt, None)


@cache
def rounding_constants(fmt: MXFormat, rule: ScaleRule | None) -> Rounding:
    """Return the constants of a cast. rule: a built-in rule; None if the exponents are given."""
    return Rounding(
        carry=np.int32(0 if rule is None else HIDDEN_BIT - UP_FROM[rule](fmt)),
        emax=np.int32(fmt.emax),
        largest=np.int32(_bits(fmt.max_normal)),
        smallest_binade=np.int32((fmt.emin + FLOAT32_BIAS) << FLOAT32_MANTISSA),
        to_steps=np.int32((FLOAT32_MANTISSA - fmt.mantissa_bits) << FLOAT32_MANTISSA),
        zero=np.float32(0.0 if fmt.is_integer else -0.0),
    )


@cache
def decoding_constants(fmt: MXFormat) -> Decoding:
    if fmt.is_integer:
        return Decoding(*map(np.int32, (0, 0, _bits(fmt.min_step), 0, 0)))
    to_mantissa = FLOAT32_MANTISSA - fmt.mantissa_bits
    return Decoding(
        to_exponent=np.int32(8 - fmt.exponent_bits),
        mask=np.int32(((1 << (fmt.bits - 1)) - 1) << to_mantissa),
        rebias=np.int32((FLOAT32_BIAS - fmt.bias) << FLOAT32_MANTISSA),
        last=np.int32(0x7FFFFFFF if fmt.specials == "none" else fmt.max_code << to_mantissa),
        special=np.int32(NAN_BITS if fmt.specials == "nan" else INFINITY_BITS),
    )


@njit(inline="always")
def _chunks(blocks: int, _version: int) -> int:
    return (blocks + CHUNK_BLOCKS - 1) // CHUNK_BLOCKS


@njit(inline="always")
def _magnitude(source: int, block: int, width: int) -> int:
    """Return the bits of the largest magnitude in a block."""
    magnitude = 0
    for at in range(source, source + 4 * block, 4 * width):
        magnitude = max(magnitude, casts.largest_magnitude(at, width))
    return magnitude


@njit(inline="always")
def _exponent(magnitude: int, given: int, index: int, rounding: Rounding) -> int:
    """Return the exponent of a block's scale: the given one, or that for the bits of its largest magnitude."""
    if given:
        return simd.load_int16(given + 2 * index)
    if magnitude == 0:
        return SCALE_MIN
    below = 0
    while magnitude < SMALLEST_NORMAL:
        magnitude <<= 1
        below += 1
    field = ((magnitude + rounding.carry) >> FLOAT32_MANTISSA) - below
    return min(max(field - FLOAT32_BIAS - rounding.emax, SCALE_MIN), SCALE_MAX)


@cache
def _largest_kernel(width: int, version: int = CODE_VERSION) -> Callable[..., None]:
    @njit(parallel=True, cache=True)
    def kernel(source, magnitudes, block):
        for chunk in prange(_chunks(len(magnitudes), version)):
            for index in range(chunk * CHUNK_BLOCKS, min(len(magnitudes), (chunk + 1) * CHUNK_BLOCKS)):
                magnitudes[index] = _magnitude(source + 4 * index * block, block, width)

    return one_at_a_time(kernel)


@cache
def _fake_kernel(width: int, away: bool, version: int = CODE_VERSION) -> Callable[..., None]:
    @njit(parallel=True, cache=True)
    def kernel(source, target, blocks, block, given, scales, *numbers):
        rounding = Rounding(*numbers)
        for chunk in prange(_chunks(blocks, version)):
            for index in range(chunk * CHUNK_BLOCKS, min(blocks, (chunk + 1) * CHUNK_BLOCKS)):
                start = 4 * index * block
                end = start + 4 * block
                magnitude = _magnitude(source + start, block, width)
                if magnitude >= INFINITY_BITS:
                    for at in range(start, end, 4):
                        simd.store_float(target + at, np.float32(np.nan))
                    continue
                exponent = _exponent(magnitude, given, index, rounding)
                inverse, size = scales[SCALE_BIAS - exponent], scales[SCALE_BIAS + exponent]
                for at in range(start, end, 4 * width):
                    casts.fake_cast(source + at, target + at, width, away, inverse, size, rounding)

    return one_at_a_time(kernel)


@cache
def _packed_kernel(
    width: int, away: bool, bits: int, integer: bool, version: int = CODE_VERSION
) -> Callable[..., None]:
    group_bytes = width * bits // 8

    @njit(parallel=True, cache=True)
    def kernel(source, codes, scale_codes, blocks, block, given, scales, *numbers):
        rounding = Rounding(*numbers)
        block_bytes = block // width * group_bytes
        for chunk in prange(_chunks(blocks, version)):
            for index in range(chunk * CHUNK_BLOCKS, min(blocks, (chunk + 1) * CHUNK_BLOCKS)):
                start, target = source + 4 * index * block, codes + index * block_bytes
                magnitude = _magnitude(start, block, width)
                if magnitude >= INFINITY_BITS:
                    simd.store_byte(scale_codes + index, SCALE_NAN)
                    for at in range(target, target + block_bytes):
                        simd.store_byte(at, 0)
                    continue
                exponent = _exponent(magnitude, given, index, rounding)
                simd.store_byte(scale_codes + index, exponent + SCALE_BIAS)
                inverse = scales[SCALE_BIAS - exponent]
                for group in range(block // width):
                    x, packed = start + 4 * width * group, target + group_bytes * group
                    casts.packed_cast(x, packed, width, away, bits, integer, inverse, rounding)

    return one_at_a_time(kernel)


@cache
def _decoding_kernel(width: int, bits: int, integer: bool, version: int = CODE_VERSION) -> Callable[..., None]:
    group_bytes = width * bits // 8

    @njit(parallel=True, cache=True)
    def kernel(codes, scale_codes, target, blocks, block, scales, *numbers):
        decoding, groups = Decoding(*numbers), block // width
        for chunk in prange(_chunks(blocks, version)):
            for index in range(chunk * CHUNK_BLOCKS, min(blocks, (chunk + 1) * CHUNK_BLOCKS)):
                size = scales[simd.load_byte(scale_codes + index)]
                for group in range(index * groups, (index + 1) * groups):
                    at, values = codes + group_bytes * group, target + 4 * width * group
                    casts.decoded(at, values, width, bits, integer, size, decoding)

    return one_at_a_time(kernel)
