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
from typing import Any

import llvmlite.binding
import numpy as np
from numba import config as numba_config
from numba import njit

from bench.formats.arguments import is_torch, numpy_view, readable, target
from bench.formats.array import MXArray
from bench.formats.blocks import FLOAT32_BIAS, SCALE_VALUES
from bench.formats.description import MXFormat
from bench.formats.dot_rows import (
    CODES_PER_WORD,
    HALF,
    LANES,
    LOOKUP,
    PORTABLE,
    ROADS,
    SHIFT,
    interleaved,
    rows_kernel,
)
from bench.formats.kernels import address, decoding_constants, group_width

ROWS = 4  # of the matrix, that share a load of the vector
HALF_BIAS = 15
HEADROOM = 30  # binades that scales are raised by, so that sums under the smallest scale keep their bits
SHIFT_HEADROOM = 60  # binades that the vector is raised by where codes are read as far smaller numbers than they are


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
    return rows_kernel(road, together, width, fmt.bits, exponent_bits, fmt.mantissa_bits if split else 0, special)


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
        pairs = [nibbles[interleaved(start, width)].reshape(-1, 2) for start in (0, width // 4)]
        return np.concatenate([pair[:, part] for pair in pairs for part in (0, 1)])
    return elements


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
