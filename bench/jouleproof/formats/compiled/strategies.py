"""One step along a packed row by each strategy of packed_matrix: codes times a part of the vector, in registers.

A step gives 8 float32 sums that want only the scales of their blocks. The vector lies in the road's order:
jouleproof.formats.compiled.activations.
"""

from dataclasses import dataclass
from typing import NamedTuple

from llvmlite import ir

from jouleproof.formats.blocks import FLOAT32_MANTISSA
from jouleproof.formats.compiled.simd import (
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    SIGN_MASK,
    call,
    constant,
    half_floats,
    left_aligned_codes,
    load,
    portable_floats,
    shuffle,
    splat,
    vector,
    whole_numbers,
)

SHIFT, WHOLE, HALF, PORTABLE = ROADS = ("shift", "whole", "half", "portable")
LANES = 8  # of a float32 register with AVX2
CODES_PER_WORD = 4
FLOATS, WORDS, HALVES = vector(FLOAT, LANES), vector(INT32, LANES), vector(INT16, 2 * LANES)
OCTETS = vector(INT8, 4 * LANES)
HIGH_BITS = 15  # of a whole number's high digit, without its sign
HIGH_HALF = 0xFFFF0000


class Codes(NamedTuple):
    """What of a format shapes the instructions. width: codes that are decoded at once."""

    width: int
    bits: int
    exponent_bits: int
    mantissa_bits: int


@dataclass(frozen=True)
class Step:
    """groups: of `width` codes, that a step takes. vectors: registers that its part of the vector fills, by kind.
    low_bits: of the lower digit of a whole number."""

    groups: int
    vectors: tuple[ir.VectorType, ...]
    low_bits: int = 0

    @property
    def kinds(self) -> tuple[ir.VectorType, ...]:
        """Of all registers: behind the vector's one for each group, with its unit in the lanes of its sums."""
        return self.vectors + (FLOATS,) * (self.groups if self.low_bits else 0)

    @property
    def bytes(self) -> int:
        return 4 * LANES * len(self.kinds)


