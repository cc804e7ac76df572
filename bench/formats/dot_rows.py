"""The compiled part of matrix-vector products: sums of packed rows, decoded along a road of bench.formats.matvec."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from llvmlite import ir
from numba import njit, prange
from numba.core import cgutils, types

from bench.formats import lanes
from bench.formats.blocks import FLOAT32_MANTISSA
from bench.formats.lanes import (
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    SIGN_MASK,
    call,
    constant,
    each,
    half_floats,
    intrinsic,
    left_aligned_codes,
    load,
    portable_floats,
    shuffle,
    splat,
    store,
    vector,
    whole_numbers,
)
from bench.formats.turns import in_turn

SHIFT, LOOKUP, HALF, PORTABLE = ROADS = ("shift", "lookup", "half", "portable")
LANES = 8  # of a float32 register with AVX2
CODES_PER_WORD = 4
CHUNK_ROWS = 128  # that a thread takes at a time
CODE_VERSION = crc32(Path(__file__).read_bytes() + Path(lanes.__file__).read_bytes())


@cache
def rows_kernel(
    road: str, together: int, width: int, bits: int, exponent_bits: int, mantissa_bits: int, special: bool,
    version: int = CODE_VERSION,
) -> Callable[..., None]:  # fmt: skip
    """For rows in groups of `together`, the last of which may overlap the one before: both write the same sums."""
    road_number = ROADS.index(road)

    @njit(parallel=True, cache=True)
    def kernel(
        codes, row_bytes, scales, row_scales, x, out, rows, per_block, table, smallest, lookup_bytes,
        to_exponent, mask, rebias, last, special_bits,
    ):  # fmt: skip
        for chunk in prange(_chunks(rows, version)):
            for first in range(chunk * CHUNK_ROWS, min(rows, (chunk + 1) * CHUNK_ROWS), together):
                row = min(first, rows - together)
                if road_number == 0 and smallest[0] * np.float32(2.0) == 0.0:  # this thread flushes subnormals
                    for each_row in range(row, row + together):
                        lanes.store_float(out + 4 * each_row, np.float32(np.nan))
                    continue
                dot_rows(
                    codes + row * row_bytes, row_bytes, scales + row * row_scales, row_scales, x, out + 4 * row,
                    row_scales * per_block, table.ctypes.data, lookup_bytes.ctypes.data, per_block,
                    to_exponent, mask, rebias, last, special_bits,
                    road_number, together, width, bits, exponent_bits, mantissa_bits, special,
                )  # fmt: skip

    return in_turn(kernel)


@njit(inline="always")
def _chunks(rows: int, _version: int) -> int:
    return (rows + CHUNK_ROWS - 1) // CHUNK_ROWS


@intrinsic
def dot_rows(
    _typing: Any, codes: Any, row_bytes: Any, scales: Any, row_scales: Any, x: Any, out: Any, groups: Any, table: Any,
    lookup_bytes: Any, per_block: Any, to_exponent: Any, mask: Any, rebias: Any, last: Any, special_bits: Any,
    road: Any, together: Any, width: Any, bits: Any, exponent_bits: Any, mantissa_bits: Any, special: Any,
) -> tuple[Any, Callable[..., Any]]:  # fmt: skip
    """`together` float32 at `out`: the sums of neighbouring rows. Addresses of the rows' codes and scales, of x in the
    road's order, and of the tables; groups of `width` codes in a row; the decoding constants; then literals."""
    rows, count, code_bits = together.literal_value, width.literal_value, bits.literal_value
    taken = ROADS[road.literal_value]
    floats, octets = vector(FLOAT, LANES), vector(INT8, count)

    def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        codes, row_bytes, scales, row_scales, x, out, groups, table, lookup, per_block = arguments[:10]
        portable = arguments[10:15]
        if taken == LOOKUP:
            looked_up = [
                shuffle(
                    builder, load(builder, builder.add(lookup, INT64(16 * part)), vector(INT8, 16), 1), [*range(16)] * 2
                )
                for part in (0, 1)
            ]

        def decoded(at: ir.Value) -> list[ir.Value]:
            if taken == SHIFT:
                return _shifted(builder, at, code_bits, exponent_bits.literal_value, mantissa_bits.literal_value)
            if taken == LOOKUP:
                return _looked_up(builder, at, looked_up)
            left = left_aligned_codes(builder, at, count, code_bits)
            if exponent_bits.literal_value == 0:
                values = whole_numbers(builder, left, code_bits)
            elif taken == HALF:
                values = half_floats(builder, left, exponent_bits.literal_value, mantissa_bits.literal_value)
            else:
                values = portable_floats(builder, left, *(splat(builder, scalar, count) for scalar in portable))
            return [shuffle(builder, values, [*range(first, first + LANES)]) for first in range(0, count, LANES)]

        held: Callable[..., ir.Value] = cgutils.alloca_once_value
        sums = [held(builder, constant(floats, 0.0)) for _ in range(rows)]
        seen = [held(builder, constant(octets, 0)) for _ in range(rows)]
        watched = taken == SHIFT and bool(special.literal_value)
        with cgutils.for_range(builder, groups, intp=INT64) as loop:
            parts = [
                load(
                    builder,
                    builder.add(x, builder.add(builder.mul(loop.index, INT64(4 * count)), INT64(4 * first))),
                    floats,
                    4,
                )
                for first in range(0, count, LANES)
            ]
            block = builder.udiv(loop.index, per_block)
            for row in range(rows):
                at = builder.add(codes, builder.mul(row_bytes, INT64(row)))
                at = builder.add(at, builder.mul(loop.index, INT64(count * code_bits // 8)))
                products = None
                for element, part in zip(decoded(at), parts, strict=True):
                    products = (
                        builder.fmul(element, part) if products is None else _fused(builder, element, part, products)
                    )
                scale_at = builder.add(builder.add(scales, builder.mul(row_scales, INT64(row))), block)
                number = builder.zext(load(builder, scale_at, INT8, 1), INT64)
                scale = load(builder, builder.add(table, builder.mul(number, INT64(4))), FLOAT, 4)
                total = _fused(builder, products, splat(builder, scale, LANES), builder.load(sums[row]))
                builder.store(total, sums[row])
                if watched:
                    magnitude = builder.and_(load(builder, at, octets, 1), constant(octets, 0x7F))
                    builder.store(each(builder, "umax", builder.load(seen[row]), magnitude), seen[row])
        for row in range(rows):
            total = call(builder, f"llvm.vector.reduce.fadd.v{LANES}f32", FLOAT, [FLOAT(0.0), builder.load(sums[row])])
            if watched:
                top = call(builder, f"llvm.vector.reduce.umax.v{count}i8", INT8, [builder.load(seen[row])])
                largest = builder.lshr(portable[3], INT32(23 - mantissa_bits.literal_value))
                beyond = builder.icmp_signed(">", builder.zext(top, INT32), largest)
                total = builder.select(beyond, FLOAT(float("nan")), total)
            store(builder, total, builder.add(out, INT64(4 * row)), 4)
        return context.get_dummy_value()

    i, word = types.int64, types.int32
    literals = (road, together, width, bits, exponent_bits, mantissa_bits, special)
    return types.void(*[i] * 10, *[word] * 5, *literals), code


def _fused(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    return call(builder, f"llvm.fmuladd.v{LANES}f32", c.type, [a, b, c])


def _shifted(builder: ir.IRBuilder, at: ir.Value, bits: int, exponent_bits: int, mantissa_bits: int) -> list[ir.Value]:
    """32 codes as 4 vectors: word i of 8 holds codes 4i to 4i + 3, vector k the k-th of every word."""
    words = vector(INT32, LANES)
    octets = load(builder, at, vector(INT8, CODES_PER_WORD * bits), 1)
    first = [CODES_PER_WORD * bits * word for word in range(LANES)]
    if bits == 4:
        held = builder.zext(builder.bitcast(octets, vector(INT16, LANES)), words)
    else:
        window = [min(bit // 8 + byte, octets.type.count - 1) for bit in first for byte in range(4)]
        held = builder.bitcast(shuffle(builder, octets, window), words)
    values = []
    for code in range(CODES_PER_WORD):
        top = builder.shl(held, constant(words, [32 - bits - bits * code - bit % 8 for bit in first]))
        if exponent_bits == 0:
            values.append(builder.sitofp(builder.ashr(top, constant(words, 32 - bits)), vector(FLOAT, LANES)))
        else:
            kept = SIGN_MASK | ((1 << (exponent_bits + mantissa_bits)) - 1) << (FLOAT32_MANTISSA - mantissa_bits)
            moved = builder.and_(builder.ashr(top, constant(words, 8 - exponent_bits)), constant(words, kept))
            values.append(builder.bitcast(moved, vector(FLOAT, LANES)))
    return values


def _looked_up(builder: ir.IRBuilder, at: ir.Value, tables: list[ir.Value]) -> list[ir.Value]:
    """32 codes of four bits as 4 vectors, in the order that `_order` gives. tables: the high and low bytes, twice."""
    octets = load(builder, at, vector(INT8, 16), 1)
    pairs = builder.bitcast(octets, vector(INT16, 8))
    high = builder.bitcast(builder.lshr(pairs, constant(pairs.type, 4)), octets.type)
    nibbles = builder.shuffle_vector(octets, high, constant(vector(INT32, 32), [*range(32)]))
    nibbles = builder.and_(nibbles, constant(nibbles.type, 15))
    upper, lower = (call(builder, "llvm.x86.avx2.pshuf.b", nibbles.type, [table, nibbles]) for table in tables)
    values = []
    for start in (0, 8):
        order = [byte for first in interleaved(start, 32) for byte in (first, 32 + first)]
        both = builder.shuffle_vector(lower, upper, constant(vector(INT32, 32), order))
        both = builder.bitcast(both, vector(INT32, LANES))
        even, odd = builder.shl(both, constant(both.type, 16)), builder.and_(both, constant(both.type, 0xFFFF0000))
        values += [builder.bitcast(part, vector(FLOAT, LANES)) for part in (even, odd)]
    return values


def interleaved(start: int, width: int) -> list[int]:
    """Bytes that a shuffle within halves of a register takes, from `start` on in each."""
    return [half + start + byte for half in (0, width // 2) for byte in range(width // 4)]
