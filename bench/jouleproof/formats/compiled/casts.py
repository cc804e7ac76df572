"""Intrinsics that cast, pack or unpack a group of elements at given addresses, called by the kernels of `quantizer`.

`width` (elements of a group), `away`, `bits` and `integer` are compile-time literals.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types

from jouleproof.formats.blocks import FLOAT32_MANTISSA
from jouleproof.formats.compiled.elements import (
    Decoding,
    left_aligned_codes,
    packed_codes,
    portable_floats,
    rounded,
    whole_numbers,
)
from jouleproof.formats.compiled.simd import (
    ABS_MASK,
    FLOAT,
    INT32,
    SIGN_MASK,
    call,
    constant,
    intrinsic,
    load,
    splat,
    store,
    unpacked,
    vector,
)


class Rounding(NamedTuple):
    """Constants of a format and a scale rule that a cast needs: int32, except `zero`, which is float32.

    carry: added to the bits of a block's largest magnitude to give the exponent field that the rule chooses.
    emax: the format's emax. largest, smallest_binade: bits of the largest normal and of 2**emin.
    to_steps: 23 - mantissa bits, as exponent bits. zero: -0.0, or 0.0 to turn -0 into 0.
    """

    carry: Any
    emax: Any
    largest: Any
    smallest_binade: Any
    to_steps: Any
    zero: Any

    @property
    def limits(self) -> list[Any]:
        return [self.largest, self.smallest_binade, self.to_steps]


@intrinsic
def largest_magnitude(_typing: Any, address: Any, width: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the int32 bits of the largest |x| of `width` float32 at `address`; a NaN gives more than 0x7F800000."""

    def code(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        lane_count = width.literal_value
        x = load(builder, arguments[0], vector(INT32, lane_count), 4)
        magnitude = builder.and_(x, constant(x.type, ABS_MASK))
        return call(builder, f"llvm.vector.reduce.smax.v{lane_count}i32", INT32, [magnitude])

    return types.int32(types.int64, width), code


@intrinsic
def fake_cast(
    _typing: Any, source: Any, target: Any, width: Any, away: Any, inverse: Any, scale: Any, rounding: Any
) -> tuple[Any, Callable[..., Any]]:
    """Round the `width` float32 at `source` and write them to `target` as float32."""

    def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        source, target, _, _, inverse, scale, rounding = arguments
        floats, ints = vector(FLOAT, width.literal_value), vector(INT32, width.literal_value)
        numbers = unpacked(builder, Rounding, rounding)
        x = load(builder, source, floats, 4)
        bits, value, *_ = rounded(builder, x, inverse, numbers.limits, bool(away.literal_value))
        scale, zero = (splat(builder, scalar, floats.count) for scalar in (scale, numbers.zero))
        signed = builder.or_(builder.bitcast(value, ints), builder.and_(bits, constant(ints, SIGN_MASK)))
        store(builder, builder.fadd(builder.fmul(builder.bitcast(signed, floats), scale), zero), target, 4)
        return context.get_dummy_value()

    f, address = types.float32, types.int64
    return types.void(address, address, width, away, f, f, rounding), code


@intrinsic
def packed_cast(
    _typing: Any, source: Any, target: Any, width: Any, away: Any, bits: Any, integer: Any, inverse: Any, rounding: Any
) -> tuple[Any, Callable[..., Any]]:
    """Write the packed codes of the `width` float32 at `source` to `target`: width * bits / 8 bytes."""

    def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        ints, code_bits = vector(INT32, width.literal_value), bits.literal_value
        numbers = unpacked(builder, Rounding, arguments[7])
        x = load(builder, arguments[0], vector(FLOAT, ints.count), 4)
        cast = rounded(builder, x, arguments[6], numbers.limits, bool(away.literal_value))
        if integer.literal_value:
            negative = builder.ashr(cast.bits, constant(ints, 31))
            signed = builder.sub(builder.xor(cast.steps, negative), negative)
            codes = builder.and_(signed, constant(ints, (1 << code_bits) - 1))
        else:
            to_mantissa = splat(builder, builder.lshr(numbers.to_steps, INT32(FLOAT32_MANTISSA)), ints.count)
            above = builder.lshr(builder.sub(cast.binade, cast.smallest_binade), to_mantissa)
            sign = builder.lshr(builder.and_(cast.bits, constant(ints, SIGN_MASK)), constant(ints, 32 - code_bits))
            codes = builder.or_(builder.add(cast.steps, above), sign)
        store(builder, packed_codes(builder, codes, code_bits), arguments[1], 1)
        return context.get_dummy_value()

    address = types.int64
    return types.void(address, address, width, away, bits, integer, types.float32, rounding), code


@intrinsic
def decoded(
    _typing: Any, source: Any, target: Any, width: Any, bits: Any, integer: Any, scale: Any, decoding: Any
) -> tuple[Any, Callable[..., Any]]:
    """Decode the packed codes at `source`, multiply them by scale, and write `width` float32 to `target`."""

    def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        source, target, _, _, _, scale, packed = arguments
        floats, numbers = vector(FLOAT, width.literal_value), unpacked(builder, Decoding, packed)
        codes = left_aligned_codes(builder, source, floats.count, bits.literal_value)
        if integer.literal_value:
            unit = builder.bitcast(splat(builder, numbers.rebias, floats.count), floats)
            value = builder.fmul(whole_numbers(builder, codes, bits.literal_value), unit)
        else:
            value = portable_floats(builder, codes, numbers)
        store(builder, builder.fmul(value, splat(builder, scale, floats.count)), target, 4)
        return context.get_dummy_value()

    address = types.int64
    return types.void(address, address, width, bits, integer, types.float32, decoding), code
