"""Vector instructions for the compiled kernels: numba intrinsics that work on a group of elements at once.

Arrays come as addresses, so that neither their writability nor their kind makes another kernel. The code is plain
vector IR of LLVM, which every processor has an encoding for; `width` (lanes) and `bits` are compile-time literals.
All float steps are exact but the one rounding that a format asks for; jouleproof.formats.blocks does the same.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as numba_intrinsic

intrinsic: Any = numba_intrinsic(prefer_literal=True)
INT8, INT16, INT32, INT64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
FLOAT, HALF = ir.FloatType(), ir.HalfType()
ABS_MASK, SIGN_MASK, EXPONENT_MASK = 0x7FFFFFFF, 0x80000000, 0x7F800000


def vector(element: ir.Type, width: int) -> ir.VectorType:
    return ir.VectorType(element, width)


def constant(of: ir.VectorType, value: Any) -> ir.Constant:
    """value: of every lane, or a list with one for each."""
    return ir.Constant(of, value if isinstance(value, list) else [value] * of.count)


def splat(builder: ir.IRBuilder, value: ir.Value, width: int) -> ir.Value:
    nothing = ir.Constant(vector(value.type, width), ir.Undefined)
    first = builder.insert_element(nothing, value, INT32(0))
    return shuffle(builder, first, [0] * width)


def shuffle(builder: ir.IRBuilder, value: ir.Value, order: list[int]) -> ir.Value:
    return builder.shuffle_vector(
        value, ir.Constant(value.type, ir.Undefined), constant(vector(INT32, len(order)), list(order))
    )


def call(builder: ir.IRBuilder, name: str, result: ir.Type, arguments: list[ir.Value]) -> ir.Value:
    """An LLVM intrinsic by its full name."""
    signature = ir.FunctionType(result, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]
    return builder.call(function, arguments)


def each(builder: ir.IRBuilder, name: str, a: ir.Value, b: ir.Value) -> ir.Value:
    """llvm.<name> lane by lane: smin, smax, umin, umax."""
    return call(builder, f"llvm.{name}.v{a.type.count}i{a.type.element.width}", a.type, [a, b])


def pointer(builder: ir.IRBuilder, address: ir.Value, to: ir.Type) -> ir.Value:
    return builder.inttoptr(address, to.as_pointer())


def hidden(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """The same value, as one that the compiler knows nothing of: what is loaded through it does not stay in registers,
    and rows that end and begin with one are not mixed."""
    kind = "x" if isinstance(value.type, ir.VectorType) else "r"
    return builder.asm(ir.FunctionType(value.type, [value.type]), "", f"={kind},0", [value], True)


def load(builder: ir.IRBuilder, address: ir.Value, what: ir.Type, align: int) -> ir.Value:
    return builder.load(pointer(builder, address, what), align=align)


def store(builder: ir.IRBuilder, value: ir.Value, address: ir.Value, align: int) -> None:
    builder.store(value, pointer(builder, address, value.type), align=align)


def left_aligned_codes(builder: ir.IRBuilder, address: ir.Value, width: int, bits: int) -> ir.Value:
    """(width,) int16: packed codes, each in the highest bits of its lane; below them is what follows in memory.

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
    """Float32 of left-aligned two's complement codes."""
    whole = builder.ashr(codes, constant(codes.type, 16 - bits))
    count = codes.type.count
    return builder.sitofp(builder.sext(whole, vector(INT32, count)), vector(FLOAT, count))


def portable_floats(
    builder: ir.IRBuilder,
    codes: ir.Value,
    to_exponent: ir.Value,
    mask: ir.Value,
    rebias: ir.Value,
    last: ir.Value,
    special: ir.Value,
) -> ir.Value:
    """Float32 of left-aligned float codes, without float32 subnormals on the way; the rest as in `decoded`, splat."""
    floats, ints = vector(FLOAT, codes.type.count), vector(INT32, codes.type.count)
    top = builder.shl(builder.zext(codes, ints), constant(ints, 16))
    sign = builder.and_(top, constant(ints, SIGN_MASK))
    field = builder.and_(builder.lshr(top, to_exponent), mask)
    subnormal = builder.icmp_signed("<", field, constant(ints, 1 << 23))
    one_binade = builder.select(subnormal, constant(ints, 1 << 23), constant(ints, 0))
    smallest = builder.and_(builder.sext(subnormal, ints), builder.add(rebias, constant(ints, 1 << 23)))
    normal = builder.bitcast(builder.add(builder.add(field, rebias), one_binade), floats)
    value = builder.bitcast(builder.fsub(normal, builder.bitcast(smallest, floats)), ints)
    value = builder.select(builder.icmp_signed(">", field, last), builder.or_(field, special), value)
    return builder.bitcast(builder.or_(value, sign), floats)


