"""Matrix-vector products on packed weights: weights are read once, as they are stored, and decoded in registers.

Within a block products are summed in float32 before the block's scale is applied. How codes become numbers (the road)
depends on the format and the processor; all roads decode exactly. jouleproof.formats.compiled.strategies has the table:

- shift: a code's bits, moved to their place in a float32, are its value times a power of two;
- whole: codes that are whole numbers of their smallest step, times the vector as whole numbers: of 24 bits, for MXINT8
  of 30, of the largest among 32 neighbours; a vector with outliers far above their neighbours takes another road. Sums
  are exact until they meet the scales (x86 with AVX2);
- half: the same as shift by way of float16, where the processor converts that (x86 with F16C);
- portable: integer arithmetic, any format, any processor.
"""

from functools import cached_property
from typing import Any

import numpy as np

from jouleproof.formats.array import MXArray
from jouleproof.formats.compiled.gemv import Gemv
from jouleproof.formats.compiled.strategies import ROADS, strategies
from jouleproof.formats.validation import is_torch, numpy_view, readable, target


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
        self._weights, (self._rows, self._columns) = weights, weights.shape
        ways = {strategy.road: strategy for strategy in strategies(weights.fmt, self._columns)}  # fastest first
        can = [name for name in ROADS if name in ways]
        self._road = next(iter(ways)) if road is None else road
        if self._road not in can:
            raise ValueError(f"matvec: road {road!r} cannot carry {weights.fmt.name} here; can: {', '.join(can)}")
        self._float_strategy = next(way for way in ways.values() if not way.decoder.digits)
        self._codes, self._scales = (np.ascontiguousarray(numpy_view(part)) for part in (weights.codes, weights.scales))
        self._gemv = Gemv(weights.fmt, self._codes, self._scales, ways[self._road])

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
        if into is not None:
            into[...] = result
            return out
        return _tensor(result) if is_torch(x) else result

    def __reduce__(self) -> tuple[type["PackedMatrix"], tuple[MXArray, str]]:
        """A copy, or what another process unpickles, is made anew: addresses do not travel."""
        return PackedMatrix, (self._weights, self._road)

    def sum_into(self, x: np.ndarray, out: np.ndarray) -> bool:
        """out: (rows,) sums, contiguous; not finite, and then False, where a row is to be summed again. x: float32."""
        x = np.ascontiguousarray(x)
        finite = self._gemv(x, out)
        if finite is None and self._road == "whole":
            finite = self._float_gemv(x, out)
        if finite is None:
            out.fill(np.nan)
        return bool(finite)

    @cached_property
    def _float_gemv(self) -> Gemv:
        """For vectors that do not fit whole numbers."""
        return Gemv(self._weights.fmt, self._codes, self._scales, self._float_strategy)


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
