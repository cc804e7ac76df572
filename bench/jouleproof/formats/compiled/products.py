"""One step along a packed row for each decoder: codes times their elements of the vector, in registers.

A step gives 8 float32 sums, not yet multiplied by the scales of their blocks. Three decoders convert a group of codes
to floats, in registers of 8 that line up with the elements of the vector (digits are elements):

    shift           0 4 8 ...  1 5 9 ...  2 6 10 ...  3 7 11 ...     one code of each word of four at a time
    half, portable  0 1 2 ...  8 9 10 ... 16 17 ...   24 25 ...      in the order of packing

Two decoders multiply integers exactly and add pairs or quads of neighbours into an int32, with x = high * 2**low_bits +
low. With four-bit codes a step takes two groups, 32 bytes; byte j holds the codes 2j (low) and 2j + 1:

    16 bits of codes    3333 2222 1111 0000
    weights, low        ....[  2  ]....[  0  ]     a table of 16 bytes, looked up by the low four bits of every byte
    weights, high       ....[  3  ]....[  1  ]     the same, looked up by the high four bits
    times high digits   256 * weight, one byte of every 16 bits: elements 0 and 2, then 1 and 3
    times low digits    bytes: weights times 8 unsigned bits of x

With eight-bit codes a step takes one group: int8 widened to 16 bits, times high digits of 16 and low digits of 14 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from llvmlite import ir

from jouleproof.formats.compiled.elements import (
    FLOATS,
    HALVES,
    LANES,
    WORDS,
    Codes,
    Decoding,
    half_floats,
    left_aligned_codes,
    portable_floats,
    shifted_floats,
    whole_numbers,
)
from jouleproof.formats.compiled.simd import INT8, INT64, call, constant, load, shuffle, vector

OCTETS = vector(INT8, 4 * LANES)
NIBBLE_LOW_BITS, OCTET_LOW_BITS = 8, 14  # bits of the lower digit of x


@dataclass(frozen=True)
class Step:
    """Inputs of a step. codes: address of its first code. x: registers with its elements of the vector.

    decoding: constants of `portable_floats`, scalars. lookup: (32,) int8, the values of all four-bit codes, twice.
    """

    codes: ir.Value
    x: list[ir.Value]
    decoding: Decoding
    lookup: ir.Value


Products: TypeAlias = Callable[[ir.IRBuilder, Codes, Step], ir.Value]


def shift_products(builder: ir.IRBuilder, shape: Codes, step: Step) -> ir.Value:
    return _summed(builder, shifted_floats(builder, step.codes, shape), step.x)


def half_products(builder: ir.IRBuilder, shape: Codes, step: Step) -> ir.Value:
    codes = left_aligned_codes(builder, step.codes, shape.width, shape.bits)
    return _summed(builder, _eights(builder, half_floats(builder, codes, *shape[2:])), step.x)


def portable_products(builder: ir.IRBuilder, shape: Codes, step: Step) -> ir.Value:
    codes = left_aligned_codes(builder, step.codes, shape.width, shape.bits)
    if shape.exponent_bits == 0:
        values = whole_numbers(builder, codes, shape.bits)
    else:
        values = portable_floats(builder, codes, step.decoding)
    return _summed(builder, _eights(builder, values), step.x)


def nibble_products(builder: ir.IRBuilder, _shape: Codes, step: Step) -> ir.Value:
    """Multiply 64 four-bit codes by the vector: exact sums of eight products, rounded once."""
    high, low = step.x[:4], step.x[4:]
    octets = load(builder, step.codes, OCTETS, 1)
    moved = builder.bitcast(builder.lshr(builder.bitcast(octets, HALVES), constant(HALVES, 4)), OCTETS)
    weights_256, low_products = [], []
    for nibbles, digits in zip((octets, moved), low, strict=True):
        index = builder.and_(nibbles, constant(OCTETS, 15))
        weights = call(builder, "llvm.x86.avx2.pshuf.b", OCTETS, [step.lookup, index])
        low_products.append(call(builder, "llvm.x86.avx2.pmadd.ub.sw", HALVES, [digits, weights]))
        both = builder.bitcast(weights, HALVES)
        weights_256 += [builder.shl(both, constant(HALVES, 8)), builder.and_(both, constant(HALVES, 0xFF00))]
    first, second, third, fourth = (_pair_sums(builder, *pair) for pair in zip(weights_256, high, strict=True))
    upper = builder.add(builder.add(first, second), builder.add(third, fourth))
    lower = _pair_sums(builder, builder.add(*low_products), constant(HALVES, 1))
    return builder.sitofp(builder.add(upper, lower), FLOATS)


def octet_products(builder: ir.IRBuilder, _shape: Codes, step: Step) -> ir.Value:
    """Multiply 32 eight-bit codes by the vector: exact sums of four products, rounded once."""
    octets = [load(builder, builder.add(step.codes, INT64(first)), vector(INT8, 16), 1) for first in (0, 16)]
    weights = [builder.sext(half, HALVES) for half in octets]
    upper, lower = (
        builder.sitofp(builder.add(*(_pair_sums(builder, *pair) for pair in zip(weights, digits, strict=True))), FLOATS)
        for digits in (step.x[:2], step.x[2:])
    )
    return fused(builder, upper, constant(FLOATS, float(1 << OCTET_LOW_BITS)), lower)


def fused(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """Return a * b + c, rounded once if the processor has a fused multiply-add."""
    return call(builder, f"llvm.fmuladd.v{LANES}f32", c.type, [a, b, c])


def _pair_sums(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return call(builder, "llvm.x86.avx2.pmadd.wd", WORDS, [a, b])


def _eights(builder: ir.IRBuilder, values: ir.Value) -> list[ir.Value]:
    starts = range(0, values.type.count, LANES)
    return [shuffle(builder, values, [*range(first, first + LANES)]) for first in starts]


def _summed(builder: ir.IRBuilder, values: list[ir.Value], x: list[ir.Value]) -> ir.Value:
    total = builder.fmul(values[0], x[0])
    for value, part in zip(values[1:], x[1:], strict=True):
        total = fused(builder, value, part, total)
    return total
