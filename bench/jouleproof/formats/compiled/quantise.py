"""The compiled quantiser: parallel loops over blocks, one pass through memory, the bits of jouleproof.formats.blocks.

Compiled at the first call for a kind of code (its bits, float or integer, its rounding) and kept on disk by numba.
The loops run on numba's threads; every block is computed alone, so their number changes nothing.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numba import njit, prange

from jouleproof.formats import scale
from jouleproof.formats.blocks import FLOAT32_BIAS, FLOAT32_MANTISSA, SCALE_VALUES
from jouleproof.formats.compiled import simd
from jouleproof.formats.compiled.threading import in_turn
from jouleproof.formats.description import SCALE_BIAS, SCALE_MAX, SCALE_MIN, SCALE_NAN, MXFormat
from jouleproof.formats.scale import ScaleRule

CHUNK_BLOCKS = 1 << 10  # what a thread takes at a time
NAN_BITS, INFINITY_BITS, SMALLEST_NORMAL = 0x7FC00000, 0x7F800000, 0x00800000
HIDDEN_BIT = 1 << FLOAT32_MANTISSA
CODE_VERSION = crc32(Path(simd.__file__).read_bytes())  # a free variable of every kernel, so a part of its cache key

# From which mantissa of the block's largest magnitude on (of 2**23) a built-in rule takes the next exponent.
UP_FROM: Mapping[ScaleRule, Callable[[MXFormat], int]] = {
    scale.floor: lambda fmt: HIDDEN_BIT,
    scale.ceil: lambda fmt: 1,
    scale.even: lambda fmt: HIDDEN_BIT - (1 << (FLOAT32_MANTISSA - 1 - fmt.mantissa_bits)),
    scale.rceil: lambda fmt: (_bits(fmt.max_normal) & (HIDDEN_BIT - 1)) + 1,
}


class Constants(NamedTuple):
    """What a kernel needs to know of a format and a rule, int32 or float32.

    carry: added to the bits of the largest magnitude, so that its exponent field becomes the rule's. zero: see
    simd.fake_cast. Others: bits of the largest normal and of 2**emin; 23 - mantissa bits, as exponent bits.
    """

    carry: np.int32
    emax: np.int32
    largest: np.int32
    smallest_binade: np.int32
    to_steps: np.int32
    zero: np.float32


@cache
def constants(fmt: MXFormat, rule: ScaleRule | None) -> Constants:
    """rule: a built-in one; None where the exponents are given."""
    return Constants(
        np.int32(0 if rule is None else HIDDEN_BIT - UP_FROM[rule](fmt)),
        np.int32(fmt.emax),
        np.int32(_bits(fmt.max_normal)),
        np.int32((fmt.emin + FLOAT32_BIAS) << FLOAT32_MANTISSA),
        np.int32((FLOAT32_MANTISSA - fmt.mantissa_bits) << FLOAT32_MANTISSA),
        np.float32(0.0 if fmt.is_integer else -0.0),
    )


def fake_quantize(x: np.ndarray, fmt: MXFormat, rule: ScaleRule, away: bool, out: np.ndarray) -> None:
    """x, out: contiguous float32 in whole blocks, which may be the same."""
    kernel = _fake_kernel(group_width(fmt), away)
    for part, given, numbers in _parts(x, fmt, rule):
        values = x[part], out[part]
        kernel(
            *map(address, values),
            _blocks(values[0], fmt),
            fmt.block,
            address(given),
            len(given),
            SCALE_VALUES,
            *numbers,
        )


def quantize(x: np.ndarray, fmt: MXFormat, rule: ScaleRule, away: bool, codes: np.ndarray, scales: np.ndarray) -> None:
    """x: contiguous float32 in whole blocks; codes (blocks * block_bytes,) and scales (blocks,): contiguous uint8."""
    kernel = _packed_kernel(group_width(fmt), away, fmt.bits, fmt.is_integer)
    for part, given, numbers in _parts(x, fmt, rule):
        first = part.start // fmt.block
        into = codes[first * fmt.block_bytes :], scales[first:]
        kernel(
            address(x[part]), *map(address, into), _blocks(x[part], fmt), fmt.block, fmt.block_bytes,
            address(given), len(given), SCALE_VALUES, *numbers[:-1],
        )  # fmt: skip


def dequantize(codes: np.ndarray, scales: np.ndarray, fmt: MXFormat, out: np.ndarray) -> None:
    """The inverse of `quantize`; out: contiguous float32 in whole blocks."""
    _decoding_kernel(group_width(fmt), fmt.bits, fmt.is_integer)(
        address(codes), address(scales), address(out), len(scales), fmt.block, fmt.block_bytes, SCALE_VALUES,
        *decoding_constants(fmt),
    )  # fmt: skip


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _bits(value: float) -> int:
    return int(np.float32(value).view(np.int32))


def _blocks(x: np.ndarray, fmt: MXFormat) -> int:
    return len(x) // fmt.block


def group_width(fmt: MXFormat) -> int:
    """Lanes that a kernel works on at once."""
    return 32 if fmt.block % 32 == 0 else 8


def _parts(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> Any:
    """All of x under a built-in rule; chunks with the exponents that a user's rule gives under one of these."""
    if rule in UP_FROM:
        yield slice(0, len(x)), np.empty(0, dtype=np.int16), constants(fmt, rule)
        return
    step, largest = 16 * CHUNK_BLOCKS * fmt.block, _largest_kernel(group_width(fmt))
    for start in range(0, len(x), step):
        part = slice(start, min(start + step, len(x)))
        amax = np.empty(_blocks(x[part], fmt), dtype=np.float32)
        largest(address(x[part]), amax.view(np.int32), fmt.block)
        sized = np.isfinite(amax) & (amax > 0)
        exponents = np.full(amax.shape, SCALE_MIN, dtype=np.int16)
        exponents[sized] = np.clip(rule(amax[sized], fmt), SCALE_MIN, SCALE_MAX)
        yield part, exponents, constants(fmt, None)


