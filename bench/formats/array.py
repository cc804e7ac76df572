"""The public functions: arrays or tensors of any shape in, the same kind out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import ml_dtypes
import numpy as np

from bench.formats import kernels
from bench.formats.blocks import get_rounding, ties_away
from bench.formats.description import MXFormat, get_format
from bench.formats.scale import ScaleRule, get_scale_rule

if TYPE_CHECKING:
    import torch

ArrayT = TypeVar("ArrayT", np.ndarray, "torch.Tensor")
DTYPES = ("float32", "bfloat16", "float16")
TILE_ELEMENTS = 1 << 17  # of a buffer, where an array cannot be worked on where it lies


@dataclass(frozen=True, eq=False)
class MXArray:
    """A quantised array: packed element codes and one scale per block along `axis`.

    codes: (*other axes, blocks, block_bytes) uint8, and scales: (*other axes, blocks) uint8 (E8M0), both of the kind
    (NumPy or torch) that was quantised; `axis` is moved last and its end is padded with zeros to whole blocks.
    shape, axis: of the array that was quantised, axis counted from the front.
    """

    codes: Any
    scales: Any
    fmt: MXFormat
    shape: tuple[int, ...]
    axis: int

    def __post_init__(self) -> None:
        scales_shape = _scales_shape(self.shape, self.axis, self.fmt)
        codes_shape = (*scales_shape, self.fmt.block_bytes)
        for name, array, shape in (("codes", self.codes, codes_shape), ("scales", self.scales, scales_shape)):
            if tuple(array.shape) != shape or _dtype(array) != "uint8":
                raise ValueError(
                    f"MXArray: {name} has shape={tuple(array.shape)}, dtype={_dtype(array)}; "
                    f"{self.fmt.name} of shape={self.shape}, axis={self.axis} needs shape={shape}, dtype=uint8"
                )

    @property
    def nbytes(self) -> int:
        """Bytes of codes and scales, padding included."""
        return numpy_view(self.codes).nbytes + numpy_view(self.scales).nbytes

    def dequantize(self, out: Any = None) -> Any:
        """float32 of `shape`: every element times its block's scale. NaN where the scale is NaN."""
        if out is None:
            out = _empty(self.codes, self.shape, "float32")
        _check_out(out, self.codes, self.shape, "float32", "dequantize")
        rows = np.moveaxis(numpy_view(out), self.axis, -1)
        codes, scales = numpy_view(self.codes), numpy_view(self.scales)
        if _lie_flat(codes, scales) and _in_whole_blocks(rows, self.fmt):
            kernels.dequantize(codes.reshape(-1), scales.reshape(-1), self.fmt, rows.reshape(-1))
            return out
        rows, codes, scales = _matrices((rows, 1), (codes, 2), (scales, 1))
        for index, blocks, columns in _tiles(rows.shape, self.fmt.block):
            some_codes, some_scales = (np.ascontiguousarray(part[index][:, blocks]) for part in (codes, scales))
            values = np.empty((len(some_scales), some_scales.shape[1] * self.fmt.block), dtype=np.float32)
            kernels.dequantize(some_codes.reshape(-1), some_scales.reshape(-1), self.fmt, values.reshape(-1))
            into = rows[index][:, columns]
            into[...] = values[:, : into.shape[1]]
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
    """Cast to a block format (OCP MX v1.0, section 6.3), blocks running along `axis`.

    x: float32, bfloat16 or float16, of any shape that is not empty; a NumPy array, or a torch tensor on the CPU.
    scale: "floor" (the specification's), "ceil", "even", "rceil", or a rule of your own (bench.formats.scale).
    rounding: "even" (nearest, ties to even) or "away" (nearest, ties away from zero).
    A block that holds NaN or Inf reads back as all NaN. Larger elements clamp to the largest normal. Floats keep the
    sign of zero; integers have no -0 and never use their most negative code. A last block that is not full is padded
    with zeros, which do not change its scale. Near the largest float32 a rule that rounds the scale up (all but floor)
    can round an element to 2**128, which reads back as Inf.
    Raises ValueError on an unknown format, rule, rounding or axis, an empty array, a tensor that autograd watches, or
    an `out` that does not fit; TypeError on another dtype.
    Contiguous float32 in whole blocks is read where it lies; anything else goes through a buffer of half a megabyte.
    """
    fmt, rule, away = get_format(fmt), get_scale_rule(scale), get_rounding(rounding) is ties_away
    rows, axis = _rows(x, axis, "quantize")
    shape = tuple(x.shape)
    if out is None:
        out = _empty_mxarray(x, fmt, shape, axis)
    elif (out.fmt, out.shape, out.axis, _is_torch(out.codes)) != (fmt, shape, axis, _is_torch(x)):
        raise ValueError(
            f"quantize: out is {out.fmt.name} of shape={out.shape}, axis={out.axis}; "
            f"x needs {fmt.name} of shape={shape}, axis={axis} and its own kind"
        )
    codes, scales = numpy_view(out.codes), numpy_view(out.scales)
    _check_writable("quantize", codes, scales)
    if _lie_flat(codes, scales) and _in_whole_blocks(rows, fmt):
        kernels.quantize(rows.reshape(-1), fmt, rule, away, codes.reshape(-1), scales.reshape(-1))
        return out
    rows, codes, scales = _matrices((rows, 1), (codes, 2), (scales, 1))
    for index, blocks, columns in _tiles(rows.shape, fmt.block):
        values = _padded(rows[index][:, columns], fmt)
        into_codes, into_scales = codes[index][:, blocks], scales[index][:, blocks]
        packed, sizes = np.empty(into_codes.shape, dtype=np.uint8), np.empty(into_scales.shape, dtype=np.uint8)
        kernels.quantize(values.reshape(-1), fmt, rule, away, packed.reshape(-1), sizes.reshape(-1))
        into_codes[...], into_scales[...] = packed, sizes
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
    """What `quantize(...).dequantize()` gives, without the packed array between, in x's own dtype.

    Values are exact in float32; bfloat16 and float16 round them once more where they cannot hold them.
    Takes and raises what `quantize` does. `out` may be `x`.
    """
    fmt, rule, away = get_format(fmt), get_scale_rule(scale), get_rounding(rounding) is ties_away
    rows, axis = _rows(x, axis, "fake_quantize")
    shape = tuple(x.shape)
    if out is None:
        out = _empty(x, shape, _dtype(x))
    _check_out(out, x, shape, _dtype(x), "fake_quantize")
    target = np.moveaxis(numpy_view(out), axis, -1)
    if np.may_share_memory(rows, target) and not _same_place(rows, target):
        rows = rows.copy()
    if _in_whole_blocks(rows, fmt) and _in_whole_blocks(target, fmt):
        kernels.fake_quantize(rows.reshape(-1), fmt, rule, away, target.reshape(-1))
        return out
    rows, target = _matrices((rows, 1), (target, 1))
    for index, _, columns in _tiles(rows.shape, fmt.block):
        values = _padded(rows[index][:, columns], fmt)
        kernels.fake_quantize(values.reshape(-1), fmt, rule, away, values.reshape(-1))
        into = target[index][:, columns]
        with np.errstate(over="ignore"):
            np.copyto(into, values[:, : into.shape[1]], casting="unsafe")
    return out


