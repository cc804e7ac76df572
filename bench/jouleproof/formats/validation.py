"""What the public functions accept: arrays and tensors seen as plain NumPy, or one line that says what is wrong."""

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
    """Of an array or a tensor that `readable` accepts."""
    if not is_torch(x):
        return x.view(np.ndarray)
    if dtype_name(x) == "bfloat16":
        import torch

        return x.detach().view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return x.detach().numpy()


def readable(x: Any, name: str) -> np.ndarray:
    """A plain NumPy view of x, which `name` calls by the function and the argument.

    Raises TypeError where x is no array or tensor, or one whose numbers do not lie in memory as it shows them;
    ValueError where it is on another device, or where autograd would lose its gradient.
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
        raise TypeError(f"{name} is a tensor that is not plain numbers in memory ({reason})") from error


def writable(out: Any, name: str) -> np.ndarray:
    """What `readable` gives, after telling autograd that it changes. Raises ValueError, too, where it is read-only or
    elements of it share memory."""
    return _to_write(out, readable(out, name), name)


def target(out: Any, like: Any, shape: tuple[int, ...], dtype: str, caller: str) -> np.ndarray:
    """A writable view of `out`. Raises ValueError, too, where it is not of the kind of `like`, this shape and dtype."""
    view = readable(out, f"{caller}: out")
    if is_torch(out) != is_torch(like) or tuple(out.shape) != shape or dtype_name(out) != dtype:
        raise ValueError(
            f"{caller}: out is a {type(out).__name__} of shape={tuple(out.shape)}, dtype={dtype_name(out)}; "
            f"needs the input's kind, shape={shape}, dtype={dtype}"
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
    """Whether elements share memory; also True for some arrays made by as_strided whose elements do not."""
    extent = view.itemsize
    steps = zip(map(abs, view.strides), view.shape, strict=True)
    for stride, length in sorted(steps):
        if length > 1 and stride < extent:
            return True
        extent += stride * (length - 1)
    return False


def axis_from_front(axis: Any, shape: tuple[int, ...], caller: str) -> int:
    """Raises TypeError where `axis` is no whole number, ValueError where the shape has no such axis."""
    try:
        number = operator.index(axis)
    except TypeError:
        number = None
    if number is None or isinstance(axis, bool):
        raise TypeError(f"{caller}: axis={axis!r} is not a whole number")
    if not -len(shape) <= number < len(shape):
        raise ValueError(f"{caller}: axis={axis} does not exist in an array of shape={shape}")
    return number % len(shape)


def scale_rule(scale: str | ScaleRule) -> ScaleRule:
    """A built-in rule as it is; a user's own, with a look at what it returns. Raises ValueError on an unknown name."""
    rule = get_scale_rule(scale)
    return rule if any(rule is known for known in SCALE_RULES.values()) else _looked_at(rule)


def _looked_at(rule: ScaleRule) -> ScaleRule:
    def exponents(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
        if not len(amax):
            return np.empty(0, dtype=np.int32)
        found = np.asarray(rule(amax, fmt))
        fits = found.shape == amax.shape and found.dtype.kind in "iuf"
        if not (fits and np.isfinite(found).all() and (found == np.trunc(found)).all()):
            raise ValueError(
                f"scale rule {getattr(rule, '__name__', rule)}: gave {' '.join(repr(found).split()):.80} for amax of "
                f"shape={amax.shape}; needs as many whole numbers"
            )
        return np.clip(found.astype(np.float64), SCALE_MIN, SCALE_MAX).astype(np.int32)

    return exponents