@cache
def decoding_constants(fmt: MXFormat) -> tuple[np.int32, ...]:
    """See simd.decoded."""
    if fmt.is_integer:
        return tuple(map(np.int32, (0, 0, _bits(fmt.min_step), 0, 0)))
    to_mantissa = FLOAT32_MANTISSA - fmt.mantissa_bits
    last = 0x7FFFFFFF if fmt.specials == "none" else fmt.max_code << to_mantissa
    mask = ((1 << (fmt.bits - 1)) - 1) << to_mantissa
    special = NAN_BITS if fmt.specials == "nan" else INFINITY_BITS
    rebias = (FLOAT32_BIAS - fmt.bias) << FLOAT32_MANTISSA
    return tuple(map(np.int32, (8 - fmt.exponent_bits, mask, rebias, last, special)))


@njit(inline="always")
def _exponent(magnitude: int, carry: int, emax: int) -> int:
    """Of the scale, from the bits of the block's largest magnitude, finite."""
    if magnitude == 0:
        return SCALE_MIN
    below = 0
    while magnitude < SMALLEST_NORMAL:
        magnitude <<= 1
        below += 1
    field = ((magnitude + carry) >> FLOAT32_MANTISSA) - below
    return min(max(field - FLOAT32_BIAS - emax, SCALE_MIN), SCALE_MAX)


@cache
def _largest_kernel(width: int, version: int = CODE_VERSION) -> Callable[..., None]:
    @njit(parallel=True, cache=True)
    def kernel(source, magnitudes, block):
        for chunk in prange(_chunks(len(magnitudes), version)):
            for index in range(chunk * CHUNK_BLOCKS, min(len(magnitudes), (chunk + 1) * CHUNK_BLOCKS)):
                start = source + 4 * index * block
                magnitude = 0
                for at in range(start, start + 4 * block, 4 * width):
                    magnitude = max(magnitude, simd.largest_magnitude(at, width))
                magnitudes[index] = magnitude

    return in_turn(kernel)