def half_floats(builder: ir.IRBuilder, codes: ir.Value, exponent_bits: int, mantissa_bits: int) -> ir.Value:
    """Float32 of left-aligned float codes, by way of float16, whose bias they are read with; needs an instruction for
    that. A format of 5 exponent bits keeps its Inf and NaN, a shorter one has none here."""
    shifted = builder.ashr(codes, constant(codes.type, 5 - exponent_bits)) if exponent_bits < 5 else codes
    kept = ((1 << (exponent_bits + mantissa_bits)) - 1) << (10 - mantissa_bits)
    halves = builder.and_(shifted, constant(codes.type, 0x8000 | kept))
    count = codes.type.count
    return builder.fpext(builder.bitcast(halves, vector(HALF, count)), vector(FLOAT, count))


def packed_codes(builder: ir.IRBuilder, codes: ir.Value, bits: int) -> ir.Value:
    """(width * bits / 8,) int8 from (width,) int32 codes: neighbours move together until they fill whole bytes."""
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


def rounded(
    builder: ir.IRBuilder, address: ir.Value, width: int, away: bool, scalars: list[ir.Value]
) -> tuple[ir.Value, ir.Value, ir.Value, ir.Value, ir.Value]:
    """Bits of x / scale, the rounded magnitude as float, the steps in it, its step's bits, and binades above emin.

    scalars: inverse scale (float), then int32: bits of the largest normal, bits of 2**emin, and (23 - mantissa bits)
    as exponent bits. Adding 2**(binade + 23 - mantissa bits) leaves whole steps in the low bits of the sum, rounded to
    nearest even.
    """
    floats, ints = vector(FLOAT, width), vector(INT32, width)
    inverse, largest, smallest_binade, to_steps = (splat(builder, scalar, width) for scalar in scalars)
    bits = builder.bitcast(builder.fmul(load(builder, address, floats, 4), inverse), ints)
    magnitude = each(builder, "smin", builder.and_(bits, constant(ints, ABS_MASK)), largest)
    binade = each(builder, "smax", builder.and_(magnitude, constant(ints, EXPONENT_MASK)), smallest_binade)
    shift_bits = builder.add(binade, to_steps)
    shift = builder.bitcast(shift_bits, floats)
    summed = builder.fadd(builder.bitcast(magnitude, floats), shift)
    if away:
        left = builder.fsub(builder.bitcast(magnitude, floats), builder.fsub(summed, shift))
        half = builder.bitcast(builder.sub(shift_bits, constant(ints, 24 << 23)), floats)
        step = builder.bitcast(builder.sub(shift_bits, constant(ints, 23 << 23)), floats)
        tie = builder.fcmp_ordered("==", left, half)
        summed = builder.fadd(summed, builder.select(tie, step, constant(floats, 0.0)))
    steps = builder.sub(builder.bitcast(summed, ints), shift_bits)
    return bits, builder.fsub(summed, shift), steps, binade, smallest_binade


