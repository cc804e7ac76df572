"""The two parts of a cast: clipping the elements that exceed the largest value of their block, and rounding the others.

The error of an element is the sum of the errors of the two parts, one of which is zero.
"""

from collections.abc import Callable, Mapping

import numpy as np

from jouleproof.formats import MXFormat, ScaleRule, quantize
from jouleproof.formats.blocks import SCALE_VALUES
from jouleproof.formats.scale import floor

PartialCast = Callable[[np.ndarray, MXFormat, ScaleRule], np.ndarray]


def largest_values(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> np.ndarray:
    """Return (…, n) float32: the largest magnitude that each element's block can represent under its scale.

    x: (…, n) float32, blocks along the last axis. The result is NaN if the block holds NaN or Inf, and
    Inf if it exceeds the range of float32.
    """
    with np.errstate(over="ignore"):
        largest = SCALE_VALUES[quantize(x, fmt, scale=rule).scales] * np.float32(fmt.max_normal)
    return np.repeat(largest, fmt.block, axis=-1)[..., : x.shape[-1]]


def saturated(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> np.ndarray:
    """Return (…, n) bool: whether each element exceeds the largest value of its block."""
    return np.abs(x) > largest_values(x, fmt, rule)


def clip_only(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> np.ndarray:
    """Clip elements to the largest value of their block, without rounding. x: (…, n) float32, finite."""
    largest = largest_values(x, fmt, rule)
    return np.clip(x, -largest, largest)


def round_only(x: np.ndarray, fmt: MXFormat, rule: ScaleRule) -> np.ndarray:
    """Round elements as the cast does, but keep those that it would clip. x: (…, n) float32, finite."""
    cast = quantize(x, fmt, scale=rule).dequantize()
    return np.where(saturated(x, fmt, rule), x, cast)


PARTS: Mapping[str, tuple[PartialCast, ScaleRule]] = {
    "floor_clip_only": (clip_only, floor),
    "floor_round_only": (round_only, floor),
}
