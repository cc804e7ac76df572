"""The compiled part of matrix-vector products: sums of packed rows, step by step along a road."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from llvmlite import ir
from numba import njit, prange
from numba.core import cgutils, types

from jouleproof.formats.compiled import simd, strategies
from jouleproof.formats.compiled.simd import (
    FLOAT,
    INT8,
    INT32,
    INT64,
    call,
    constant,
    each,
    hidden,
    intrinsic,
    load,
    shuffle,
    splat,
    store,
    vector,
)
from jouleproof.formats.compiled.strategies import (
    FLOATS,
    LANES,
    ROADS,
    SHIFT,
    WHOLE,
    Codes,
    float_products,
    fused,
    nibble_products,
    octet_products,
    step_of,
)
from jouleproof.formats.compiled.threading import in_turn

CHUNK_ROWS = 32  # that a thread takes at a time, until none are left: no thread waits long for another
CROWDED = 6  # registers of the vector that fit beside the rest; more are read again by every row, one row at a time
ROOMS = (str(simd.__file__), str(strategies.__file__), __file__)
CODE_VERSION = crc32(b"".join(Path(room).read_bytes() for room in ROOMS))


@cache
def rows_kernel(
    road: str, together: int, codes: Codes, special: bool, version: int = CODE_VERSION
) -> Callable[..., None]:
    """For rows in groups of `together`, the last of which may overlap the one before: both write the same sums.
    special: whether codes that are no number are looked for, whose rows then become NaN."""
    road_number, (width, bits, exponent_bits, mantissa_bits) = ROADS.index(road), codes

    @njit(parallel=True, cache=True)
    def kernel(
        codes, row_bytes, scales, row_scales, x, out, workers, rows, groups, per_block, table, smallest, nibbles,
        to_exponent, mask, rebias, last, special_bits,
    ):  # fmt: skip
        taken, chunks = np.zeros(1, dtype=np.int64), _chunks(rows, version)
        for _worker in prange(workers):
            chunk = simd.take(taken.ctypes.data)
            while chunk < chunks:
                for first in range(chunk * CHUNK_ROWS, min(rows, (chunk + 1) * CHUNK_ROWS), together):
                    row = min(first, rows - together)
                    if road_number == 0 and smallest[0] * np.float32(2.0) == 0.0:  # this thread flushes subnormals
                        for each_row in range(row, row + together):
                            simd.store_float(out + 4 * each_row, np.float32(np.nan))
                        continue
                    dot_rows(
                        codes + row * row_bytes, row_bytes, scales + row * row_scales, row_scales, x, out + 4 * row,
                        groups, table.ctypes.data, nibbles.ctypes.data, per_block,
                        to_exponent, mask, rebias, last, special_bits,
                        road_number, together, width, bits, exponent_bits, mantissa_bits, special,
                    )  # fmt: skip
                chunk = simd.take(taken.ctypes.data)

    return in_turn(kernel)


@njit(inline="always")
def _chunks(rows: int, _version: int) -> int:
    return (rows + CHUNK_ROWS - 1) // CHUNK_ROWS


@intrinsic
def dot_rows(
    _typing: Any, codes: Any, row_bytes: Any, scales: Any, row_scales: Any, x: Any, out: Any, groups: Any, table: Any,
    nibbles: Any, per_block: Any, to_exponent: Any, mask: Any, rebias: Any, last: Any, special_bits: Any,
    road: Any, together: Any, width: Any, bits: Any, exponent_bits: Any, mantissa_bits: Any, special: Any,
) -> tuple[Any, Callable[..., Any]]:  # fmt: skip
    """`together` float32 at `out`: the sums of neighbouring rows. Addresses of the rows' codes and scales, of x in the
    road's order, and of the tables; groups of `width` codes in a row; the decoding constants; then literals."""
    rows, taken = together.literal_value, ROADS[road.literal_value]
    shape = Codes(*(literal.literal_value for literal in (width, bits, exponent_bits, mantissa_bits)))
    step, group_bytes = step_of(taken, shape), shape.width * shape.bits // 8
    octets = vector(INT8, shape.width)

    def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        codes, row_bytes, scales, row_scales, x, out, groups, table, lookup, per_block = arguments[:10]
        portable = arguments[10:15]
        looked_up = None
        if taken == WHOLE and shape.bits == 4:
            looked_up = shuffle(builder, load(builder, lookup, vector(INT8, 16), 1), [*range(16)] * 2)
        held: Callable[..., ir.Value] = cgutils.alloca_once_value
        sums = [held(builder, constant(FLOATS, 0.0)) for _ in range(rows)]
        seen = [held(builder, constant(octets, 0)) for _ in range(rows)]
        crowded = len(step.kinds) > CROWDED
        watched = taken == SHIFT and bool(special.literal_value)

        def scale_of(row: int, block: ir.Value) -> ir.Value:
            at = builder.add(builder.add(scales, builder.mul(row_scales, INT64(row))), block)
            number = builder.zext(load(builder, at, INT8, 1), INT64)
            return splat(builder, load(builder, builder.add(table, builder.mul(number, INT64(4))), FLOAT, 4), LANES)

        steps = builder.udiv(builder.add(groups, INT64(step.groups - 1)), INT64(step.groups))
        with cgutils.for_range(builder, steps, intp=INT64) as loop:
            x_at = builder.add(x, builder.mul(loop.index, INT64(step.bytes)))
            group = builder.mul(loop.index, INT64(step.groups))
            if step.groups > 1:  # the last step ends with the row
                latest = builder.sub(groups, INT64(step.groups))
                group = builder.select(builder.icmp_signed("<", group, latest), group, latest)
            blocks = [builder.udiv(builder.add(group, INT64(part)), per_block) for part in range(step.groups)]
            for row in range(rows):
                at = builder.add(codes, builder.mul(row_bytes, INT64(row)))
                at = builder.add(at, builder.mul(group, INT64(group_bytes)))
                x_here = hidden(builder, x_at) if crowded else x_at
                registers = [
                    load(builder, builder.add(x_here, INT64(4 * LANES * index)), kind, 4)
                    for index, kind in enumerate(step.kinds)
                ]
                parts, units = registers[: len(step.vectors)], registers[len(step.vectors) :]
                if taken != WHOLE:
                    products = float_products(builder, taken, shape, at, parts, portable)
                elif shape.bits == 4:
                    products = nibble_products(builder, at, parts[:4], parts[4:], looked_up)
                else:
                    products = octet_products(builder, at, parts[:2], parts[2:], step.low_bits)
                scale = scale_of(row, blocks[0])
                if units:
                    scale = builder.fmul(scale, units[0])
                for block, unit in zip(blocks[1:], units[1:], strict=True):
                    scale = fused(builder, scale_of(row, block), unit, scale)
                total = fused(builder, products, scale, builder.load(sums[row]))
                builder.store(hidden(builder, total) if crowded else total, sums[row])
                if watched:
                    magnitude = builder.and_(load(builder, at, octets, 1), constant(octets, 0x7F))
                    builder.store(each(builder, "umax", builder.load(seen[row]), magnitude), seen[row])
        for row in range(rows):
            total = call(builder, f"llvm.vector.reduce.fadd.v{LANES}f32", FLOAT, [FLOAT(0.0), builder.load(sums[row])])
            if watched:
                top = call(builder, f"llvm.vector.reduce.umax.v{octets.count}i8", INT8, [builder.load(seen[row])])
                largest = builder.lshr(portable[3], INT32(23 - shape.mantissa_bits))
                beyond = builder.icmp_signed(">", builder.zext(top, INT32), largest)
                total = builder.select(beyond, FLOAT(float("nan")), total)
            store(builder, total, builder.add(out, INT64(4 * row)), 4)
        return context.get_dummy_value()

    i, word = types.int64, types.int32
    literals = (road, together, width, bits, exponent_bits, mantissa_bits, special)
    return types.void(*[i] * 10, *[word] * 5, *literals), code
