"""Matrix-vector products on packed weights: weights are read once, as they are stored, and decoded in registers.

Within a block products are summed in float32 before the block's scale is applied. How codes become float32 (the road)
depends on the format and the processor; all roads are exact:

- shift: a code's bits, moved to their place in a float32, are its value times a power of two. Small ones become float32
  subnormals, which cost time, so this is for formats that seldom have them: four exponent bits and more, and integers.
- lookup: a byte shuffle looks up codes of four bits in a table of their values (x86 with AVX2).
- half: the same as shift by way of float16, where the processor converts that (x86 with F16C).
- portable: integer arithmetic, any format, any processor.
"""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import config as numba_config
from numba import njit, prange
from numba.core import cgutils, types

from bench.formats import lanes
from bench.formats.arguments import is_torch, numpy_view, readable, target
from bench.formats.array import MXArray
from bench.formats.blocks import FLOAT32_BIAS, FLOAT32_MANTISSA, SCALE_VALUES
from bench.formats.description import MXFormat
from bench.formats.kernels import address, decoding_constants, group_width
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
ROWS = 4  # of the matrix, that share a load of the vector
CHUNK_ROWS = 128  # that a thread takes at a time
HALF_BIAS = 15
HEADROOM = 30  # binades that scales are raised by, so that sums under the smallest scale keep their bits
SHIFT_HEADROOM = 60  # binades that the vector is raised by where codes are read as far smaller numbers than they are
CODE_VERSION = crc32(Path(__file__).read_bytes() + Path(lanes.__file__).read_bytes())


def matvec(weights: MXArray, x: Any, out: Any = None) -> Any:
    """weights @ x without unpacking the weights: (rows,) float32 of the kind of x.

    weights: of shape (rows, columns), its blocks along the columns. x: (columns,) float32, NumPy or torch.
    Agrees with float64 sums within 1e-6 of the largest result for some ten thousand columns; the order of the sums
    depends on format and processor, not on the number of threads. NaN and Inf come out as products and sums make them.
    For threads on cores of their own set OMP_PROC_BIND=true before anything is imported.
    Raises ValueError where a shape or the axis does not fit, TypeError where x is not float32; x and out otherwise as
    for `quantize` and `fake_quantize`.
    """
    return Multiplier(weights)(x, out)


class Multiplier:
    """`matvec` by the same weights again and again: what does not depend on the vector is done once.

    The weights are read where they lie. road: see above; the best where left out.
    """

    def __init__(self, weights: MXArray, road: str | None = None) -> None:
        if not isinstance(weights, MXArray):
            raise TypeError(f"matvec: weights is a {type(weights).__name__}, not an MXArray")
        if len(weights.shape) != 2 or weights.axis != 1:
            raise ValueError(
                f"matvec: weights of shape={weights.shape}, axis={weights.axis}; needs (rows, columns), axis=1"
            )
        fmt = weights.fmt
        road = best_road(fmt) if road is None else road
        if road not in roads(fmt):
            raise ValueError(f"matvec: road {road!r} cannot carry {fmt.name} here; can: {', '.join(roads(fmt))}")
        width, (rows, self._columns) = group_width(fmt), weights.shape
        self._weights, self._rows = weights, rows
        codes, scales = (np.ascontiguousarray(numpy_view(part)) for part in (weights.codes, weights.scales))
        blocks = scales.shape[1]
        self._held = codes, scales
        self._prepared = blocks * fmt.block, _order(road, width), SHIFT_HEADROOM if _reads_small(road, fmt) else 0
        self._kernel = _kernel_of(fmt, road, min(rows, ROWS), width)
        self._first = address(codes), blocks * fmt.block_bytes, address(scales), blocks
        self._last = (
            rows, fmt.block // width, _table(fmt, road), SCALE_VALUES, _lookup_bytes(fmt), *decoding_constants(fmt),
        )  # fmt: skip

    def __call__(self, x: Any, out: Any = None) -> Any:
        """As `matvec`."""
        values = readable(x, "matvec: x")
        if values.shape != (self._columns,):
            raise ValueError(
                f"matvec: x has shape={values.shape}; weights of {self._weights.shape} need ({self._columns},)"
            )
        if values.dtype != np.float32:
            raise TypeError(f"matvec: x has dtype={values.dtype}, not float32; cast it first")
        into = None if out is None else target(out, x, (self._rows,), "float32", "matvec")
        result = np.empty(self._rows, dtype=np.float32)
        if not self.sum_into(values, result):
            _sum_again(self._weights, values, result)
        if into is None:
            return _tensor(result) if is_torch(x) else result
        into[...] = result
        return out

    def sum_into(self, x: np.ndarray, out: np.ndarray) -> bool:
        """out: (rows,) sums, contiguous; not finite, and then False, where a row is to be summed again. x: float32."""
        size, order, raised = self._prepared
        prepared = np.empty(size, dtype=np.float32)
        exponent = _prepare(np.ascontiguousarray(x), prepared, order, raised)
        self._kernel(*self._first, address(prepared), address(out), *self._last)
        return _finish(out, exponent - HEADROOM)


