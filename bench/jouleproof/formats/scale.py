"""Rules that choose the exponent of a block's shared scale from the block's largest magnitude.

A rule is a function (amax, fmt) -> exponent, where amax is (blocks,) float32, finite and > 0, and exponent is (blocks,)
int; the quantiser clamps it to [-127, 127]. All four built-in rules use the exact exponent and mantissa (frexp), not
a rounded logarithm, which is off by one just below a power of two.
"""

from collections.abc import Callable, Mapping

import numpy as np

from jouleproof.formats.description import MXFormat

ScaleRule = Callable[[np.ndarray, MXFormat], np.ndarray]


def floor(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Return floor(log2(amax)) - emax, the rule of OCP MX v1.0, section 6.3. The largest element may saturate."""
    _, exponent = np.frexp(amax)
    return exponent - 1 - fmt.emax


def ceil(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Return ceil(log2(amax)) - emax: no element saturates, but up to one bit of the range stays unused."""
    fraction, exponent = np.frexp(amax)
    return exponent - (fraction == 0.5) - fmt.emax


def even(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Return floor(log2(amax rounded to the element's mantissa bits)) - emax.

    The exponent is one larger than under `floor` where amax rounds up to a power of two (ties included).
    """
    fraction, exponent = np.frexp(amax)
    return exponent - 1 + (fraction >= 1 - 2.0 ** -(fmt.mantissa_bits + 2)) - fmt.emax


def rceil(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Return ceil(log2(amax / max_normal)), the smallest scale without saturation (NVIDIA's rule for MXFP8)."""
    fraction, exponent = np.frexp(amax)
    max_fraction, max_exponent = np.frexp(np.float32(fmt.max_normal))
    return exponent - max_exponent + (fraction > max_fraction)


SCALE_RULES: Mapping[str, ScaleRule] = {"floor": floor, "ceil": ceil, "even": even, "rceil": rceil}


def get_scale_rule(rule: str | ScaleRule) -> ScaleRule:
    """Return a built-in rule by name, or a function unchanged. Raises ValueError on an unknown name."""
    if callable(rule):
        return rule
    try:
        return SCALE_RULES[rule]
    except (KeyError, TypeError):
        raise ValueError(f"scale rule {rule!r} is not known; built in: {', '.join(SCALE_RULES)}") from None
