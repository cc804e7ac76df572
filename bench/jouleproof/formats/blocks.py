"""The plain reference quantiser on (blocks, block) arrays, and the packing of its codes.

Every step is exact in float32 except the one rounding that the format requires: scales are powers of two, and elements
are rounded after they have been scaled to multiples of their step.
"""

from collections.abc import Callable, Mapping

import numpy as np

from jouleproof.formats.description import SCALE_BIAS, SCALE_MAX, SCALE_MIN, SCALE_NAN, MXFormat, scale_values
from jouleproof.formats.scale import ScaleRule

SCALE_VALUES = scale_values()
FLOAT32_BIAS, FLOAT32_MANTISSA = 127, 23

Rounding = Callable[[np.ndarray], np.ndarray]


def ties_away(value: np.ndarray) -> np.ndarray:
    """Round non-negative values to the nearest integer, halves up; this is exact even just below a half."""
    whole = np.floor(value)
    return whole + (value - whole >= 0.5)


ROUNDINGS: Mapping[str, Rounding] = {"even": np.rint, "away": ties_away}


def get_rounding(rounding: str) -> Rounding:
    """Return a rounding by name. Raises ValueError on an unknown name."""
    try:
        return ROUNDINGS[rounding]
    except (KeyError, TypeError):
        raise ValueError(f"rounding {rounding!r} is not known; built in: {', '.join(ROUNDINGS)}") from None


def encode(x: np.ndarray, fmt: MXFormat, rule: ScaleRule, rounding: Rounding) -> tuple[np.ndarray, np.ndarray]:
    """Return element codes and scale codes of whole blocks (OCP MX v1.0, section 6.3).

    x: (blocks, block) float32. Returns (blocks, block) uint8 element codes and (blocks,) uint8 E8M0 codes.
    A block that holds NaN or Inf gets scale code 255 and element codes 0; a block of zeros gets scale code 0.
    """
    magnitude = np.abs(x)
    amax = magnitude.max(axis=1)
    finite = np.isfinite(amax)
    if not finite.all():
        magnitude[~finite] = 0
    exponent = np.full(amax.shape, SCALE_MIN, dtype=np.int32)
    sized = finite & (amax > 0)
    exponent[sized] = np.clip(rule(amax[sized], fmt), SCALE_MIN, SCALE_MAX)

    # This product may round below 2**-126, but only for elements so small that they become zero anyway.
    magnitude *= SCALE_VALUES[SCALE_BIAS - exponent][:, None]
    np.minimum(magnitude, np.float32(fmt.max_normal), out=magnitude)
    codes = _encode_integers(magnitude, fmt, rounding) if fmt.is_integer else _encode_floats(magnitude, fmt, rounding)
    negative = np.signbit(x)
    if not finite.all():
        negative[~finite] = False
    if fmt.is_integer:
        codes = np.where(negative, -codes, codes) & (2**fmt.bits - 1)
    else:
        codes |= negative.astype(np.int32) << (fmt.bits - 1)
    scales = np.where(finite, exponent + SCALE_BIAS, SCALE_NAN)
    return codes.astype(np.uint8), scales.astype(np.uint8)


def _encode_integers(magnitude: np.ndarray, fmt: MXFormat, rounding: Rounding) -> np.ndarray:
    return rounding(magnitude * np.float32(1 / fmt.min_step)).astype(np.int32)


def _encode_floats(magnitude: np.ndarray, fmt: MXFormat, rounding: Rounding) -> np.ndarray:
    """Return magnitude codes, which grow with the value: a carry out of the mantissa increments the exponent."""
    binade = (magnitude.view(np.int32) >> FLOAT32_MANTISSA) - (FLOAT32_BIAS + fmt.emin)
    np.maximum(binade, 0, out=binade)
    steps_per_unit = (FLOAT32_BIAS + fmt.mantissa_bits - fmt.emin) - binade
    steps = magnitude * (steps_per_unit << FLOAT32_MANTISSA).view(np.float32)
    return rounding(steps).astype(np.int32) + (binade << fmt.mantissa_bits)


def decode(codes: np.ndarray, scales: np.ndarray, fmt: MXFormat, out: np.ndarray) -> None:
    """Fill `out`, (blocks, block) float32, with element times scale; a block with scale code 255 is all NaN.

    A product beyond the largest float32 is Inf, which only rules that round the scale up can produce.
    """
    np.take(fmt.values, codes, out=out)
    with np.errstate(over="ignore"):
        out *= SCALE_VALUES[scales][:, None]


def pack(codes: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Pack (blocks, block) uint8 codes into (blocks, block_bytes) uint8.

    Element i fills bits [i*bits, (i+1)*bits), counted from the lowest bit of the first byte.
    """
    if fmt.bits == 8:
        return codes
    words = np.zeros((codes.shape[0], fmt.block // 8), dtype="<u8")
    for i in range(8):
        words |= codes[:, i::8].astype("<u8") << np.uint64(i * fmt.bits)
    octets = words.view(np.uint8).reshape(*words.shape, 8)[:, :, : fmt.bits]
    return octets.reshape(codes.shape[0], fmt.block_bytes)


def unpack(packed: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Unpack (blocks, block_bytes) uint8 into (blocks, block) codes: the inverse of `pack`."""
    if fmt.bits == 8:
        return packed
    blocks = packed.shape[0]
    octets = np.zeros((blocks, fmt.block // 8, 8), dtype=np.uint8)
    octets[:, :, : fmt.bits] = packed.reshape(blocks, fmt.block // 8, fmt.bits)
    words = octets.view("<u8")[:, :, 0]
    shifts = np.arange(8, dtype=np.uint64) * np.uint64(fmt.bits)
    codes = (words[:, :, None] >> shifts) & np.uint64(2**fmt.bits - 1)
    return codes.astype(np.uint8).reshape(blocks, fmt.block)
