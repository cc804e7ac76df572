"""Invariants that every cast should keep; each function counts the elements of blocks that violate its invariant.

Blocks are (blocks, block) float32. Bits are compared, so 0 and -0 differ, except that all NaN are equal.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from jouleproof.formats import MXFormat, ScaleRule, fake_quantize, quantize
from jouleproof.formats.blocks import decode, encode, get_rounding, unpack
from jouleproof.formats.description import SCALE_BIAS, SCALE_MAX, SCALE_MIN
from jouleproof.studies.mx.generated_vectors import Cast

POWERS = (-3, 5)  # exponents of two by which a block is multiplied

Counts = tuple[int, int]  # elements to which an invariant applies, and those that violate it


def idempotence(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> Counts:
    """Check that a second cast changes nothing."""
    cast = _cast(fmt, rule)
    once = cast(x)
    return x.size, _count(~same_bits(cast(once), once))


def order(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> Counts:
    """Check that a cast preserves the order of the elements of a block (elements may become equal)."""
    y = np.take_along_axis(_cast(fmt, rule)(x), np.argsort(x, axis=1, kind="stable"), axis=1)
    return x.size, _count(y[:, 1:] < y[:, :-1])


def sign_symmetry(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> Counts:
    """Check that the negated block gives the negated result; integers, which have no -0, are compared by value."""
    cast = _cast(fmt, rule)
    negated, expected = cast(-x), -cast(x)
    same = same_bits(negated, expected)
    return x.size, _count(~(same | (negated == expected) if fmt.is_integer else same))


def scale_covariance(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> Counts:
    """Check that a block times a power of two gives the result times that power, unless the block's scale clamps or the
    range of float32 is exceeded."""
    cast, applicable, violated = _cast(fmt, rule), 0, 0
    y = cast(x)
    for power in POWERS:
        moved, moved_exactly = _times_power(x, power)
        expected, expected_exactly = _times_power(y, power)
        inside = (moved_exactly & expected_exactly).all(axis=1) & _free(x, fmt, rule) & _free(moved, fmt, rule)
        applicable += x.shape[1] * _count(inside)
        violated += _count(~same_bits(cast(moved), expected)[inside])
    return applicable, violated


def plain_reference(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> Counts:
    """Check that compiled kernels and the plain quantiser give equal bits: packed codes, scales, dequantised values."""
    codes, scales = encode(x, fmt, rule, get_rounding("even"))
    expected = np.empty_like(x)
    decode(codes, scales, fmt, expected)
    packed = quantize(x, fmt, scale=rule)
    kept = packed.codes.reshape(len(x), fmt.block_bytes)
    same = (unpack(kept, fmt) == codes) & (packed.scales.reshape(-1, 1) == scales[:, None])
    same &= same_bits(packed.dequantize(), expected) & same_bits(_cast(fmt, rule)(x), expected)
    return x.size, _count(~same)


INVARIANTS: Mapping[str, Callable[[np.ndarray, MXFormat, ScaleRule], Counts]] = {
    "idempotence": idempotence,
    "order": order,
    "sign symmetry": sign_symmetry,
    "scale covariance": scale_covariance,
    "plain reference": plain_reference,
}


def same_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return elementwise, for float32, whether the bits are equal or both values are NaN."""
    return (a.view(np.int32) == b.view(np.int32)) | (np.isnan(a) & np.isnan(b))


def _cast(fmt: MXFormat, rule: ScaleRule) -> Cast:
    return partial(fake_quantize, fmt=fmt, scale=rule)


def _times_power(x: np.ndarray, power: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x * 2**power in float32, and a mask of the elements for which it is finite and exact."""
    exact = np.ldexp(x.astype(np.float64), power)
    with np.errstate(over="ignore"):
        product = exact.astype(np.float32)
    return product, np.isfinite(product) & (product == exact)


def _free(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> np.ndarray:
    """Return (blocks,) bool: whether the scale of each block is neither NaN nor at an end of its range."""
    scales = quantize(x, fmt, scale=rule).scales.reshape(-1)
    return (scales > SCALE_MIN + SCALE_BIAS) & (scales < SCALE_MAX + SCALE_BIAS)


def _count(where: np.ndarray) -> int:
    return int(where.sum())
