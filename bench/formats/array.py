"""The public functions: arrays or tensors of any shape in, the same kind out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bench.formats import blocks
from bench.formats.description import MXFormat, get_format
from bench.formats.scale import ScaleRule, get_scale_rule

if TYPE_CHECKING:
    import torch

ArrayT = TypeVar("ArrayT", np.ndarray, "torch.Tensor")
DTYPES = ("float32", "bfloat16", "float16")
CHUNK_BLOCKS = 1 << 12  # what one pass works on: large enough to hide the calls, small enough for the cache


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
        return _numpy(self.codes).nbytes + _numpy(self.scales).nbytes

    def dequantize(self, out: Any = None) -> Any:
        """float32 of `shape`: every element times its block's scale. NaN where the scale is NaN."""
        packed = _numpy(self.codes).reshape(-1, self.fmt.block_bytes)
        scales = _numpy(self.scales).reshape(-1)
        values = np.empty((len(scales), self.fmt.block), dtype=np.float32)
        for chunk in _chunks(len(scales)):
            blocks.decode(blocks.unpack(packed[chunk], self.fmt), scales[chunk], self.fmt, values[chunk])
        return _deliver(values, self.shape, self.axis, self.codes, out, "dequantize")


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
    Raises ValueError on an unknown format, rule, rounding or axis, an empty array, or an `out` that does not fit;
    TypeError on another dtype.
    """
    fmt, rule, round_ = get_format(fmt), get_scale_rule(scale), blocks.get_rounding(rounding)
    source, axis = _to_blocks(x, axis, fmt, "quantize")
    shape = tuple(x.shape)
    if out is None:
        out = _empty_mxarray(x, fmt, shape, axis)
    elif (out.fmt, out.shape, out.axis, _is_torch(out.codes)) != (fmt, shape, axis, _is_torch(x)):
        raise ValueError(
            f"quantize: out is {out.fmt.name} of shape={out.shape}, axis={out.axis}; "
            f"x needs {fmt.name} of shape={shape}, axis={axis} and its own kind"
        )
    out_codes, out_scales = _numpy(out.codes).reshape(-1, fmt.block_bytes), _numpy(out.scales).reshape(-1)
    for chunk in _chunks(len(source)):
        codes, out_scales[chunk] = blocks.encode(source[chunk], fmt, rule, round_)
        out_codes[chunk] = blocks.pack(codes, fmt)
    for given, filled in ((out.codes, out_codes), (out.scales, out_scales)):
        if not np.may_share_memory(_numpy(given), filled):  # reshape had to copy an `out` that is not contiguous
            np.copyto(_numpy(given), filled.reshape(given.shape))
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
    fmt, rule, round_ = get_format(fmt), get_scale_rule(scale), blocks.get_rounding(rounding)
    source, axis = _to_blocks(x, axis, fmt, "fake_quantize")
    values = np.empty(source.shape, dtype=np.float32)
    for chunk in _chunks(len(source)):
        codes, scales = blocks.encode(source[chunk], fmt, rule, round_)
        blocks.decode(codes, scales, fmt, values[chunk])
    return _deliver(values, tuple(x.shape), axis, x, out, "fake_quantize", dtype=_dtype(x))


def _to_blocks(x: Any, axis: int, fmt: MXFormat, caller: str) -> tuple[np.ndarray, int]:
    """x as (blocks, block) float32, a view where it can be; and its axis, counted from the front."""
    if not (_is_torch(x) or isinstance(x, np.ndarray)):
        raise TypeError(f"{caller}: x is a {type(x).__name__}, not a NumPy array or a torch tensor")
    if _dtype(x) not in DTYPES:
        raise TypeError(f"{caller}: x has dtype={_dtype(x)}, not one of {', '.join(DTYPES)}; cast it first")
    shape = tuple(x.shape)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{caller}: axis={axis} does not exist in an array of shape={shape}")
    if 0 in shape:
        raise ValueError(f"{caller}: x is empty, shape={shape}")
    if _is_torch(x) and x.device.type != "cpu":
        raise ValueError(f"{caller}: x is on {x.device}; move it to the CPU first")
    floats = _numpy(x.float()) if _is_torch(x) else np.asarray(x, dtype=np.float32)
    rows = np.moveaxis(floats, axis, -1).reshape(-1, shape[axis])
    padding = -shape[axis] % fmt.block
    if padding:
        rows = np.pad(rows, ((0, 0), (0, padding)))
    return np.ascontiguousarray(rows).reshape(-1, fmt.block), axis % x.ndim


def _deliver(
    values: np.ndarray, shape: tuple[int, ...], axis: int, like: Any, out: Any, caller: str, dtype: str = "float32"
) -> Any:
    """(blocks, block) back to `shape`, as `dtype` and of the kind of `like`, into `out` if there is one."""
    others = shape[:axis] + shape[axis + 1 :]
    rows = values.reshape(*others, -1)[..., : shape[axis]]
    result = np.moveaxis(rows, -1, axis)
    if out is None:
        out = _empty(like, shape, dtype)
    elif _is_torch(out) != _is_torch(like) or tuple(out.shape) != shape or _dtype(out) != dtype:
        raise ValueError(
            f"{caller}: out is a {type(out).__name__} of shape={tuple(out.shape)}, dtype={_dtype(out)}; "
            f"needs the input's kind, shape={shape}, dtype={dtype}"
        )
    if _is_torch(out):
        import torch

        with torch.no_grad():
            out.copy_(torch.from_numpy(result))
    else:
        np.copyto(out, result, casting="unsafe")
    return out


def _scales_shape(shape: tuple[int, ...], axis: int, fmt: MXFormat) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :], -(-shape[axis] // fmt.block))


def _empty_mxarray(like: Any, fmt: MXFormat, shape: tuple[int, ...], axis: int) -> MXArray:
    leading = _scales_shape(shape, axis, fmt)
    codes, scales = _empty(like, (*leading, fmt.block_bytes), "uint8"), _empty(like, leading, "uint8")
    return MXArray(codes, scales, fmt, shape, axis)


def _chunks(count: int) -> Iterator[slice]:
    return (slice(first, first + CHUNK_BLOCKS) for first in range(0, count, CHUNK_BLOCKS))


def _is_torch(x: Any) -> bool:
    return type(x).__module__.partition(".")[0] == "torch"


def _dtype(x: Any) -> str:
    return str(x.dtype).removeprefix("torch.")


def _numpy(x: Any) -> np.ndarray:
    return x.detach().numpy() if _is_torch(x) else x


def _empty(like: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """A new array of the kind of `like`."""
    if _is_torch(like):
        import torch

        return torch.empty(shape, dtype=getattr(torch, dtype))
    return np.empty(shape, dtype=like.dtype if _dtype(like) == dtype else dtype)