@intrinsic
def largest_magnitude(_typing: Any, address: Any, width: Any) -> tuple[Any, Callable[..., Any]]:
    """int32 bits of the largest |x| of `width` float32 at `address`: above 0x7F800000 where there is a NaN."""

    def code(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        lane_count = width.literal_value
        x = load(builder, arguments[0], vector(INT32, lane_count), 4)
        magnitude = builder.and_(x, constant(x.type, ABS_MASK))
        return call(builder, f"llvm.vector.reduce.smax.v{lane_count}i32", INT32, [magnitude])

    return types.int32(types.int64, width), code


@intrinsic
def fake_cast(
    _typing: Any, source: Any, target: Any, width: Any, away: Any, inverse: Any, largest: Any, binade: Any,
    to_steps: Any, scale: Any, zero: Any,
) -> tuple[Any, Callable[..., Any]]:  # fmt: skip
    """`width` float32 at `target`: the rounded values of those at `source`. zero: -0.0, or 0.0 to turn -0 into 0."""

    def code(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        floats, ints = vector(FLOAT, width.literal_value), vector(INT32, width.literal_value)
        bits, value, *_ = rounded(builder, arguments[0], floats.count, bool(away.literal_value), arguments[4:8])
        scale, zero = (splat(builder, scalar, floats.count) for scalar in arguments[8:])
        signed = builder.or_(builder.bitcast(value, ints), builder.and_(bits, constant(ints, SIGN_MASK)))
        store(builder, builder.fadd(builder.fmul(builder.bitcast(signed, floats), scale), zero), arguments[1], 4)
        return _context.get_dummy_value()

    f, i, address = types.float32, types.int32, types.int64
    return types.void(address, address, width, away, f, i, i, i, f, f), code


@intrinsic
def packed_cast(
    _typing: Any, source: Any, target: Any, width: Any, away: Any, inverse: Any, largest: Any, binade: Any,
    to_steps: Any, bits: Any, integer: Any,
) -> tuple[Any, Callable[..., Any]]:  # fmt: skip
    """width * bits / 8 bytes at `target`: packed codes of the `width` float32 at `source`."""

    def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        ints, code_bits = vector(INT32, width.literal_value), bits.literal_value
        x, _, steps, above, lowest = rounded(
            builder, arguments[0], ints.count, bool(away.literal_value), arguments[4:8]
        )
        if integer.literal_value:
            negative = builder.ashr(x, constant(ints, 31))
            signed = builder.sub(builder.xor(steps, negative), negative)
            codes = builder.and_(signed, constant(ints, (1 << code_bits) - 1))
        else:
            to_mantissa = splat(builder, builder.lshr(arguments[7], INT32(23)), ints.count)
            magnitude = builder.add(steps, builder.lshr(builder.sub(above, lowest), to_mantissa))
            sign = builder.lshr(builder.and_(x, constant(ints, SIGN_MASK)), constant(ints, 32 - code_bits))
            codes = builder.or_(magnitude, sign)
        store(builder, packed_codes(builder, codes, code_bits), arguments[1], 1)
        return context.get_dummy_value()

    f, i, address = types.float32, types.int32, types.int64
    return types.void(address, address, width, away, f, i, i, i, bits, integer), code


@intrinsic
def decoded(
    _typing: Any, source: Any, target: Any, width: Any, bits: Any, integer: Any, to_exponent: Any, mask: Any,
    rebias: Any, last: Any, special: Any, scale: Any,
) -> tuple[Any, Callable[..., Any]]:  # fmt: skip
    """`width` float32 at `target`: the packed codes at `source` as numbers, times scale.

    Floats, all int32: to_exponent moves the exponent from the top of the lane to its place in a float32, mask keeps it
    and the mantissa, rebias is the difference of the biases there, last the magnitude above which `special` is or-ed
    in. A subnormal is read with the exponent of the smallest normal, which is then subtracted.
    Integers: rebias holds the bits of the unit, the rest is not used.
    """

    def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        floats = vector(FLOAT, width.literal_value)
        codes = left_aligned_codes(builder, arguments[0], floats.count, bits.literal_value)
        to_exponent, mask, rebias, last, special, scale = (
            splat(builder, scalar, floats.count) for scalar in arguments[5:]
        )
        if integer.literal_value:
            value = builder.fmul(whole_numbers(builder, codes, bits.literal_value), builder.bitcast(rebias, floats))
        else:
            value = portable_floats(builder, codes, to_exponent, mask, rebias, last, special)
        store(builder, builder.fmul(value, scale), arguments[1], 4)
        return context.get_dummy_value()

    f, i, address = types.float32, types.int32, types.int64
    return types.void(address, address, width, bits, integer, i, i, i, i, i, f), code


@intrinsic
def take(_typing: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
    """The int64 at `address`, which becomes one more: every thread that asks gets another."""

    def code(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        return builder.atomic_rmw("add", pointer(builder, arguments[0], INT64), INT64(1), "monotonic")

    return types.int64(types.int64), code


def _storing(number: Any, narrowed: ir.Type | None, align: int) -> Any:
    """An intrinsic (address, number) -> None; narrowed: to the low bits of this width."""

    @intrinsic
    def stored(_typing: Any, address: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
        def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
            value = builder.trunc(arguments[1], narrowed) if narrowed else arguments[1]
            store(builder, value, arguments[0], align)
            return context.get_dummy_value()

        return types.void(types.int64, number), code

    return stored


def _loading(narrow: ir.Type, align: int, extend: str) -> Any:
    """An intrinsic address -> int32; extend: "zext" or "sext"."""

    @intrinsic
    def loaded(_typing: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
        def code(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
            return getattr(builder, extend)(load(builder, arguments[0], narrow, align), INT32)

        return types.int32(types.int64), code

    return loaded


store_byte = _storing(types.int32, INT8, 1)
store_float = _storing(types.float32, None, 4)
load_byte = _loading(INT8, 1, "zext")
load_int16 = _loading(INT16, 2, "sext")