def _rows(x: Any, axis: int, caller: str) -> tuple[np.ndarray, int]:
    """A view of x with `axis` moved last, and that axis counted from the front."""
    if not (_is_torch(x) or isinstance(x, np.ndarray)):
        raise TypeError(f"{caller}: x is a {type(x).__name__}, not a NumPy array or a torch tensor")
    if _dtype(x) not in DTYPES:
        raise TypeError(f"{caller}: x has dtype={_dtype(x)}, not one of {', '.join(DTYPES)}; cast it first")
    shape = tuple(x.shape)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{caller}: axis={axis} does not exist in an array of shape={shape}")
    if 0 in shape:
        raise ValueError(f"{caller}: x is empty, shape={shape}")
    if _is_torch(x):
        _check_tensor(x, caller)
    return np.moveaxis(numpy_view(x), axis, -1), axis % x.ndim


def _check_tensor(x: torch.Tensor, caller: str) -> None:
    import torch

    if x.device.type != "cpu":
        raise ValueError(f"{caller}: x is on {x.device}; move it to the CPU first")
    if x.requires_grad and torch.is_grad_enabled():
        raise ValueError(f"{caller}: x requires grad, and a cast has none; pass x.detach(), or call under no_grad")


def _check_out(out: Any, like: Any, shape: tuple[int, ...], dtype: str, caller: str) -> None:
    """Raises ValueError where `out` is not of the kind of `like`, of this shape and dtype, and writable."""
    if _is_torch(out) != _is_torch(like) or tuple(out.shape) != shape or _dtype(out) != dtype:
        raise ValueError(
            f"{caller}: out is a {type(out).__name__} of shape={tuple(out.shape)}, dtype={_dtype(out)}; "
            f"needs the input's kind, shape={shape}, dtype={dtype}"
        )
    _check_writable(caller, numpy_view(out))


