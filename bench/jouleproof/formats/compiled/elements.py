"""Packed element codes in registers: conversions from codes to numbers, and from numbers to codes.

Element i of a row of codes of b bits fills bits i*b to i*b + b - 1, counted from the lowest bit of the first byte
(digits are elements, the highest bit of a byte is on the left):

    byte           3        2        1        0
    8 bits  33333333 22222222 11111111 00000000
    6 bits           33333322 22221111 11000000
    4 bits                    33332222 11110000

A float code is a sign s, an exponent e and a mantissa m; here those of mxfp6_e3m2. Decoders move these bits:

    code                s eee mm
    left_aligned_codes  s eee mm..........                       int16; dots: whatever follows in memory
    half_floats         s 00eee mm00000000                       float16, which an instruction converts to float32
    shifted_floats      s 00000eee mm000000000000000000000       float32
    portable_floats     s 00000eee mm000000000000000000000       int32, plus the difference of the biases

`half_floats` and `shifted_floats` read a code with a bias that is not its format's: they return the element times
2**(bias - 15) or 2**(bias - 127), exactly, even for a subnormal code, because float16 and float32 have subnormals too.
Float32 subnormals are slow; `portable_floats` avoids them: it reads a subnormal code with the exponent of the smallest
normal, and subtracts that normal. Integer codes are sign-extended, and their unit is left to the scale.

All float operations are exact except the one rounding that a format requires, as in jouleproof.formats.blocks.
The code is plain LLVM vector IR, which compiles for every processor.
"""

from typing import NamedTuple

from llvmlite import ir

from jouleproof.formats.blocks import FLOAT32_MANTISSA
from jouleproof.formats.compiled.simd import (
    ABS_MASK,
    EXPONENT_MASK,
    FLOAT,
    HALF,
    INT8,
    INT16,
    INT32,
    SIGN_MASK,
    constant,
    lanewise,
    load,
    shuffle,
    splat,
    vector,
)
from jouleproof.formats.description import MXFormat

LANES = 8  # of a float32 register with AVX2
CODES_PER_WORD = 4
GROUP = CODES_PER_WORD * LANES
FLOATS, WORDS, HALVES = vector(FLOAT, LANES), vector(INT32, LANES), vector(INT16, 2 * LANES)
HIGH_HALF = 0xFFFF0000
BINADE = 1 << FLOAT32_MANTISSA  # one exponent, in the bits of a float32


class Codes(NamedTuple):
    """Properties of a format that the instructions depend on. width: number of codes that are decoded at once."""

    width: int
    bits: int
    exponent_bits: int
    mantissa_bits: int


class Decoding(NamedTuple):
    """Constants of `portable_floats` for a format, int32 (in kernels, their values; in IR, scalars or splats).

    to_exponent: shift that moves the exponent from the top of the lane to its place in a float32. mask: bits of the
    exponent and the mantissa. rebias: difference of the biases, in the same place. last: magnitude above which
    `special` is or-ed in. For integers, rebias holds the bits of the unit, and the other fields are not used.
    """

    to_exponent: ir.Value
    mask: ir.Value
    rebias: ir.Value
    last: ir.Value
    special: ir.Value


def group_width(fmt: MXFormat) -> int:
    """Return the number of codes that a kernel processes at once."""
    return GROUP if fmt.block % GROUP == 0 else 8


