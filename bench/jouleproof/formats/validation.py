"""Validation of arguments: arrays and tensors become plain NumPy views, or a one-line error says what is wrong."""

import operator
import sys
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np

from jouleproof.formats.description import SCALE_MAX, SCALE_MIN, MXFormat
from jouleproof.formats.scale import SCALE_RULES, ScaleRule, get_scale_rule


def is_torch(x: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def dtype_name(x: Any) -> str:
    return _name(x.dtype)


@cache
def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def numpy_view(x: Any) -> np.ndarray:
    """Return a NumPy view of an array or a tensor that `readable` accepts."""
    if not is_torch(x):
        return x.view(np.ndarray)
    if dtype_name(x) == "bfloat16":
        import torch

        return x.detach().view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return x.detach().numpy()


def readable(x: Any, name: str) -> np.ndarray:
    """Return a plain NumPy view of x. name: the function and the argument, for messages.

    Raises TypeError if x is not an array or tensor, or if its numbers are not stored in memory as plain values;
    ValueError if it is on another device, or if autograd would lose its gradient.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask would be lost; pass x.filled(...) or x.data")
    if isinstance(x, np.ndarray):
        return numpy_view(x)
    if not is_torch(x):
        raise TypeError(f"{name} is a {type(x).__name__}, not a NumPy array or a torch tensor")
    import torch

    if x.device.type != "cpu":
        raise ValueError(f"{name} is on {x.device}; move it to the CPU first")
    if x.requires_grad and torch.is_grad_enabled():
        raise ValueError(f"{name} requires grad, which would be lost; detach it first, or call under no_grad")
    try:
        return numpy_view(x)
    except (RuntimeError, TypeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise TypeError(f"{name} is a tensor that does not store plain numbers in memory ({reason})") from error


def writable(out: Any, name: str) -> np.ndarray:
    """Return a writable view, and tell autograd that the tensor changes. Raises what `readable` does, and ValueError
    if `out` is read-only or if its elements share memory."""
    return _to_write(out, readable(out, name), name)


def target(out: Any, like: Any, shape: tuple[int, ...], dtype: str, caller: str) -> np.ndarray:
    """Return a writable view of `out`.

    Raises what `writable` does, and ValueError if the kind differs from that of `like`, or the shape or dtype is wrong.
    """
    view = readable(out, f"{caller}: out")
    if is_torch(out) != is_torch(like) or tuple(out.shape) != shape or dtype_name(out) != dtype:
        raise ValueError(
            f"{caller}: out must be of the input's kind, shape={shape}, dtype={dtype}; "
            f"got a {type(out).__name__} of shape={tuple(out.shape)}, dtype={dtype_name(out)}"
        )
    return _to_write(out, view, f"{caller}: out")


def _to_write(out: Any, view: np.ndarray, name: str) -> np.ndarray:
    if not view.flags.writeable:
        raise ValueError(f"{name} is read-only")
    if _overlaps_itself(view):
        raise ValueError(f"{name} has elements that share memory (strides={view.strides}); pass a copy")
    if is_torch(out):
        import torch

        torch.autograd.graph.increment_version(out)
    return view


def _overlaps_itself(view: np.ndarray) -> bool:
    """Return whether elements share memory; True also for some as_strided arrays whose elements do not."""
    extent = view.itemsize
    steps = zip(map(abs, view.strides), view.shape, strict=True)
    for stride, length in sorted(steps):
        if length > 1 and stride < extent:
            return True
        extent += stride * (length - 1)
    return False


def axis_from_front(axis: Any, shape: tuple[int, ...], caller: str) -> int:
    """Return the axis counted from the front. Raises TypeError if `axis` is not an integer, ValueError if the shape has
    no such axis."""
    try:
        number = operator.index(axis)
    except TypeError:
        number = None
    if number is None or isinstance(axis, bool):
        raise TypeError(f"{caller}: axis must be an integer, got {axis!r}")
    if not -len(shape) <= number < len(shape):
        raise ValueError(f"{caller}: an array of shape={shape} has no axis={axis}")
    return number % len(shape)


def scale_rule(scale: str | ScaleRule) -> ScaleRule:
    """Return a built-in rule as it is, or a custom rule wrapped in a check of its results. Raises ValueError on an
    unknown name."""
    rule = get_scale_rule(scale)
    return rule if any(rule is built_in for built_in in SCALE_RULES.values()) else _validated(rule)


def _validated(rule: ScaleRule) -> ScaleRule:
    def exponents(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
        if not len(amax):
            return np.empty(0, dtype=np.int32)
        chosen = np.asarray(rule(amax, fmt))
        fits = chosen.shape == amax.shape and chosen.dtype.kind in "iuf"
        if not (fits and np.isfinite(chosen).all() and (chosen == np.trunc(chosen)).all()):
            raise ValueError(
                f"scale rule {getattr(rule, '__name__', rule)} must return one integer per block; "
                f"got {' '.join(repr(chosen).split()):.80} for amax of shape={amax.shape}"
            )
        return np.clip(chosen.astype(np.float64), SCALE_MIN, SCALE_MAX).astype(np.int32)

    return exponents
