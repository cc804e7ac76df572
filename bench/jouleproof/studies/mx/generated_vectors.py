"""Signal to quantisation-noise ratio."""

import numpy as np


def sum_of_squares(x: np.ndarray) -> float:
    """Of a float32 array of any shape, in float64."""
    return float(np.square(x, dtype=np.float64).sum())


def qsnr_db(x: np.ndarray, cast: np.ndarray, signal: float | None = None) -> float:
    """-10 log10(|cast - x|^2 / |x|^2), the ratio of arXiv 2302.08007, section 3; x and cast float32 of one shape.

    signal: |x|^2 where it is known already. Raises ValueError where nothing was changed or x is all zero.
    """
    signal = sum_of_squares(x) if signal is None else signal
    error = np.subtract(cast, x, dtype=np.float64)
    noise = float(np.square(error, out=error).sum())
    if signal == 0 or noise == 0:
        raise ValueError(f"QSNR needs a signal and a noise, got signal={signal}, noise={noise}")
    return float(-10 * np.log10(noise / signal))
