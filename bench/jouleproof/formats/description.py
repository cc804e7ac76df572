"""Frozen descriptions of block formats: the six of OCP MX v1.0, and any other format that follows the same scheme."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

SCALE_BITS = 8
SCALE_BIAS = 127
SCALE_NAN = 255
SCALE_MIN, SCALE_MAX = -127, 127


@dataclass(frozen=True)
class MXFormat:
    """A block of narrow elements under one shared power-of-two scale (E8M0).

    exponent_bits: if 0, the element is a two's complement integer with `mantissa_bits` fractional bits and one integer
        bit; otherwise, it is a float (sign, exponent, mantissa) with subnormals.
    specials: codes that are not numbers. "none": no code; "nan": only the all-ones code; "ieee": all codes with the
        top exponent, which are Inf or NaN. The quantiser never writes such a code; the dequantiser reads it.
    block: number of elements that share a scale.
    """

    name: str
    exponent_bits: int
    mantissa_bits: int
    bias: int = 0
    specials: Literal["none", "nan", "ieee"] = "none"
    block: int = 32

    def __post_init__(self) -> None:
        numbers = (self.exponent_bits, self.mantissa_bits, self.bias, self.block)
        if not isinstance(self.name, str) or any(type(number) is not int for number in numbers):
            raise TypeError(f"format {self.name!r}: the name must be a str; bits, bias and block must be int")
        if not (0 <= self.exponent_bits <= 5 and self.mantissa_bits >= 0 and 2 <= self.bits <= 8):
            raise ValueError(
                f"format {self.name}: an element must have 2 to 8 bits, at most 5 of them for the exponent; "
                f"got exponent_bits={self.exponent_bits}, mantissa_bits={self.mantissa_bits}"
            )
        if self.specials not in ("none", "nan", "ieee") or (self.is_integer and self.specials != "none"):
            raise ValueError(
                f"format {self.name}: specials must be none, nan or ieee, and none for integers; "
                f"got specials={self.specials!r}"
            )
        if self.max_code < 1 or not (
            -126 < self.emin - self.mantissa_bits <= self.emin <= self.emax <= 104 + self.mantissa_bits
        ):
            raise ValueError(
                f"format {self.name}: there must be normal values, half of whose smallest step and 2**23 times whose "
                f"largest step are normal in float32; got bias={self.bias}, specials={self.specials!r}"
            )
        if self.block < 8 or self.block % 8:
            raise ValueError(f"format {self.name}: block must be a positive multiple of 8; got block={self.block}")

    @property
    def is_integer(self) -> bool:
        return self.exponent_bits == 0

    @property
    def bits(self) -> int:
        """Bits of one element, excluding its share of the scale."""
        return self.mantissa_bits + 2 if self.is_integer else 1 + self.exponent_bits + self.mantissa_bits

    @property
    def bits_per_element(self) -> float:
        """Bits of one element, including its share of the scale."""
        return self.bits + SCALE_BITS / self.block

    @property
    def emin(self) -> int:
        """Exponent of the smallest normal; 0 for integers."""
        return 0 if self.is_integer else 1 - self.bias

    @property
    def emax(self) -> int:
        """Exponent of the largest normal, which the scale rules of OCP MX v1.0 subtract."""
        return int(np.frexp(self.max_normal)[1]) - 1

    @cached_property
    def max_code(self) -> int:
        """Magnitude code of the largest normal, to which every larger finite value clamps."""
        if self.is_integer:
            return 2 ** (self.bits - 1) - 1
        top = 2 ** (self.bits - 1) - 1
        return top - {"none": 0, "nan": 1, "ieee": 2**self.mantissa_bits}[self.specials]

    @property
    def max_normal(self) -> float:
        return float(self.values[self.max_code])

    @property
    def min_normal(self) -> float | None:
        """Smallest positive normal; None for integers, which have no exponent."""
        return None if self.is_integer else 2.0**self.emin

    @property
    def min_step(self) -> float:
        """Smallest positive element value: the smallest subnormal, or the integer's unit."""
        return 2.0 ** (self.emin - self.mantissa_bits)

    @cached_property
    def values(self) -> np.ndarray:
        """(2**bits,) float32: the value of every element code under a scale of 1."""
        codes = np.arange(2**self.bits)
        if self.is_integer:
            signed = np.where(codes > self.max_code, codes - 2**self.bits, codes)
            return (signed * self.min_step).astype(np.float32)
        magnitude = codes & (2 ** (self.bits - 1) - 1)
        exponent = np.maximum(magnitude >> self.mantissa_bits, 1)
        fraction = magnitude - ((exponent - 1) << self.mantissa_bits)
        value = np.ldexp(fraction.astype(np.float64), exponent - self.bias - self.mantissa_bits)
        mantissa = magnitude & (2**self.mantissa_bits - 1)
        special = np.where((self.specials == "ieee") & (mantissa == 0), np.inf, np.nan)
        value = np.where(magnitude > self.max_code, special, value)
        return np.where(codes >> (self.bits - 1), -value, value).astype(np.float32)

    @property
    def block_bytes(self) -> int:
        """Bytes of the codes of one packed block, without its scale."""
        return self.block * self.bits // 8


FORMATS: Mapping[str, MXFormat] = {
    fmt.name: fmt
    for fmt in (
        MXFormat("mxfp8_e4m3", 4, 3, bias=7, specials="nan"),
        MXFormat("mxfp8_e5m2", 5, 2, bias=15, specials="ieee"),
        MXFormat("mxfp6_e3m2", 3, 2, bias=3),
        MXFormat("mxfp6_e2m3", 2, 3, bias=1),
        MXFormat("mxfp4", 2, 1, bias=1),
        MXFormat("mxint8", 0, 6),
    )
}


def get_format(fmt: str | MXFormat) -> MXFormat:
    """Return a built-in format by name, or a description unchanged. Raises ValueError on an unknown name."""
    if isinstance(fmt, MXFormat):
        return fmt
    try:
        return FORMATS[fmt]
    except (KeyError, TypeError):
        raise ValueError(f"format {fmt!r} is not known; built in: {', '.join(FORMATS)}") from None


def scale_values() -> np.ndarray:
    """Return (256,) float32, the value of every E8M0 code: 255 is NaN; 0 is 2**-127, a float32 subnormal."""
    with np.errstate(over="ignore"):
        values = np.ldexp(np.float32(1), np.arange(256) - SCALE_BIAS)
    values[SCALE_NAN] = np.nan
    return values.astype(np.float32)
