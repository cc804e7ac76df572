"""Generated vectors, and the signal to quantisation-noise ratio (QSNR) of casts of an array."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

from jouleproof.progress import steps
from jouleproof.studies.mx.config import QsnrConfig

Cast = Callable[[np.ndarray], np.ndarray]
CastNames = tuple[str, str]  # names of a format and a scale rule


def draws(title: str, config: QsnrConfig) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Yield the factors and the vectors of every distribution and seed of a config, and report progress after each."""
    pairs = list(product(config.distributions, config.seeds))
    step = steps(title, len(pairs))
    for distribution, seed in pairs:
        yield {"distribution": distribution, "seed": seed}, vectors(distribution, config, seed)
        step(f"{distribution}, seed {seed}")


def vectors(distribution: str, config: QsnrConfig, seed: int) -> np.ndarray:
    """Return (vectors, length) float32; the spread of each vector is |N(0, 1)|, as in arXiv 2302.08007, section 3."""
    rng = np.random.default_rng(seed)
    shape = (config.vectors, config.length)
    spread = np.abs(rng.standard_normal((config.vectors, 1)))
    unit = {
        "gaussian": lambda: rng.standard_normal(shape),
        "laplace": lambda: rng.laplace(size=shape),
        "student_t": lambda: rng.standard_t(config.degrees_of_freedom, size=shape),
    }[distribution]()
    return (spread * unit).astype(np.float32)


def qsnr_rows(x: np.ndarray, casts: Mapping[CastNames, Cast]) -> Iterator[dict[str, Any]]:
    """Yield a row with the QSNR (dB) of every cast of x, a float32 array of any shape."""
    signal = sum_of_squares(x)
    for (fmt, rule), cast in casts.items():
        yield {"format": fmt, "scale": rule, "value": qsnr_db(x, cast(x), signal)}


def qsnr_db(x: np.ndarray, cast: np.ndarray, signal: float | None = None) -> float:
    """Return -10 log10(|cast - x|^2 / |x|^2), the QSNR of arXiv 2302.08007, section 3.

    x, cast: float32 of one shape. signal: |x|^2, if it is already known. Raises ValueError if the cast changes nothing
    or x is all zero.
    """
    signal = sum_of_squares(x) if signal is None else signal
    error = np.subtract(cast, x, dtype=np.float64)
    noise = float(np.square(error, out=error).sum())
    if signal == 0 or noise == 0:
        raise ValueError(f"QSNR: signal and noise must be nonzero, got signal={signal}, noise={noise}")
    return float(-10 * np.log10(noise / signal))


def sum_of_squares(x: np.ndarray) -> float:
    """Return the sum of squares of a float32 array of any shape, in float64."""
    return float(np.square(x, dtype=np.float64).sum())