def step_of(road: str, codes: Codes) -> Step:
    if road != WHOLE:
        return Step(1, (FLOATS,) * (codes.width // LANES))
    if codes.bits == 4:
        return Step(2, (HALVES,) * 4 + (OCTETS,) * 2, low_bits=8)
    return Step(1, (HALVES,) * 4, low_bits=14)


def float_products(
    builder: ir.IRBuilder, road: str, codes: Codes, at: ir.Value, x: list[ir.Value], portable: list[ir.Value]
) -> ir.Value:
    """portable: scalars for lanes.portable_floats."""
    if road == SHIFT and codes.bits == 8 and codes.exponent_bits > 0:
        values = _shifted_octets(builder, at, codes)
    elif road == SHIFT:
        values = _shifted(builder, at, codes)
    else:
        left = left_aligned_codes(builder, at, codes.width, codes.bits)
        if codes.exponent_bits == 0:
            together = whole_numbers(builder, left, codes.bits)
        elif road == HALF:
            together = half_floats(builder, left, codes.exponent_bits, codes.mantissa_bits)
        else:
            together = portable_floats(builder, left, *(splat(builder, scalar, codes.width) for scalar in portable))
        values = [shuffle(builder, together, [*range(first, first + LANES)]) for first in range(0, codes.width, LANES)]
    total = builder.fmul(values[0], x[0])
    for value, part in zip(values[1:], x[1:], strict=True):
        total = fused(builder, value, part, total)
    return total


def nibble_products(
    builder: ir.IRBuilder, at: ir.Value, high: list[ir.Value], low: list[ir.Value], table: ir.Value
) -> ir.Value:
    """64 codes. Exact sums of eight products, rounded once. table: what codes stand for, twice 16 bytes."""
    octets = load(builder, at, OCTETS, 1)
    moved = builder.bitcast(builder.lshr(builder.bitcast(octets, HALVES), constant(HALVES, 4)), OCTETS)
    sums, pairs = [], []
    for nibbles, digits in zip((octets, moved), low, strict=True):
        index = builder.and_(nibbles, constant(OCTETS, 15))
        weights = call(builder, "llvm.x86.avx2.pshuf.b", OCTETS, [table, index])
        pairs.append(call(builder, "llvm.x86.avx2.pmadd.ub.sw", HALVES, [digits, weights]))
        both = builder.bitcast(weights, HALVES)
        sums += [builder.shl(both, constant(HALVES, 8)), builder.and_(both, constant(HALVES, 0xFF00))]
    first, second, third, fourth = (_pair_sums(builder, *pair) for pair in zip(sums, high, strict=True))
    upper = builder.add(builder.add(first, second), builder.add(third, fourth))
    lower = _pair_sums(builder, builder.add(*pairs), constant(HALVES, 1))
    return builder.sitofp(builder.add(upper, lower), FLOATS)


def octet_products(
    builder: ir.IRBuilder, at: ir.Value, high: list[ir.Value], low: list[ir.Value], low_bits: int
) -> ir.Value:
    """32 codes. Exact sums of four products, rounded once."""
    octets = [load(builder, builder.add(at, INT64(first)), vector(INT8, 16), 1) for first in (0, 16)]
    weights = [builder.sext(half, HALVES) for half in octets]
    upper, lower = (
        builder.sitofp(builder.add(*(_pair_sums(builder, *pair) for pair in zip(weights, digits, strict=True))), FLOATS)
        for digits in (high, low)
    )
    return fused(builder, upper, constant(FLOATS, float(1 << low_bits)), lower)


def _pair_sums(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return call(builder, "llvm.x86.avx2.pmadd.wd", WORDS, [a, b])


def fused(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    return call(builder, f"llvm.fmuladd.v{LANES}f32", c.type, [a, b, c])


def _shifted(builder: ir.IRBuilder, at: ir.Value, codes: Codes) -> list[ir.Value]:
    """32 codes as 4 vectors: word i of 8 holds codes 4i to 4i + 3, vector k the k-th of every word."""
    bits = codes.bits
    octets = load(builder, at, vector(INT8, CODES_PER_WORD * bits), 1)
    first = [CODES_PER_WORD * bits * word for word in range(LANES)]
    if bits == 4:
        held = builder.zext(builder.bitcast(octets, vector(INT16, LANES)), WORDS)
    else:
        window = [min(bit // 8 + byte, octets.type.count - 1) for bit in first for byte in range(4)]
        held = builder.bitcast(shuffle(builder, octets, window), WORDS)
    values = []
    for code in range(CODES_PER_WORD):
        top = builder.shl(held, constant(WORDS, [32 - bits - bits * code - bit % 8 for bit in first]))
        if codes.exponent_bits == 0:
            values.append(builder.sitofp(builder.ashr(top, constant(WORDS, 32 - bits)), FLOATS))
        else:
            moved = builder.ashr(top, constant(WORDS, 8 - codes.exponent_bits))
            values.append(builder.bitcast(builder.and_(moved, constant(WORDS, _kept(codes) << 16)), FLOATS))
    return values


def _shifted_octets(builder: ir.IRBuilder, at: ir.Value, codes: Codes) -> list[ir.Value]:
    """As `_shifted`, two codes of 8 bits at a time, to the place of a float32's upper half."""
    odd = load(builder, at, HALVES, 1)
    even = builder.shl(odd, constant(HALVES, 8))
    values = []
    for code in (even, odd):
        moved = builder.ashr(code, constant(HALVES, 8 - codes.exponent_bits))
        pair = builder.bitcast(builder.and_(moved, constant(HALVES, _kept(codes))), WORDS)
        values.append((builder.shl(pair, constant(WORDS, 16)), builder.and_(pair, constant(WORDS, HIGH_HALF))))
    return [builder.bitcast(code[half], FLOATS) for half in (0, 1) for code in values]


def _kept(codes: Codes) -> int:
    """The bits of a float32's upper half that a moved code fills."""
    fraction = (1 << (codes.exponent_bits + codes.mantissa_bits)) - 1
    return SIGN_MASK >> 16 | fraction << (FLOAT32_MANTISSA - 16 - codes.mantissa_bits)
