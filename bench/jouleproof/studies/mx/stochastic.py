"""Stochastic rounding to a block format, and the random rotation that accompanies it."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from jouleproof.formats import MXFormat, get_scale_rule
from jouleproof.formats.description import SCALE_MAX, SCALE_MIN

ROTATED = 32  # elements that a rotation mixes


def round_stochastically(x: Tensor, fmt: MXFormat, generator: torch.Generator) -> Tensor:
    """Round each element, without bias, to one of its two neighbouring format values; the nearer is the more probable.

    x: finite float32, with full blocks along the last axis. Scales follow `rceil`, so nothing saturates. The distance
    of an element from the lower value, in steps, is exact, and is compared with a uniform number of 24 bits: the bias
    is below 2**-24 of a step. Raises ValueError if a block is not full.
    """
    blocks = _in_groups(x, fmt.block, "round_stochastically")
    scale = torch.exp2(_scale_exponents(blocks.abs().amax(dim=-1), fmt))[..., None].float()
    magnitude = blocks.abs() / scale
    _, exponent = torch.frexp(magnitude)
    step = torch.exp2((exponent - 1).clamp(min=fmt.emin).double() - fmt.mantissa_bits).float()
    steps = magnitude / step
    whole = steps.floor()
    up = torch.rand(blocks.shape, generator=generator) < steps - whole
    return torch.copysign((whole + up) * step * scale, blocks).reshape(x.shape)


def rotated(x: Tensor, signs: Tensor) -> Tensor:
    """Return x diag(signs) H / √32 along the last axis, 32 elements at a time. signs: (32,) of ±1.

    The rotation is orthogonal: if both operands of a product are rotated in the same way along the axis of summation,
    the product does not change. Raises ValueError if the length of the axis is not a multiple of 32.
    """
    return ((_in_groups(x, ROTATED, "rotated") * signs) @ _hadamard()).reshape(x.shape)


def random_signs(generator: torch.Generator) -> Tensor:
    return torch.randint(2, (ROTATED,), generator=generator) * 2.0 - 1.0


def _in_groups(x: Tensor, size: int, caller: str) -> Tensor:
    if x.shape[-1] % size:
        raise ValueError(f"{caller}: the last axis must hold a multiple of {size} elements, got {x.shape[-1]}")
    return x.reshape(*x.shape[:-1], -1, size)


def _scale_exponents(amax: Tensor, fmt: MXFormat) -> Tensor:
    """Return the scale exponents, float64, in the shape of amax; a block of zeros gets the smallest exponent."""
    largest = amax.numpy()
    exponent = np.full(largest.shape, float(SCALE_MIN))
    sized = largest > 0
    exponent[sized] = np.clip(get_scale_rule("rceil")(largest[sized], fmt), SCALE_MIN, SCALE_MAX)
    return torch.from_numpy(exponent)


@cache
def _hadamard() -> Tensor:
    """Return (32, 32) float32: Sylvester's matrix over √32, orthogonal and symmetric."""
    matrix = torch.ones(1, 1)
    while len(matrix) < ROTATED:
        matrix = torch.cat([torch.cat([matrix, matrix], 1), torch.cat([matrix, -matrix], 1)])
    return matrix / ROTATED**0.5