def best_road(fmt: MXFormat) -> str:
    """The fastest road that this processor and this format can take."""
    can = roads(fmt)
    if LOOKUP in can:
        return LOOKUP
    if SHIFT in can and (fmt.is_integer or fmt.exponent_bits >= 4):
        return SHIFT
    return HALF if HALF in can else PORTABLE


def roads(fmt: MXFormat) -> list[str]:
    """Those that can carry this format on this processor."""
    words = group_width(fmt) == CODES_PER_WORD * LANES
    can = {
        SHIFT: words and (fmt.specials == "none" or fmt.bits == 8),
        LOOKUP: words and fmt.bits == 4 and has_feature("avx2"),
        HALF: half_can(fmt) and has_feature("f16c"),
        PORTABLE: True,
    }
    return [road for road in ROADS if can[road]]


def half_can(fmt: MXFormat) -> bool:
    """Whether float16 reads this format's codes as they are meant, up to a power of two."""
    return not fmt.is_integer and (fmt.specials == "none") == (fmt.exponent_bits < 5) and fmt.specials != "nan"


@cache
def has_feature(name: str) -> bool:
    """Of the processor that code is made for; where numba is told which one, only what it is told."""
    told, features = (getattr(numba_config, key) for key in ("CPU_NAME", "CPU_FEATURES"))
    if told not in (None, "", "host"):
        return f"+{name}" in (features or "").split(",")
    return bool(llvmlite.binding.get_host_cpu_features().get(name))


def _reads_small(road: str, fmt: MXFormat) -> bool:
    """Whether a road reads codes as far smaller numbers than they are."""
    return road == SHIFT and not fmt.is_integer


def _kernel_of(fmt: MXFormat, road: str, together: int, width: int) -> Callable[..., None]:
    """Formats share a kernel where its code does not depend on how their bits are split."""
    split = road in (SHIFT, HALF)
    exponent_bits = fmt.exponent_bits if split else min(fmt.exponent_bits, 1)
    special = road == SHIFT and fmt.specials != "none"
    return _kernel(road, together, width, fmt.bits, exponent_bits, fmt.mantissa_bits if split else 0, special)


def _sum_again(weights: MXArray, x: np.ndarray, out: np.ndarray) -> None:
    """Rows of `out` that are not finite, by the dequantiser, in float64."""
    codes, scales = numpy_view(weights.codes), numpy_view(weights.scales)
    for row in np.flatnonzero(~np.isfinite(out)):
        shape = (1, weights.shape[1])
        values = MXArray(codes[row : row + 1], scales[row : row + 1], weights.fmt, shape, 1).dequantize()[0]
        with np.errstate(all="ignore"):
            out[row] = np.float32(np.dot(values.astype(np.float64), x.astype(np.float64)))