@cache
def _fake_kernel(width: int, away: bool, version: int = CODE_VERSION) -> Callable[..., None]:
    @njit(parallel=True, cache=True)
    def kernel(
        source, target, blocks, block, given, given_count, scales, carry, emax, largest, smallest_binade, to_steps, zero
    ):
        for chunk in prange(_chunks(blocks, version)):
            for index in range(chunk * CHUNK_BLOCKS, min(blocks, (chunk + 1) * CHUNK_BLOCKS)):
                start = 4 * index * block
                end = start + 4 * block
                magnitude = 0
                for at in range(start, end, 4 * width):
                    magnitude = max(magnitude, simd.largest_magnitude(source + at, width))
                if magnitude >= INFINITY_BITS:
                    for at in range(start, end, 4):
                        simd.store_float(target + at, np.float32(np.nan))
                    continue
                exponent = simd.load_int16(given + 2 * index) if given_count else _exponent(magnitude, carry, emax)
                inverse, size = scales[SCALE_BIAS - exponent], scales[SCALE_BIAS + exponent]
                for at in range(start, end, 4 * width):
                    simd.fake_cast(
                        source + at, target + at, width, away, inverse, largest, smallest_binade, to_steps, size, zero
                    )

    return in_turn(kernel)


@cache
def _packed_kernel(
    width: int, away: bool, bits: int, integer: bool, version: int = CODE_VERSION
) -> Callable[..., None]:
    group_bytes = width * bits // 8

    @njit(parallel=True, cache=True)
    def kernel(
        source, codes, scale_codes, blocks, block, block_bytes, given, given_count, scales,
        carry, emax, largest, smallest_binade, to_steps,
    ):  # fmt: skip
        for chunk in prange(_chunks(blocks, version)):
            for index in range(chunk * CHUNK_BLOCKS, min(blocks, (chunk + 1) * CHUNK_BLOCKS)):
                start = source + 4 * index * block
                target = codes + index * block_bytes
                magnitude = 0
                for at in range(0, 4 * block, 4 * width):
                    magnitude = max(magnitude, simd.largest_magnitude(start + at, width))
                if magnitude >= INFINITY_BITS:
                    simd.store_byte(scale_codes + index, SCALE_NAN)
                    for at in range(target, target + block_bytes):
                        simd.store_byte(at, 0)
                    continue
                exponent = simd.load_int16(given + 2 * index) if given_count else _exponent(magnitude, carry, emax)
                simd.store_byte(scale_codes + index, exponent + SCALE_BIAS)
                inverse = scales[SCALE_BIAS - exponent]
                for group in range(block // width):
                    simd.packed_cast(
                        start + 4 * width * group, target + group_bytes * group, width, away,
                        inverse, largest, smallest_binade, to_steps, bits, integer,
                    )  # fmt: skip

    return in_turn(kernel)


@cache
def _decoding_kernel(width: int, bits: int, integer: bool, version: int = CODE_VERSION) -> Callable[..., None]:
    group_bytes = width * bits // 8

    @njit(parallel=True, cache=True)
    def kernel(
        codes, scale_codes, target, blocks, block, block_bytes, scales, to_exponent, mask, rebias, last, special
    ):
        for chunk in prange(_chunks(blocks, version)):
            for index in range(chunk * CHUNK_BLOCKS, min(blocks, (chunk + 1) * CHUNK_BLOCKS)):
                size = scales[simd.load_byte(scale_codes + index)]
                for group in range(block // width):
                    simd.decoded(
                        codes + index * block_bytes + group_bytes * group,
                        target + 4 * (index * block + width * group),
                        width, bits, integer, to_exponent, mask, rebias, last, special, size,
                    )  # fmt: skip

    return in_turn(kernel)


@njit(inline="always")
def _chunks(blocks: int, _version: int) -> int:
    return (blocks + CHUNK_BLOCKS - 1) // CHUNK_BLOCKS
