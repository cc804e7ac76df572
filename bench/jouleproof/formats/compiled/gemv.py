"""Matrix-vector products on packed codes: the sums of neighbouring rows, step by step, with one decoder."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import get_num_threads, prange
from numba.core import types

from jouleproof.formats.blocks import SCALE_VALUES
from jouleproof.formats.compiled import CODE_VERSION, simd
from jouleproof.formats.compiled.activations import ActivationPacker
from jouleproof.formats.compiled.elements import FLOATS, LANES, Codes, Decoding, group_width
from jouleproof.formats.compiled.products import Step, fused
from jouleproof.formats.compiled.quantizer import address, decoding_constants
from jouleproof.formats.compiled.simd import (
    FLOAT,
    INT8,
    INT32,
    INT64,
    call,
    cgutils,
    constant,
    intrinsic,
    lanewise,
    load,
    optimisation_barrier,
    shuffle,
    splat,
    store,
    unpacked,
    vector,
)
from jouleproof.formats.compiled.strategies import DECODERS, Decoder, is_few_steps
from jouleproof.formats.compiled.threading import one_at_a_time
from jouleproof.formats.description import MXFormat
from jouleproof.kernels import njit

ROWS = 4  # rows of the matrix that share a load of the vector
CHUNK_ROWS = 32  # rows that a thread takes at a time; small, so that no thread waits long for another
CROWDED = 6  # most registers that the vector may fill; if it needs more, every row reloads it
HEADROOM = 30  # binades by which scales are raised, so that sums under the smallest scale keep their precision


class Plan(NamedTuple):
    """Everything that determines the instructions of a kernel; matrices with equal plans share a kernel.

    decoder: name of the decoder. rows: rows that are summed at once. watches: whether the kernel checks for codes that
    are not numbers and makes their rows NaN. The other fields are those of `Codes`.
    """

    decoder: str
    rows: int
    width: int
    bits: int
    exponent_bits: int
    mantissa_bits: int
    watches: bool

    @property
    def codes(self) -> Codes:
        return Codes(self.width, self.bits, self.exponent_bits, self.mantissa_bits)


class Matrix(NamedTuple):
    """Parameters of a matrix that a kernel takes, int64.

    codes, scales: addresses. row_bytes, row_scales: bytes of codes and of scales in a row. groups, block_groups: groups
    of codes in a row and in a block. table: address of (256,) float32, the values of scale codes. lookup: address of
    (16,) int8, the values of four-bit codes.
    """

    codes: Any
    row_bytes: Any
    scales: Any
    row_scales: Any
    rows: Any
    groups: Any
    block_groups: Any
    table: Any
    lookup: Any


MATRIX = len(Matrix._fields)


class Gemv:
    """Products of one packed matrix with one decoder: work that does not depend on the vector is done once.

    codes: (rows, blocks, block_bytes), scales: (rows, blocks), both contiguous uint8 and read in place.
    """

    def __init__(self, fmt: MXFormat, codes: np.ndarray, scales: np.ndarray, decoder: Decoder) -> None:
        (rows, blocks), width = scales.shape, group_width(fmt)
        groups, table, lookup = blocks * fmt.block // width, scale_table(fmt, decoder), nibble_values(fmt)
        watches = decoder.as_float32 and fmt.specials != "none"
        plan = Plan(decoder.name, min(rows, ROWS), width, fmt.bits, *decoder.shape(fmt), watches)
        self._held = codes, scales, table, lookup
        self._matrix = Matrix(
            codes=address(codes),
            row_bytes=blocks * fmt.block_bytes,
            scales=address(scales),
            row_scales=blocks,
            rows=rows,
            groups=groups,
            block_groups=fmt.block // width,
            table=address(table),
            lookup=address(lookup),
        )
        self._decoding = decoding_constants(fmt)
        self._arrange = ActivationPacker(decoder, decoder.raised(fmt), groups, width)
        self._kernel = rows_kernel(plan)

    def __call__(self, x: np.ndarray, out: np.ndarray) -> bool | None:
        """Write the sums to `out`, (rows,) float32. x: (columns,) float32. Both are contiguous.

        Returns whether all sums are finite, or None, with `out` unchanged, if x spans a wider range than the decoder
        can represent or is not finite.
        """
        fitting = self._arrange(x)
        if fitting is None:
            return None
        arranged, exponent = fitting
        workers = min(get_num_threads(), -(-self._matrix.rows // CHUNK_ROWS))
        self._kernel(address(arranged), address(out), workers, SCALE_VALUES, *self._matrix, *self._decoding)
        return _finish(out, exponent - HEADROOM)


@cache
def scale_table(fmt: MXFormat, decoder: Decoder) -> np.ndarray:
    """Return (256,) float32: the value of each scale code times 2**HEADROOM and the decoder's unit."""
    with np.errstate(over="ignore"):
        return (SCALE_VALUES.astype(np.float64) * 2.0**HEADROOM * decoder.unit(fmt)).astype(np.float32)


