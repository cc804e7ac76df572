"""Matrix-vector products on packed weights: weights are read once, as they are stored, and decoded in registers.

Within a block products are summed in float32 before the block's scale is applied. How codes become float32 (the road)
depends on the format and the processor; all roads decode exactly:

- shift: a code's bits, moved to their place in a float32, are its value times a power of two. Small ones become float32
  subnormals, which cost time, so this is for formats that seldom have them: four exponent bits and more, and integers.
- whole: codes that are whole numbers of their smallest step, four-bit ones through a byte shuffle, times the vector as
  whole numbers: of 24 bits, for MXINT8 of 30, of the largest among 32 neighbours; a vector with outliers far above
  their neighbours takes another road. Sums are exact until they meet the scales (x86 with AVX2).
- half: the same as shift by way of float16, where the processor converts that (x86 with F16C).
- portable: integer arithmetic, any format, any processor.
"""

import math
from functools import cache
from typing import Any

import llvmlite.binding
import numpy as np
from numba import config as numba_config
from numba import get_num_threads, njit

from jouleproof.formats.array import MXArray
from jouleproof.formats.blocks import FLOAT32_BIAS, SCALE_VALUES
from jouleproof.formats.compiled.activations import SHIFT_RAISED, Arranger
from jouleproof.formats.compiled.gemv import CHUNK_ROWS, rows_kernel
from jouleproof.formats.compiled.quantise import address, decoding_constants, group_width
from jouleproof.formats.compiled.strategies import CODES_PER_WORD, HALF, LANES, PORTABLE, ROADS, SHIFT, WHOLE, Codes
from jouleproof.formats.description import MXFormat
from jouleproof.formats.validation import is_torch, numpy_view, readable, target

ROWS = 4  # of the matrix, that share a load of the vector
HALF_BIAS = 15
HEADROOM = 30  # binades that scales are raised by, so that sums under the smallest scale keep their bits
LARGEST_NIBBLE = 32  # steps: whole numbers of four bits up to here do not overflow a sum


def matvec(weights: MXArray, x: Any, out: Any = None) -> Any:
    """weights @ x without unpacking the weights: (rows,) float32 of the kind of x.

    weights: of shape (rows, columns), its blocks along the columns. x: (columns,) float32, NumPy or torch.
    Agrees with float64 sums within 1e-6 of the largest sum of magnitudes of a row, for some ten thousand columns; the
    order of the sums depends on format and processor, not on the number of threads. NaN and Inf come out as products
    and sums make them.
    Two threads may share a core unless OMP_PROC_BIND=true, OMP_NUM_THREADS and NUMBA_NUM_THREADS are set before Python
    starts.
    Raises ValueError where a shape or the axis does not fit, TypeError where x is not float32; x and out otherwise as
    for `quantize` and `fake_quantize`.
    """
    return PackedMatrix(weights)(x, out)


class PackedMatrix:
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
        codes, scales = (np.ascontiguousarray(numpy_view(part)) for part in (weights.codes, weights.scales))
        (rows, self._columns), width, blocks = weights.shape, group_width(fmt), scales.shape[1]
        groups, can = blocks * fmt.block // width, open_roads(fmt, self._columns)
        road = best_road(fmt, self._columns) if road is None else road
        if road not in can:
            raise ValueError(f"matvec: road {road!r} cannot carry {fmt.name} here; can: {', '.join(can)}")
        shape = _shape(fmt, road, width)
        self._weights, self._rows, self._held = weights, rows, (codes, scales)
        self._road = road
        self._other: PackedMatrix | None = None
        self._arrange = Arranger(road, shape, groups)
        self._kernel = rows_kernel(road, min(rows, ROWS), shape, road == SHIFT and fmt.specials != "none")
        self._first = address(codes), blocks * fmt.block_bytes, address(scales), blocks
        self._last = (
            rows, groups, fmt.block // width, _table(fmt, road), SCALE_VALUES, _nibbles(fmt), *decoding_constants(fmt),
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

    def __reduce__(self) -> tuple[type["PackedMatrix"], tuple[MXArray, str]]:
        """A copy, or what another process unpickles, is made anew: addresses do not travel."""
        return PackedMatrix, (self._weights, self._road)

    def sum_into(self, x: np.ndarray, out: np.ndarray) -> bool:
        """out: (rows,) sums, contiguous; not finite, and then False, where a row is to be summed again. x: float32."""
        found = self._arrange(np.ascontiguousarray(x))
        if found is None:
            return self._sum_otherwise(x, out)
        arranged, exponent = found
        workers = min(get_num_threads(), -(-self._rows // CHUNK_ROWS))
        self._kernel(*self._first, address(arranged), address(out), workers, *self._last)
        return _finish(out, exponent - HEADROOM)

    def _sum_otherwise(self, x: np.ndarray, out: np.ndarray) -> bool:
        """A vector that does not fit whole numbers, by the road for floats; one that does not fit that, not at all."""
        if self._road != WHOLE:
            out.fill(np.nan)
            return False
        if self._other is None:
            self._other = PackedMatrix(self._weights, best_road(self._weights.fmt, self._columns, whole=False))
        return self._other.sum_into(x, out)


def best_road(fmt: MXFormat, columns: int, whole: bool = True) -> str:
    """The fastest road that this processor, this format and rows of this length can take. whole: or that one either."""
    can = open_roads(fmt, columns)
    if WHOLE in can and whole:
        return WHOLE
    if SHIFT in can and (fmt.is_integer or fmt.exponent_bits >= 4):
        return SHIFT
    return HALF if HALF in can else PORTABLE


def open_roads(fmt: MXFormat, columns: int) -> list[str]:
    """Those that can carry this format in rows of this length on this processor."""
    width = group_width(fmt)
    words = width == CODES_PER_WORD * LANES
    can = {
        SHIFT: words and (fmt.specials == "none" or fmt.bits == 8),
        WHOLE: words and has_feature("avx2") and whole_can(fmt) and (fmt.bits == 8 or columns > width),
        HALF: half_can(fmt) and has_feature("f16c"),
        PORTABLE: True,
    }
    return [road for road in ROADS if can[road]]


def whole_can(fmt: MXFormat) -> bool:
    """Whether this format's codes are whole numbers of its smallest step, small enough for exact sums of products."""
    if fmt.bits == 8:
        return fmt.is_integer
    return fmt.bits == 4 and fmt.specials == "none" and fmt.max_normal <= LARGEST_NIBBLE * fmt.min_step


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


def _shape(fmt: MXFormat, road: str, width: int) -> Codes:
    """Formats share a kernel where its code does not depend on how their bits are split."""
    if road in (SHIFT, HALF):
        return Codes(width, fmt.bits, fmt.exponent_bits, fmt.mantissa_bits)
    return Codes(width, fmt.bits, 0 if road == WHOLE else min(fmt.exponent_bits, 1), 0)


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
    if road == WHOLE or fmt.is_integer:
        missing = fmt.min_step
    elif road == PORTABLE:
        missing = 1.0
    else:
        missing = 2.0 ** (HALF_BIAS - fmt.bias if road == HALF else FLOAT32_BIAS - SHIFT_RAISED - fmt.bias)
    with np.errstate(over="ignore"):
        return (SCALE_VALUES.astype(np.float64) * 2.0**HEADROOM * missing).astype(np.float32)


@cache
def _nibbles(fmt: MXFormat) -> np.ndarray:
    """(16,) int8: a four-bit format's values in steps, where they are whole numbers that the road `whole` takes."""
    return (fmt.values[:16] / fmt.min_step if whole_can(fmt) and fmt.bits == 4 else np.zeros(16)).astype(np.int8)


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
