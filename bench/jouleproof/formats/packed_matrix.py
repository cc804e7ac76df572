"""Matrix-vector products on packed weights: weights are read once, as packed codes, and decoded in registers.

Within a block, products are summed in float32 before the block's scale is applied. How codes are decoded (the strategy)
depends on the format and the processor; every strategy decodes exactly. jouleproof.formats.compiled.strategies holds
the table:

- shift: the bits of a code, shifted to their place in a float32, are its value times a power of two;
- whole: codes that are integer multiples of their smallest step are multiplied by a vector of integers of 24 bits (30
  for MXINT8), scaled to the largest of each group of 32 neighbours. A vector with outliers far above their neighbours
  is multiplied by another strategy. Sums are exact until the scales are applied (x86 with AVX2);
- half: like shift, through float16, where the processor can convert it (x86 with F16C);
- portable: integer arithmetic, for any format on any processor.
"""

from functools import cached_property
from typing import Any

import numpy as np

from jouleproof.formats.array import MXArray
from jouleproof.formats.compiled.gemv import Gemv
from jouleproof.formats.compiled.strategies import strategies
from jouleproof.formats.validation import is_torch, numpy_view, readable, target


def matvec(weights: MXArray, x: Any, out: Any = None) -> Any:
    """Return weights @ x, (rows,) float32 of the same kind as x, without unpacking the weights.

    weights: shape (rows, columns), with blocks along the columns. x: (columns,) float32, NumPy or torch.
    Agrees with float64 sums to within 1e-6 of the largest sum of magnitudes of a row, up to some ten thousand columns.
    The order of summation depends on format and processor, not on the number of threads. NaN and Inf propagate as in
    float arithmetic.
    Two threads may share a core unless OMP_PROC_BIND=true, OMP_NUM_THREADS and NUMBA_NUM_THREADS are set before Python
    starts.
    Raises ValueError if a shape or the axis does not fit, TypeError if x is not float32. Otherwise, x and out are
    checked as in `quantize` and `fake_quantize`.
    """
    return PackedMatrix(weights)(x, out)


class PackedMatrix:
    """A packed weight matrix prepared for repeated `matvec`: work that does not depend on the vector is done once.

    The weights are read in place. strategy: the name of a strategy (see the module); by default, the fastest.
    """

    def __init__(self, weights: MXArray, strategy: str | None = None) -> None:
        if not isinstance(weights, MXArray):
            raise TypeError(f"matvec: weights is a {type(weights).__name__}, not an MXArray")
        if len(weights.shape) != 2 or weights.axis != 1:
            raise ValueError(
                f"matvec: weights must have shape (rows, columns) and axis=1, got {weights.shape}, axis={weights.axis}"
            )
        self._weights, (self._rows, self._columns) = weights, weights.shape
        available = strategies(weights.fmt, self._columns)
        chosen = [option for option in available if strategy in (None, option.name)]
        if not chosen:
            raise ValueError(
                f"matvec: strategy {strategy!r} is not available for {weights.fmt.name} here; "
                f"available: {', '.join(option.name for option in available)}"
            )
        self._strategy = chosen[0]
        self._float_decoder = next(option.decoder for option in available if not option.decoder.digits)
        self._codes, self._scales = (
            np.ascontiguousarray(numpy_view(array)) for array in (weights.codes, weights.scales)
        )
        self._gemv = Gemv(weights.fmt, self._codes, self._scales, self._strategy.decoder)

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return weights @ x, as `matvec` does."""
        values = readable(x, "matvec: x")
        if values.shape != (self._columns,):
            raise ValueError(
                f"matvec: x must have shape ({self._columns},) for weights of {self._weights.shape}, got {values.shape}"
            )
        if values.dtype != np.float32:
            raise TypeError(f"matvec: x must be float32, got {values.dtype}; cast it first")
        into = None if out is None else target(out, x, (self._rows,), "float32", "matvec")
        result = np.empty(self._rows, dtype=np.float32)
        if not self.sum_into(values, result):
            _sum_again(self._weights, values, result)
        if into is not None:
            into[...] = result
            return out
        return _tensor(result) if is_torch(x) else result

    def __reduce__(self) -> tuple[type["PackedMatrix"], tuple[MXArray, str]]:
        """Rebuild the matrix when it is copied or unpickled, because memory addresses change."""
        return PackedMatrix, (self._weights, self._strategy.name)

    def sum_into(self, x: np.ndarray, out: np.ndarray) -> bool:
        """Write weights @ x to `out`, (rows,) float32, contiguous. x: (columns,) float32. Returns whether all sums are
        finite; a row whose sum is not finite must be summed again."""
        x = np.ascontiguousarray(x)
        finite = self._gemv(x, out)
        if finite is None and self._strategy.decoder.digits:
            finite = self._float_gemv(x, out)
        if finite is None:
            out.fill(np.nan)
        return bool(finite)

    @cached_property
    def _float_gemv(self) -> Gemv:
        """The product for vectors that integers cannot represent precisely enough."""
        return Gemv(self._weights.fmt, self._codes, self._scales, self._float_decoder)


def _sum_again(weights: MXArray, x: np.ndarray, out: np.ndarray) -> None:
    """Recompute the rows of `out` that are not finite from dequantised weights, in float64."""
    codes, scales = numpy_view(weights.codes), numpy_view(weights.scales)
    for row in np.flatnonzero(~np.isfinite(out)):
        shape = (1, weights.shape[1])
        values = MXArray(codes[row : row + 1], scales[row : row + 1], weights.fmt, shape, 1).dequantize()[0]
        with np.errstate(all="ignore"):
            out[row] = np.float32(np.dot(values.astype(np.float64), x.astype(np.float64)))


def _tensor(result: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(result)
