"""Casts of arrays and tensors of any shape; a result is of the same kind (NumPy or torch) as the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from jouleproof.formats.blocks import get_rounding, ties_away
from jouleproof.formats.compiled import quantizer
from jouleproof.formats.description import MXFormat, get_format
from jouleproof.formats.scale import ScaleRule
from jouleproof.formats.validation import (
    axis_from_front,
    dtype_name,
    is_torch,
    numpy_view,
    readable,
    scale_rule,
    target,
    writable,
)

if TYPE_CHECKING:
    import torch

ArrayT = TypeVar("ArrayT", np.ndarray, "torch.Tensor")
DTYPES = ("float32", "bfloat16", "float16")
TILE_ELEMENTS = 1 << 17  # elements of the buffer for arrays that cannot be processed in place


@dataclass(frozen=True, eq=False)
class MXArray:
    """A quantised array: packed element codes and one scale per block along `axis`.

    codes: (*other axes, blocks, block_bytes) uint8. scales: (*other axes, blocks) uint8 (E8M0). Both are of the kind
        (NumPy or torch) of the array that was quantised; `axis` is moved last and padded with zeros to whole blocks.
    shape, axis: shape and block axis of the array that was quantised; axis is counted from the front.
    """

    codes: Any
    scales: Any
    fmt: MXFormat
    shape: tuple[int, ...]
    axis: int

    def __post_init__(self) -> None:
        if not isinstance(self.fmt, MXFormat):
            raise TypeError(f"MXArray: fmt={self.fmt!r} is a {type(self.fmt).__name__}, not an MXFormat")
        integers = isinstance(self.shape, tuple) and all(type(length) is int for length in (*self.shape, self.axis))
        if not (integers and min(self.shape, default=0) > 0 and 0 <= self.axis < len(self.shape)):
            raise ValueError(
                "MXArray: shape must be a tuple of lengths > 0, and axis one of its axes, counted from the front; "
                f"got shape={self.shape!r}, axis={self.axis!r}"
            )
        scales_shape = _scales_shape(self.shape, self.axis, self.fmt)
        codes_shape = (*scales_shape, self.fmt.block_bytes)
        for name, array, shape in (("codes", self.codes, codes_shape), ("scales", self.scales, scales_shape)):
            readable(array, f"MXArray: {name}")
            if tuple(array.shape) != shape or dtype_name(array) != "uint8":
                raise ValueError(
                    f"MXArray: {name} has shape={tuple(array.shape)}, dtype={dtype_name(array)}; "
                    f"{self.fmt.name} of shape={self.shape}, axis={self.axis} needs shape={shape}, dtype=uint8"
                )
        if is_torch(self.codes) != is_torch(self.scales):
            raise TypeError("MXArray: codes and scales must both be NumPy arrays or both torch tensors")

    def __repr__(self) -> str:
        return f"MXArray({self.fmt.name}, shape={self.shape}, axis={self.axis})"

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError(
            "an MXArray holds packed codes; get their values with dequantize(), multiply by them with matvec"
        )

    @property
    def nbytes(self) -> int:
        """Bytes of codes and scales, padding included."""
        return numpy_view(self.codes).nbytes + numpy_view(self.scales).nbytes

    def dequantize(self, out: Any = None) -> Any:
        """Return float32 of `shape`: every element times the scale of its block, NaN where the scale is NaN."""
        if out is None:
            out = _empty(self.codes, self.shape, "float32")
        rows = np.moveaxis(target(out, self.codes, self.shape, "float32", "dequantize"), self.axis, -1)
        codes, scales = (_apart(numpy_view(array), rows) for array in (self.codes, self.scales))
        _over_blocks(partial(quantizer.dequantize, self.fmt), self.fmt, rows, packed=(codes, scales), unpacks=True)
        return out


def quantize(
    x: ArrayT,
    fmt: str | MXFormat,
    *,
    axis: int = -1,
    scale: str | ScaleRule = "floor",
    rounding: str = "even",
    out: MXArray | None = None,
) -> MXArray:
    """Cast to a block format (OCP MX v1.0, section 6.3), with blocks along `axis`.

    x: float32, bfloat16 or float16, of any non-empty shape; a NumPy array, or a torch tensor on the CPU.
    scale: "floor" (the specification's), "ceil", "even", "rceil", or a custom rule (see jouleproof.formats.scale).
    rounding: "even" (nearest, ties to even) or "away" (nearest, ties away from zero).
    A block that holds NaN or Inf reads back as all NaN. Larger elements clamp to the largest normal. Floats keep the
    sign of zero; integers have no -0 and never use their most negative code. A partial last block is padded with zeros,
    which do not change its scale. Near the largest float32, a rule that rounds the scale up (all but floor) can round
    an element to 2**128, which reads back as Inf.
    Raises ValueError on an unknown format, rule, rounding or axis, an empty array, a tensor that autograd tracks, or an
    `out` that does not fit; TypeError on another dtype.
    Contiguous float32 in whole blocks is read in place; other input is copied, tile by tile, to a buffer of half a
    megabyte.
    """
    fmt, rule, away = get_format(fmt), scale_rule(scale), get_rounding(rounding) is ties_away
    rows, axis = _rows(x, axis, "quantize")
    shape = tuple(x.shape)
    if out is None:
        out = _empty_mxarray(x, fmt, shape, axis)
    elif not isinstance(out, MXArray):
        raise TypeError(f"quantize: out is a {type(out).__name__}, not an MXArray")
    elif (out.fmt, out.shape, out.axis, is_torch(out.codes)) != (fmt, shape, axis, is_torch(x)):
        raise ValueError(
            f"quantize: out is {out.fmt.name} of shape={out.shape}, axis={out.axis}; "
            f"x needs {fmt.name} of shape={shape}, axis={axis} and the same kind as x"
        )
    codes, scales = (writable(array, "quantize: out") for array in (out.codes, out.scales))
    if np.shares_memory(codes, scales):
        raise ValueError("quantize: out has codes and scales that share memory")
    kernel = partial(quantizer.quantize, fmt, rule, away)
    _over_blocks(kernel, fmt, _apart(rows, codes, scales), packed=(codes, scales))
    return out


def fake_quantize(
    x: ArrayT,
    fmt: str | MXFormat,
    *,
    axis: int = -1,
    scale: str | ScaleRule = "floor",
    rounding: str = "even",
    out: ArrayT | None = None,
) -> ArrayT:
    """Return the values of `quantize(...).dequantize()`, in the dtype of x, without the intermediate packed array.

    Values are exact in float32. Values that bfloat16 or float16 cannot represent are rounded a second time.
    Accepts and raises what `quantize` does. `out` may be `x`; if it overlaps `x` in any other way, `x` is copied first.
    """
    fmt, rule, away = get_format(fmt), scale_rule(scale), get_rounding(rounding) is ties_away
    rows, axis = _rows(x, axis, "fake_quantize")
    shape = tuple(x.shape)
    if out is None:
        out = _empty(x, shape, dtype_name(x))
    into = np.moveaxis(target(out, x, shape, dtype_name(x), "fake_quantize"), axis, -1)
    if not _same_place(rows, into):
        rows = _apart(rows, into)
    _over_blocks(partial(quantizer.fake_quantize, fmt, rule, away), fmt, rows, into)
    return out


def _rows(x: Any, axis: int, caller: str) -> tuple[np.ndarray, int]:
    """Return a NumPy view of x with `axis` moved last, and the number of that axis counted from the front."""
    if (is_torch(x) or isinstance(x, np.ndarray)) and dtype_name(x) not in DTYPES:
        raise TypeError(f"{caller}: x has dtype={dtype_name(x)}, not one of {', '.join(DTYPES)}; cast it first")
    view = readable(x, f"{caller}: x")
    axis = axis_from_front(axis, view.shape, caller)
    if 0 in view.shape:
        raise ValueError(f"{caller}: x is empty, shape={view.shape}")
    return np.moveaxis(view, axis, -1), axis


def _apart(read: np.ndarray, *written: np.ndarray) -> np.ndarray:
    """Return `read`, or a copy if it may share memory with an array in `written`."""
    return read.copy() if any(np.may_share_memory(read, place) for place in written) else read


def _same_place(a: np.ndarray, b: np.ndarray) -> bool:
    return a.strides == b.strides and quantizer.address(a) == quantizer.address(b)


def _over_blocks(
    kernel: Callable[..., None],
    fmt: MXFormat,
    *values: np.ndarray,
    packed: tuple[np.ndarray, ...] = (),
    unpacks: bool = False,
) -> None:
    """Run kernel(*values, *packed) on flat arrays in whole blocks, in place if possible, else in buffered tiles.

    values: arrays with blocks along the last axis; if there are two, the second is the output.
    packed: codes and scales, which are computed from the values or, if `unpacks`, dequantised into them.
    """
    in_place = [_in_whole_blocks(rows, fmt) for rows in values] + [array.flags.c_contiguous for array in packed]
    if all(in_place):
        kernel(*[array.reshape(-1) for array in (*values, *packed)])
        return
    arrays = _matrices(*[(rows, 1) for rows in values], *zip(packed, (2, 1), strict=False))
    for index, blocks, columns in _tiles(arrays[0].shape, fmt.block):
        tiles = [rows[index][:, columns] for rows in arrays[: len(values)]]
        packed_tiles = [array[index][:, blocks] for array in arrays[len(values) :]]
        _by_buffer(kernel, fmt, tiles, packed_tiles, unpacks)


def _by_buffer(
    kernel: Callable[..., None], fmt: MXFormat, tiles: list[np.ndarray], packed: list[np.ndarray], unpacks: bool
) -> None:
    """Run the kernel on one tile, (rows, columns), through a float32 buffer whose rows are padded with zeros."""
    rows, length = tiles[0].shape
    shape = rows, -(-length // fmt.block) * fmt.block
    values = np.empty(shape, dtype=np.float32) if unpacks else np.zeros(shape, dtype=np.float32)
    if not unpacks:
        values[:, :length] = tiles[0]
    contiguous = [np.ascontiguousarray(array) for array in packed]
    kernel(*[values.reshape(-1)] * len(tiles), *[array.reshape(-1) for array in contiguous])
    if unpacks:
        tiles[0][...] = values[:, :length]
    elif packed:
        packed[0][...], packed[1][...] = contiguous
    else:
        with np.errstate(over="ignore"):
            tiles[1][...] = values[:, :length]


def _in_whole_blocks(rows: np.ndarray, fmt: MXFormat) -> bool:
    """Return whether the kernels can process the rows in place."""
    plain = rows.flags.c_contiguous and rows.flags.aligned
    return rows.dtype == np.float32 and plain and rows.shape[-1] % fmt.block == 0


def _matrices(*views: tuple[np.ndarray, int]) -> list[np.ndarray]:
    """Merge the leading axes of each array into one, unless an array would have to be copied for that.

    views: pairs of an array and its number of trailing axes. An array without leading axes gets one of length 1.
    """
    shaped = [(view[None] if view.ndim == trailing else view, trailing) for view, trailing in views]
    try:
        return [np.reshape(view, (-1, *view.shape[view.ndim - trailing :]), copy=False) for view, trailing in shaped]
    except ValueError:
        return [view for view, _ in shaped]


def _tiles(shape: tuple[int, ...], block: int) -> Iterator[tuple[tuple[int | slice, ...], slice, slice]]:
    """Yield, for each tile, the index of leading axes (a slice for the last) and the slices of blocks and columns."""
    *outer, rows, length = shape
    blocks = -(-length // block)
    some_rows, some_blocks = max(1, TILE_ELEMENTS // (blocks * block)), max(1, TILE_ELEMENTS // block)
    for index in np.ndindex(*outer):
        for row in range(0, rows, some_rows):
            for first in range(0, blocks, some_blocks):
                last = min(first + some_blocks, blocks)
                yield (*index, slice(row, row + some_rows)), slice(first, last), slice(first * block, last * block)


def _scales_shape(shape: tuple[int, ...], axis: int, fmt: MXFormat) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :], -(-shape[axis] // fmt.block))


def _empty_mxarray(like: Any, fmt: MXFormat, shape: tuple[int, ...], axis: int) -> MXArray:
    leading = _scales_shape(shape, axis, fmt)
    codes, scales = _empty(like, (*leading, fmt.block_bytes), "uint8"), _empty(like, leading, "uint8")
    return MXArray(codes, scales, fmt, shape, axis)


def _empty(like: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """Return a new, uninitialised array of the same kind (NumPy or torch) as `like`."""
    if is_torch(like):
        import torch

        return torch.empty(shape, dtype=getattr(torch, dtype), device="cpu")
    return np.empty(shape, dtype=like.dtype if dtype_name(like) == dtype else dtype)