def _check_writable(caller: str, *arrays: np.ndarray) -> None:
    if not all(array.flags.writeable for array in arrays):
        raise ValueError(f"{caller}: out is read-only")


def _in_whole_blocks(rows: np.ndarray, fmt: MXFormat) -> bool:
    """Whether the kernels can work on rows where they lie."""
    return rows.dtype == np.float32 and rows.flags.c_contiguous and rows.shape[-1] % fmt.block == 0


def _lie_flat(*arrays: np.ndarray) -> bool:
    return all(array.flags.c_contiguous for array in arrays)


def _same_place(a: np.ndarray, b: np.ndarray) -> bool:
    return a.strides == b.strides and kernels.address(a) == kernels.address(b)


def _matrices(*views: tuple[np.ndarray, int]) -> list[np.ndarray]:
    """Views with their leading axes, all but the given number, made one where that needs no copy; at least one."""
    shaped = [(view[None] if view.ndim == trailing else view, trailing) for view, trailing in views]
    try:
        return [np.reshape(view, (-1, *view.shape[view.ndim - trailing :]), copy=False) for view, trailing in shaped]
    except ValueError:
        return [view for view, _ in shaped]


def _tiles(shape: tuple[int, ...], block: int) -> Iterator[tuple[tuple[int | slice, ...], slice, slice]]:
    """Index of the leading axes, the last of them as a slice; blocks along the rows; and these blocks' columns."""
    *outer, rows, length = shape
    blocks = -(-length // block)
    some_rows, some_blocks = max(1, TILE_ELEMENTS // (blocks * block)), max(1, TILE_ELEMENTS // block)
    for index in np.ndindex(*outer):
        for row in range(0, rows, some_rows):
            for first in range(0, blocks, some_blocks):
                last = min(first + some_blocks, blocks)
                yield (*index, slice(row, row + some_rows)), slice(first, last), slice(first * block, last * block)


def _padded(part: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """A float32 copy of a matrix, its rows filled up with zeros to whole blocks."""
    rows, length = part.shape
    values = np.zeros((rows, -(-length // fmt.block) * fmt.block), dtype=np.float32)
    values[:, :length] = part
    return values


def _scales_shape(shape: tuple[int, ...], axis: int, fmt: MXFormat) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :], -(-shape[axis] // fmt.block))


def _empty_mxarray(like: Any, fmt: MXFormat, shape: tuple[int, ...], axis: int) -> MXArray:
    leading = _scales_shape(shape, axis, fmt)
    codes, scales = _empty(like, (*leading, fmt.block_bytes), "uint8"), _empty(like, leading, "uint8")
    return MXArray(codes, scales, fmt, shape, axis)


def _is_torch(x: Any) -> bool:
    return type(x).__module__.partition(".")[0] == "torch"


def _dtype(x: Any) -> str:
    return str(x.dtype).removeprefix("torch.")


def numpy_view(x: Any) -> np.ndarray:
    """Of an array or a tensor on the CPU."""
    if not _is_torch(x):
        return x
    if _dtype(x) == "bfloat16":
        import torch

        return x.detach().view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return x.detach().numpy()


def _empty(like: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """A new array of the kind of `like`."""
    if _is_torch(like):
        import torch

        return torch.empty(shape, dtype=getattr(torch, dtype))
    return np.empty(shape, dtype=like.dtype if _dtype(like) == dtype else dtype)