def left_aligned_codes(builder: ir.IRBuilder, address: ir.Value, width: int, bits: int) -> ir.Value:
    """Load packed codes as (width,) int16, each in the highest bits of its lane, above whatever follows in memory.

    Reads width * bits / 8 bytes. A code of at most 8 bits lies within two neighbouring bytes.
    """
    count = width * bits // 8
    octets = load(builder, address, vector(INT8, count), 1)
    first = [lane * bits // 8 for lane in range(width)]
    windows = shuffle(builder, octets, [at for byte in first for at in (byte, min(byte + 1, count - 1))])
    shifts = [16 - bits - lane * bits % 8 for lane in range(width)]
    windows = builder.bitcast(windows, vector(INT16, width))
    return builder.mul(windows, constant(windows.type, [1 << shift for shift in shifts]))


def whole_numbers(builder: ir.IRBuilder, codes: ir.Value, bits: int) -> ir.Value:
    """Convert left-aligned two's complement codes to float32."""
    whole = builder.ashr(codes, constant(codes.type, 16 - bits))
    count = codes.type.count
    return builder.sitofp(builder.sext(whole, vector(INT32, count)), vector(FLOAT, count))


def portable_floats(builder: ir.IRBuilder, codes: ir.Value, scalars: Decoding) -> ir.Value:
    """Convert left-aligned float codes to float32, without intermediate float32 subnormals."""
    floats, ints = vector(FLOAT, codes.type.count), vector(INT32, codes.type.count)
    decoding = Decoding(*(splat(builder, scalar, codes.type.count) for scalar in scalars))
    top = builder.shl(builder.zext(codes, ints), constant(ints, 16))
    sign = builder.and_(top, constant(ints, SIGN_MASK))
    field = builder.and_(builder.lshr(top, decoding.to_exponent), decoding.mask)
    subnormal = builder.icmp_signed("<", field, constant(ints, BINADE))
    one_binade = builder.select(subnormal, constant(ints, BINADE), constant(ints, 0))
    smallest = builder.and_(builder.sext(subnormal, ints), builder.add(decoding.rebias, constant(ints, BINADE)))
    normal = builder.bitcast(builder.add(builder.add(field, decoding.rebias), one_binade), floats)
    value = builder.bitcast(builder.fsub(normal, builder.bitcast(smallest, floats)), ints)
    not_finite = builder.icmp_signed(">", field, decoding.last)
    value = builder.select(not_finite, builder.or_(field, decoding.special), value)
    return builder.bitcast(builder.or_(value, sign), floats)


def half_floats(builder: ir.IRBuilder, codes: ir.Value, exponent_bits: int, mantissa_bits: int) -> ir.Value:
    """Convert left-aligned float codes to float32 through float16, reading them with the bias of float16.

    The processor must have an instruction that converts float16 to float32. A format with 5 exponent bits keeps its Inf
    and NaN; a format with fewer must have none.
    """
    shifted = builder.ashr(codes, constant(codes.type, 5 - exponent_bits)) if exponent_bits < 5 else codes
    kept = ((1 << (exponent_bits + mantissa_bits)) - 1) << (10 - mantissa_bits)
    halves = builder.and_(shifted, constant(codes.type, 0x8000 | kept))
    count = codes.type.count
    return builder.fpext(builder.bitcast(halves, vector(HALF, count)), vector(FLOAT, count))


def shifted_floats(builder: ir.IRBuilder, address: ir.Value, codes: Codes) -> list[ir.Value]:
    """Load 32 codes as 4 vectors of float32: word i of 8 holds codes 4i to 4i + 3, vector k the k-th of each word."""
    if codes.bits == 8 and codes.exponent_bits > 0:
        return _shifted_pairs(builder, address, codes)
    bits = codes.bits
    octets = load(builder, address, vector(INT8, CODES_PER_WORD * bits), 1)
    first = [CODES_PER_WORD * bits * word for word in range(LANES)]
    if bits == 4:
        words = builder.zext(builder.bitcast(octets, vector(INT16, LANES)), WORDS)
    else:
        window = [min(bit // 8 + byte, octets.type.count - 1) for bit in first for byte in range(4)]
        words = builder.bitcast(shuffle(builder, octets, window), WORDS)
    values = []
    for code in range(CODES_PER_WORD):
        top = builder.shl(words, constant(WORDS, [32 - bits - bits * code - bit % 8 for bit in first]))
        if codes.exponent_bits == 0:
            values.append(builder.sitofp(builder.ashr(top, constant(WORDS, 32 - bits)), FLOATS))
        else:
            moved = builder.ashr(top, constant(WORDS, 8 - codes.exponent_bits))
            values.append(builder.bitcast(builder.and_(moved, constant(WORDS, _kept(codes) << 16)), FLOATS))
    return values


def _shifted_pairs(builder: ir.IRBuilder, address: ir.Value, codes: Codes) -> list[ir.Value]:
    """Load 8-bit codes like `shifted_floats`, moving two at a time into the upper half of a float32."""
    odd = load(builder, address, HALVES, 1)
    even = builder.shl(odd, constant(HALVES, 8))
    values = []
    for code in (even, odd):
        moved = builder.ashr(code, constant(HALVES, 8 - codes.exponent_bits))
        pair = builder.bitcast(builder.and_(moved, constant(HALVES, _kept(codes))), WORDS)
        values.append((builder.shl(pair, constant(WORDS, 16)), builder.and_(pair, constant(WORDS, HIGH_HALF))))
    return [builder.bitcast(code[half], FLOATS) for half in (0, 1) for code in values]


def _kept(codes: Codes) -> int:
    """Return the mask of the bits that a shifted code fills in the upper half of a float32."""
    fraction = (1 << (codes.exponent_bits + codes.mantissa_bits)) - 1
    return SIGN_MASK >> 16 | fraction << (FLOAT32_MANTISSA - 16 - codes.mantissa_bits)


class Rounded(NamedTuple):
    """Parts of x / scale: its bits, the rounded magnitude as a float and as a number of steps, the bits of its binade,
    and the bits of the smallest binade."""

    bits: ir.Value
    magnitude: ir.Value
    steps: ir.Value
    binade: ir.Value
    smallest_binade: ir.Value


def rounded(builder: ir.IRBuilder, x: ir.Value, inverse: ir.Value, limits: list[ir.Value], away: bool) -> Rounded:
    """Round x / scale to the format. x: float32 register. inverse: 1 / scale, float.

    limits: int32 bits of the largest normal, of 2**emin, and (23 - mantissa bits) as exponent bits.
    Adding 2**(binade + 23 - mantissa bits) leaves the number of steps, rounded to nearest even, in the low bits of the
    sum.
    """
    floats, width = x.type, x.type.count
    ints = vector(INT32, width)
    inverse, largest, smallest_binade, to_steps = (splat(builder, scalar, width) for scalar in (inverse, *limits))
    bits = builder.bitcast(builder.fmul(x, inverse), ints)
    magnitude = lanewise(builder, "smin", builder.and_(bits, constant(ints, ABS_MASK)), largest)
    binade = lanewise(builder, "smax", builder.and_(magnitude, constant(ints, EXPONENT_MASK)), smallest_binade)
    shift_bits = builder.add(binade, to_steps)
    shift = builder.bitcast(shift_bits, floats)
    summed = builder.fadd(builder.bitcast(magnitude, floats), shift)
    if away:
        left = builder.fsub(builder.bitcast(magnitude, floats), builder.fsub(summed, shift))
        half = builder.bitcast(builder.sub(shift_bits, constant(ints, 24 * BINADE)), floats)
        step = builder.bitcast(builder.sub(shift_bits, constant(ints, 23 * BINADE)), floats)
        tie = builder.fcmp_ordered("==", left, half)
        summed = builder.fadd(summed, builder.select(tie, step, constant(floats, 0.0)))
    steps = builder.sub(builder.bitcast(summed, ints), shift_bits)
    return Rounded(bits, builder.fsub(summed, shift), steps, binade, smallest_binade)


def packed_codes(builder: ir.IRBuilder, codes: ir.Value, bits: int) -> ir.Value:
    """Pack (width,) int32 codes into (width * bits / 8,) int8 by merging neighbours until they fill whole bytes."""
    width = codes.type.count
    merged = builder.trunc(codes, vector(INT8, width))
    lane, used = 8, bits
    while used % 8:
        lane, count = 2 * lane, merged.type.count * merged.type.element.width // (2 * lane)
        merged = builder.bitcast(merged, vector(ir.IntType(lane), count))
        low = builder.and_(merged, constant(merged.type, (1 << used) - 1))
        high = builder.lshr(merged, constant(merged.type, lane // 2 - used))
        used *= 2
        merged = builder.or_(low, builder.and_(high, constant(merged.type, (1 << used) - (1 << used // 2))))
    octets = builder.bitcast(merged, vector(INT8, width))
    kept = [group + byte for group in range(0, width, lane // 8) for byte in range(used // 8)]
    return shuffle(builder, octets, kept)