@cache
def nibble_values(fmt: MXFormat) -> np.ndarray:
    """Return (16,) int8: a four-bit format's values as numbers of steps, if these are small integers; else zeros."""
    return (fmt.values[:16] / fmt.min_step if is_few_steps(fmt) else np.zeros(16)).astype(np.int8)


@njit(cache=True)
def _finish(out, exponent):
    """Multiply `out` by 2**exponent, in two factors that fit in a float32. Returns whether all results are finite."""
    exponent = max(-280, min(280, exponent))
    half = exponent // 2
    first, second = np.float32(math.ldexp(1.0, half)), np.float32(math.ldexp(1.0, exponent - half))
    finite = True
    for index in range(len(out)):
        out[index] = out[index] * first * second
        finite &= np.isfinite(out[index])
    return finite


@cache
def rows_kernel(plan: Plan, version: int = CODE_VERSION) -> Callable[..., None]:
    """Return the kernel that sums rows in groups of plan.rows. The last group may overlap the one before it: both write
    the same sums."""
    literals, together, makes_subnormals = tuple(plan), plan.rows, DECODERS[plan.decoder].as_float32

    @njit(parallel=True, cache=True)
    def kernel(x, out, workers, scale_values, *numbers):
        matrix, decoding = Matrix(*numbers[:MATRIX]), Decoding(*numbers[MATRIX:])
        taken, chunks = np.zeros(1, dtype=np.int64), _chunks(matrix.rows, version)
        for _worker in prange(workers):
            chunk = simd.take(taken.ctypes.data)
            while chunk < chunks:
                for first in range(chunk * CHUNK_ROWS, min(matrix.rows, (chunk + 1) * CHUNK_ROWS), together):
                    row = min(first, matrix.rows - together)
                    # if this thread flushes subnormals, the sums would be wrong
                    if makes_subnormals and scale_values[0] * np.float32(2.0) == 0.0:
                        for lost in range(row, row + together):
                            simd.store_float(out + 4 * lost, np.float32(np.nan))
                        continue
                    dot_rows(literals, matrix, decoding, x, out, row)
                chunk = simd.take(taken.ctypes.data)

    return one_at_a_time(kernel)


@njit(inline="always")
def _chunks(rows: int, _version: int) -> int:
    return (rows + CHUNK_ROWS - 1) // CHUNK_ROWS


@intrinsic
def dot_rows(
    _typing: Any, plan: Any, matrix: Any, decoding: Any, x: Any, out: Any, row: Any
) -> tuple[Any, Callable[..., Any]]:
    """Write the sums of neighbouring rows, starting at `row`, according to the plan (a tuple of literals).

    x: address of the vector in the layout of `ActivationPacker`. out: address of the first row's float32.
    """
    shape = Plan(*(literal.literal_value for literal in plan))

    def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        _, matrix, decoding, x, out, row = arguments
        numbers = unpacked(builder, Matrix, matrix), unpacked(builder, Decoding, decoding)
        sums = RowSums(builder, shape, *numbers, row)
        with cgutils.for_range(builder, sums.steps, intp=INT64) as loop:
            sums.add_step(loop.index, x)
        for index in range(shape.rows):
            store(
                builder, sums.total(index), builder.add(out, builder.mul(builder.add(row, INT64(index)), INT64(4))), 4
            )
        return context.get_dummy_value()

    return types.void(plan, matrix, decoding, types.int64, types.int64, types.int64), code


