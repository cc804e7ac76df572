"""OCP MX v1.0 quantisation in exact rationals, one element at a time: slow, plain, independent of jouleproof.formats.

It reads only the fields that describe a format (exponent_bits, mantissa_bits, bias, specials).
"""

from bisect import bisect_right
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

SCALE_MIN, SCALE_MAX, SCALE_NAN_CODE = -127, 127, 255
FLOAT32_OVERFLOW = Fraction(2) ** 128


@cache
def magnitudes(fmt: Any) -> tuple[Fraction, ...]:
    """Return the finite values >= 0 that the quantiser may write, ascending."""
    if fmt.exponent_bits == 0:
        return tuple(Fraction(n, 2**fmt.mantissa_bits) for n in range(2 ** (fmt.mantissa_bits + 1)))
    values = []
    for exponent in range(2**fmt.exponent_bits):
        for mantissa in range(2**fmt.mantissa_bits):
            top = exponent == 2**fmt.exponent_bits - 1
            if top and fmt.specials == "ieee":
                continue
            if top and fmt.specials == "nan" and mantissa == 2**fmt.mantissa_bits - 1:
                continue
            fraction = Fraction(mantissa, 2**fmt.mantissa_bits)
            if exponent == 0:
                values.append(fraction * Fraction(2) ** (1 - fmt.bias))
            else:
                values.append((1 + fraction) * Fraction(2) ** (exponent - fmt.bias))
    return tuple(values)


def floor_log2(value: Fraction) -> int:
    """Return floor(log2(value)) of a value > 0, exactly."""
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if Fraction(2) ** guess <= value else guess - 1


def ceil_log2(value: Fraction) -> int:
    """Return ceil(log2(value)) of a value > 0, exactly."""
    below = floor_log2(value)
    return below if Fraction(2) ** below == value else below + 1


def step_at(value: Fraction, fmt: Any) -> Fraction:
    """Return the distance between neighbouring values around `value`, as if exponents were unbounded above."""
    if fmt.exponent_bits == 0:
        return Fraction(1, 2**fmt.mantissa_bits)
    smallest = 1 - fmt.bias
    exponent = max(floor_log2(value), smallest) if value else smallest
    return Fraction(2) ** (exponent - fmt.mantissa_bits)


def scale_exponent(amax: Fraction, fmt: Any, rule: str) -> int:
    """Return the scale exponent of a block whose largest magnitude is amax > 0, clamped to the range of E8M0."""
    max_normal = magnitudes(fmt)[-1]
    emax = floor_log2(max_normal)
    if rule == "floor":
        exponent = floor_log2(amax) - emax
    elif rule == "ceil":
        exponent = ceil_log2(amax) - emax
    elif rule == "even":
        unit = Fraction(2) ** (floor_log2(amax) - fmt.mantissa_bits)
        rounded = ((amax / unit + Fraction(1, 2)) // 1) * unit
        exponent = floor_log2(rounded) - emax
    else:
        assert rule == "rceil"
        exponent = ceil_log2(amax / max_normal)
    return min(max(exponent, SCALE_MIN), SCALE_MAX)


def round_magnitude(value: Fraction, fmt: Any, rounding: str) -> Fraction:
    """Return the nearest value of the format, and at most its largest normal.

    At a tie, it is the even value (the larger if both significands are odd) or the one away from zero.
    """
    values = magnitudes(fmt)
    if not value:
        return value
    if value >= values[-1]:
        return values[-1]
    position = bisect_right(values, value)
    below, above = values[position - 1], values[position]
    if value - below != above - value:
        return below if value - below < above - value else above
    significand = below / step_at(below, fmt)
    return below if rounding == "even" and significand % 2 == 0 else above


def quantize_block(block: np.ndarray, fmt: Any, rule: str, rounding: str) -> tuple[np.ndarray, int]:
    """Return the float32 values that a block, (elements,) float32, reads back as, and its E8M0 code."""
    if not np.isfinite(block).all():
        return np.full(len(block), np.nan, dtype=np.float32), SCALE_NAN_CODE
    exact = [Fraction(float(element)) for element in block]
    amax = max(abs(element) for element in exact)
    exponent = scale_exponent(amax, fmt, rule) if amax else SCALE_MIN
    scale = Fraction(2) ** exponent
    read = []
    for element, negative in zip(exact, np.signbit(block), strict=True):
        value = round_magnitude(abs(element) / scale, fmt, rounding) * scale
        keeps_sign = bool(negative) and (fmt.exponent_bits > 0 or value != 0)
        read.append(-to_float32(value) if keeps_sign else to_float32(value))
    return np.array(read, dtype=np.float32), exponent + 127


def to_float32(value: Fraction) -> np.float32:
    """Convert a value that float32 represents exactly; Inf if it is too large."""
    if value >= FLOAT32_OVERFLOW:
        return np.float32(np.inf)
    number = np.float32(float(value))
    assert Fraction(float(number)) == value, f"{value} is no float32"
    return number


def quantize_blocks(x: np.ndarray, fmt: Any, rule: str, rounding: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that x, (blocks, block) float32, reads back as, and (blocks,) E8M0 codes."""
    blocks = [quantize_block(block, fmt, rule, rounding) for block in x]
    return np.array([values for values, _ in blocks]), np.array([code for _, code in blocks], dtype=np.uint8)
