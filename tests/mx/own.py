"""What a user may name in a config: a format and a scale rule of one's own, and things that are neither."""

import numpy as np

from bench.formats import MXFormat

FORMAT = MXFormat("e3m4", exponent_bits=3, mantissa_bits=4, bias=3, specials="none", block=16)
ANOTHER = MXFormat("mxfp4", 2, 1, bias=1, block=16)
NO_FORMAT = "mxfp4"
NO_RULE = 3


def unit_scale(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """A scale rule: exponents of the blocks' scales from their largest magnitudes, here 0 for all."""
    return np.zeros(amax.shape, dtype=np.int32)
