"""Casts that are not OCP MX, for comparison: other block formats, and formats with one scale per row or tensor.

jouleproof.formats describes blocks with one power-of-two scale; none of these casts fits that scheme.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from jouleproof.formats import FORMATS, MXFormat, fake_quantize

Shared = tuple[int, int | Literal["row", "tensor"]]
FLOAT32_BITS = 32


@dataclass(frozen=True)
class OtherCast:
    """A cast that is not a block format of OCP MX v1.0.

    run: function from finite float32 (…, n) to float32 of that shape, with blocks along the last axis; the last block
        may be partial.
    element_bits: bits of one element, including its sign and excluding its share of scales.
    shared: (bits, elements that share them) of every scale or exponent that is stored with the elements.
    """

    name: str
    source: str
    run: Callable[[np.ndarray], np.ndarray]
    element_bits: int
    shared: tuple[Shared, ...]

    def bits_per_element(self, shape: Sequence[int]) -> float:
        """Return the bits of an element, including its share of scales, in an array of this shape in full blocks."""
        return self.element_bits + sum(bits / _elements(size, shape) for bits, size in self.shared)

    def block(self, shape: Sequence[int]) -> int:
        """Return the number of elements that share the first of the scales, in an array of this shape."""
        return _elements(self.shared[0][1], shape)


def nvfp4(x: np.ndarray) -> np.ndarray:
    """Cast to E2M1 elements with an E4M3 scale per 16 elements and a float32 scale per tensor.

    The scale of the tensor maps the largest block scale to the top of the E4M3 range. A block whose scale underflows in
    E4M3 becomes zero.
    """
    e2m1, e4m3 = FORMATS["mxfp4"], FORMATS["mxfp8_e4m3"]
    blocks = _in_blocks(x, 16)
    tensor_scale = np.abs(blocks).max() / np.float32(e4m3.max_normal * e2m1.max_normal)
    if tensor_scale == 0:
        return x.copy()
    amax = np.abs(blocks).max(axis=-1, keepdims=True)
    block_scale = _rounded(amax / np.float32(e2m1.max_normal) / tensor_scale, e4m3)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(block_scale > 0, blocks * (1 / tensor_scale / block_scale), 0)
    return _from_blocks(_rounded(scaled, e2m1) * (block_scale * tensor_scale), x)


def microexponents(x: np.ndarray, mantissa_bits: int) -> np.ndarray:
    """Cast to MX9, MX6 or MX4 of arXiv 2302.08007.

    16 elements share the exponent of the largest; two share a bit that lowers this exponent by one if both are smaller;
    an element is a sign and a mantissa without a hidden bit. Rounds to nearest, ties to even; a mantissa that would
    overflow is clamped.
    """
    blocks = _in_blocks(x.astype(np.float64), 16)
    pairs = blocks.reshape(*blocks.shape[:-1], 8, 2)
    pair_exponent = np.frexp(np.abs(pairs).max(axis=-1, keepdims=True))[1] - 1
    pair_exponent = np.where(pairs.any(axis=-1, keepdims=True), pair_exponent, -127)
    exponent = pair_exponent.max(axis=-2, keepdims=True)
    step_exponent = exponent - np.minimum(exponent - pair_exponent, 1) + 1 - mantissa_bits
    largest = 2**mantissa_bits - 1
    mantissa = np.clip(np.rint(np.ldexp(pairs, -step_exponent)), -largest, largest)
    return _from_blocks(np.ldexp(mantissa, step_exponent).reshape(blocks.shape), x)


def fp8_per_tensor(x: np.ndarray, fmt: MXFormat = FORMATS["mxfp8_e4m3"]) -> np.ndarray:
    """Cast under one float32 scale, which maps the largest magnitude to the top of the element format's range."""
    scale = np.abs(x).max() / np.float32(fmt.max_normal)
    return x.copy() if scale == 0 else _rounded(x / scale, fmt) * scale


def int8_per_row(x: np.ndarray) -> np.ndarray:
    """Cast to integers from -127 to 127 with a float32 scale per row (channel of a weight, token of an activation)."""
    scale = np.abs(x).max(axis=-1, keepdims=True) / np.float32(127)
    scale = np.where(scale == 0, np.float32(1), scale)
    return np.clip(np.rint(x / scale), -127, 127) * scale


def _microexponents(bits: int, mantissa_bits: int) -> OtherCast:
    return OtherCast(
        name=f"MX{bits}",
        source="Rouhani et al. 2023, With Shared Microexponents, A Little Shifting Goes a Long Way, arXiv 2302.08007",
        run=partial(microexponents, mantissa_bits=mantissa_bits),
        element_bits=1 + mantissa_bits,
        shared=((8, 16), (1, 2)),
    )


OTHERS: Mapping[str, OtherCast] = {
    "nvfp4": OtherCast(
        name="NVFP4",
        source="NVIDIA 2025, Pretraining LLMs with NVFP4, arXiv 2509.25149",
        run=nvfp4,
        element_bits=4,
        shared=((8, 16), (FLOAT32_BITS, "tensor")),
    ),
    "mx9": _microexponents(bits=9, mantissa_bits=7),
    "mx6": _microexponents(bits=6, mantissa_bits=4),
    "mx4": _microexponents(bits=4, mantissa_bits=2),
    "fp8_per_tensor": OtherCast(
        name="FP8 per tensor",
        source="Micikevicius et al. 2022, FP8 Formats for Deep Learning, arXiv 2209.05433",
        run=fp8_per_tensor,
        element_bits=8,
        shared=((FLOAT32_BITS, "tensor"),),
    ),
    "int8_per_row": OtherCast(
        name="INT8 per row",
        source="Wu et al. 2020, Integer Quantization for Deep Learning Inference, arXiv 2004.09602",
        run=int8_per_row,
        element_bits=8,
        shared=((FLOAT32_BITS, "row"),),
    ),
}


def _elements(size: int | Literal["row", "tensor"], shape: Sequence[int]) -> int:
    if isinstance(size, int):
        return size
    return shape[-1] if size == "row" else int(np.prod(shape))


def _rounded(x: np.ndarray, fmt: MXFormat) -> np.ndarray:
    """Round to the nearest element value, ties to even, without a scale; larger values clamp."""
    return fake_quantize(x.astype(np.float32), fmt, scale=_no_scale)


def _no_scale(amax: np.ndarray, fmt: MXFormat) -> np.ndarray:
    return np.zeros(amax.shape, dtype=np.int32)


def _in_blocks(x: np.ndarray, size: int) -> np.ndarray:
    """Reshape (…, n) to (…, blocks, size), padded with zeros."""
    padding = -x.shape[-1] % size
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, padding)]) if padding else x
    return padded.reshape(*x.shape[:-1], -1, size)


def _from_blocks(blocks: np.ndarray, like: np.ndarray) -> np.ndarray:
    rows = blocks.reshape(*like.shape[:-1], -1)
    return np.ascontiguousarray(rows[..., : like.shape[-1]], dtype=np.float32)