class RowSums:
    """Emitter of the sums of plan.rows neighbouring rows: 8 float32 sums per row, of products times their scales."""

    def __init__(self, builder: ir.IRBuilder, plan: Plan, matrix: Matrix, decoding: Decoding, row: ir.Value) -> None:
        self._builder, self._plan, self._matrix, self._decoding = builder, plan, matrix, decoding
        self._decoder = DECODERS[plan.decoder]
        self._registers = self._decoder.registers(plan.width)
        self._crowded = len(self._registers) > CROWDED
        self._codes = builder.add(matrix.codes, builder.mul(matrix.row_bytes, row))
        self._scales = builder.add(matrix.scales, builder.mul(matrix.row_scales, row))
        self._lookup = shuffle(builder, load(builder, matrix.lookup, vector(INT8, 16), 1), [*range(16)] * 2)
        self._octets = vector(INT8, plan.width)
        held: Callable[..., ir.Value] = cgutils.alloca_once_value
        self._sums = [held(builder, constant(FLOATS, 0.0)) for _ in range(plan.rows)]
        self._largest_codes = [held(builder, constant(self._octets, 0)) for _ in range(plan.rows)]
        groups = INT64(self._decoder.groups)
        self.steps = builder.udiv(builder.add(matrix.groups, builder.sub(groups, INT64(1))), groups)

    def add_step(self, step: ir.Value, x: ir.Value) -> None:
        """Add the products of one step to the sums of all rows."""
        builder, decoder = self._builder, self._decoder
        x = builder.add(x, builder.mul(step, INT64(4 * LANES * len(self._registers))))
        group = builder.mul(step, INT64(decoder.groups))
        if decoder.groups > 1:  # the last step ends where the row ends
            latest = builder.sub(self._matrix.groups, INT64(decoder.groups))
            group = builder.select(builder.icmp_signed("<", group, latest), group, latest)
        members = [builder.add(group, INT64(number)) for number in range(decoder.groups)]
        blocks = [builder.udiv(member, self._matrix.block_groups) for member in members]
        for index in range(self._plan.rows):
            self._add_row(index, group, blocks, optimisation_barrier(builder, x) if self._crowded else x)

    def _add_row(self, index: int, group: ir.Value, blocks: list[ir.Value], x: ir.Value) -> None:
        builder, codes = self._builder, self._plan.codes
        at = builder.add(self._codes, builder.mul(self._matrix.row_bytes, INT64(index)))
        at = builder.add(at, builder.mul(group, INT64(codes.width * codes.bits // 8)))
        registers = [
            load(builder, builder.add(x, INT64(4 * LANES * place)), kind, 4)
            for place, kind in enumerate(self._registers)
        ]
        vectors = len(self._decoder.vectors(codes.width))
        step = Step(at, registers[:vectors], self._decoding, self._lookup)
        products = self._decoder.products(builder, codes, step)
        scale = self._scale(index, blocks, registers[vectors:])
        total = fused(builder, products, scale, builder.load(self._sums[index]))
        builder.store(optimisation_barrier(builder, total) if self._crowded else total, self._sums[index])
        if self._plan.watches:
            magnitudes = builder.and_(load(builder, at, self._octets, 1), constant(self._octets, 0x7F))
            largest = lanewise(builder, "umax", builder.load(self._largest_codes[index]), magnitudes)
            builder.store(largest, self._largest_codes[index])

    def _scale(self, index: int, blocks: list[ir.Value], units: list[ir.Value]) -> ir.Value:
        """Return the scale of each lane of the products of a row. units: units of the groups, for integers only."""
        builder, matrix = self._builder, self._matrix

        def scale_of(block: ir.Value) -> ir.Value:
            at = builder.add(builder.add(self._scales, builder.mul(matrix.row_scales, INT64(index))), block)
            code = builder.zext(load(builder, at, INT8, 1), INT64)
            value = load(builder, builder.add(matrix.table, builder.mul(code, INT64(4))), FLOAT, 4)
            return splat(builder, value, LANES)

        scale = scale_of(blocks[0])
        if units:
            scale = builder.fmul(scale, units[0])
        for block, unit in zip(blocks[1:], units[1:], strict=True):
            scale = fused(builder, scale_of(block), unit, scale)
        return scale

    def total(self, index: int) -> ir.Value:
        """Return the float32 sum of a row, NaN if one of its codes is not a number."""
        builder, sums = self._builder, self._builder.load(self._sums[index])
        total = call(builder, f"llvm.vector.reduce.fadd.v{LANES}f32", FLOAT, [FLOAT(0.0), sums])
        if self._plan.watches:
            codes = builder.load(self._largest_codes[index])
            top = call(builder, f"llvm.vector.reduce.umax.v{codes.type.count}i8", INT8, [codes])
            last_number = builder.lshr(self._decoding.last, INT32(23 - self._plan.mantissa_bits))
            beyond = builder.icmp_signed(">", builder.zext(top, INT32), last_number)
            total = builder.select(beyond, FLOAT(float("nan")), total)
        return total
