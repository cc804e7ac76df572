"""A custom number format, and a custom rule for the scales of its blocks."""

import numpy as np

from jouleproof.formats import MXFormat

FORMAT = MXFormat("e3m4", exponent_bits=3, mantissa_bits=4, bias=3, specials="none", block=16)


def unit_scale(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Choose the exponents of the blocks' scales from their largest magnitudes, here 0 for all."""
    return np.zeros(amax.shape, dtype=np.int32)
