"""Blocks on which quantisers disagree: zeros, subnormals, ties, saturation, NaN and infinities.

Every function in GROUPS returns (blocks, block) float32.
"""

from collections.abc import Callable, Mapping

import numpy as np

from jouleproof.formats import MXFormat

FLOAT32 = np.finfo(np.float32)
Group = Callable[[MXFormat, int, np.random.Generator], np.ndarray]


def _normal(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    return (rng.standard_normal((blocks, fmt.block)) * np.exp2(rng.uniform(-8, 8, (blocks, 1)))).astype(np.float32)


def _with_top(x: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Set the first element to 2**emax, the largest of its block, so that the floor rule chooses a scale of 1."""
    x[:, 0] = 2.0**fmt.emax
    return x.astype(np.float32)


def _signs(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape)


def zeros(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return zeros of both signs, in blocks of zeros and among other numbers."""
    shape = (blocks, fmt.block)
    x = np.where(rng.random(shape) < 0.5, _normal(fmt, blocks, rng), 0.0) * _signs(shape, rng)
    x[: blocks // 2] *= 0.0
    return x.astype(np.float32)


def subnormal_inputs(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return blocks of float32 subnormals and of the smallest normals, whose scale clamps at 2**-127."""
    top = np.exp2(rng.integers(-149, -100, (blocks, 1)).astype(np.float64))
    return (rng.uniform(-1, 1, (blocks, fmt.block)) * top).astype(np.float32)


def subnormal_elements(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return values around and below the element's smallest step."""
    shape = (blocks, fmt.block)
    steps = rng.uniform(0, 2.0 ** (fmt.mantissa_bits + 1), shape)
    return _with_top(steps * fmt.min_step * _signs(shape, rng), fmt)


def ties(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return midpoints of neighbouring element values, and the floats just below and just above each."""
    values = np.unique(fmt.values[np.isfinite(fmt.values) & (fmt.values >= 0)])
    middle = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    near = np.concatenate([middle, np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(np.inf))])
    x = rng.choice(near[near < 2.0 ** (fmt.emax + 1)], (blocks, fmt.block)) * _signs((blocks, fmt.block), rng)
    return _with_top(x, fmt)


def saturation(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return elements from just below the largest normal to the next power of two, where the floor rule clamps."""
    x = rng.uniform(fmt.max_normal * 0.9, 2.0 ** (fmt.emax + 1), (blocks, fmt.block)) * _signs((blocks, fmt.block), rng)
    return x.astype(np.float32)


def one_huge(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return blocks with one element far above the others, which become zero or nearly zero."""
    x = rng.standard_normal((blocks, fmt.block))
    x[:, 0] *= np.exp2(rng.integers(4, 40, blocks))
    return x.astype(np.float32)


def below_power_of_two(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return blocks whose largest element is just below a power of two, where a rounded logarithm is off by one."""
    top = np.exp2(rng.integers(-60, 60, blocks).astype(np.float64)).astype(np.float32)
    x = rng.uniform(-1, 1, (blocks, fmt.block)).astype(np.float32) * top[:, None]
    x[:, 0] = np.nextafter(top, np.float32(0))
    return x


def near_largest_float(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return blocks whose largest element is within a factor of two of the largest float32."""
    x = rng.uniform(-1, 1, (blocks, fmt.block)) * float(FLOAT32.max)
    x[:, 0] = rng.uniform(0.5, 1, blocks) * float(FLOAT32.max)
    return x.astype(np.float32)


def nan(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return blocks with one NaN among numbers."""
    x = _normal(fmt, blocks, rng)
    x[np.arange(blocks), rng.integers(0, fmt.block, blocks)] = np.nan
    return x


def inf(fmt: MXFormat, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return blocks with one infinity, of either sign, among numbers."""
    x = _normal(fmt, blocks, rng)
    x[np.arange(blocks), rng.integers(0, fmt.block, blocks)] = np.inf * _signs((blocks,), rng)
    return x


GROUPS: Mapping[str, Group] = {
    "normal": _normal,
    "zeros": zeros,
    "subnormal inputs": subnormal_inputs,
    "subnormal elements": subnormal_elements,
    "ties and neighbours": ties,
    "saturation band": saturation,
    "one huge element": one_huge,
    "amax below power of two": below_power_of_two,
    "near largest float": near_largest_float,
    "NaN": nan,
    "Inf": inf,
}