def _tensor(result: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(result)


@cache
def _table(fmt: MXFormat, road: str) -> np.ndarray:
    """(256,) float32: scale times 2**HEADROOM and what the road leaves out of an element."""
    if road == LOOKUP or (road == PORTABLE and not fmt.is_integer):
        missing = 1.0
    elif fmt.is_integer:
        missing = fmt.min_step
    else:
        missing = 2.0 ** (HALF_BIAS - fmt.bias if road == HALF else FLOAT32_BIAS - SHIFT_HEADROOM - fmt.bias)
    with np.errstate(over="ignore"):
        return (SCALE_VALUES.astype(np.float64) * 2.0**HEADROOM * missing).astype(np.float32)


@cache
def _lookup_bytes(fmt: MXFormat) -> np.ndarray:
    """(32,) uint8: the high and then the low bytes of a four-bit format's values in bfloat16, which holds them all."""
    top = fmt.values[:16].view(np.uint32) >> 16
    return np.concatenate([top >> 8, top & 0xFF]).astype(np.uint8)


@cache
def _order(road: str, width: int) -> np.ndarray:
    """(width,): which element of a group each lane of the road's vectors holds, one vector after the other."""
    elements = np.arange(width)
    if road == SHIFT:
        return elements.reshape(-1, CODES_PER_WORD).T.reshape(-1).copy()
    if road == LOOKUP:
        nibbles = np.concatenate([elements[0::2], elements[1::2]])
        pairs = [nibbles[_interleaved(start, width)].reshape(-1, 2) for start in (0, width // 4)]
        return np.concatenate([pair[:, part] for pair in pairs for part in (0, 1)])
    return elements


def _interleaved(start: int, width: int) -> list[int]:
    """Bytes that a shuffle within halves of a register takes, from `start` on in each."""
    return [half + start + byte for half in (0, width // 2) for byte in range(width // 4)]


@njit(cache=True)
def _prepare(x, prepared, order, raised):
    """x in the road's order, filled up with zeros, its largest magnitude raised to about 2**raised. Returns the
    exponent that was taken out; 0 where x holds NaN or Inf, which then run through the sums."""
    largest = np.float32(0.0)
    for value in x:
        largest = max(largest, abs(value))
        if not np.isfinite(value):
            largest = np.float32(0.0)
            break
    exponent = math.frexp(largest)[1] if largest > 0 else 0
    up, factor = (raised - exponent) // 2, np.float32(math.ldexp(1.0, (raised - exponent) // 2))
    rest = np.float32(math.ldexp(1.0, raised - exponent - up))
    width = len(order)
    for index in range(len(prepared)):
        source = index // width * width + order[index % width]
        prepared[index] = x[source] * factor * rest if source < len(x) else np.float32(0.0)
    return exponent


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
        order = [byte for first in _interleaved(start, 32) for byte in (first, 32 + first)]
        both = builder.shuffle_vector(lower, upper, constant(vector(INT32, 32), order))
        both = builder.bitcast(both, vector(INT32, LANES))
        even, odd = builder.shl(both, constant(both.type, 16)), builder.and_(both, constant(both.type, 0xFFFF0000))
        values += [builder.bitcast(part, vector(FLOAT, LANES)) for part in (even, odd)]
    return values


@njit(cache=True)
def _finish(out, exponent):
    """out times 2**exponent, in two steps that each fit in a float32. Returns whether all of it is finite."""
    exponent = max(-280, min(280, exponent))
    half = exponent // 2
    first, second = np.float32(math.ldexp(1.0, half)), np.float32(math.ldexp(1.0, exponent - half))
    finite = True
    for index in range(len(out)):
        out[index] = out[index] * first * second
        finite &= np.isfinite(out[index])
    return finite


@cache
def _kernel(
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
