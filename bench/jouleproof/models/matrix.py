"""Weight matrices in layouts that make products with one row, a few rows or hundreds of rows fast."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jouleproof.formats import MXFormat, PackedMatrix, quantize
from jouleproof.libraries import part_of

FEW = 16  # rows that the packed layout is tuned for; other numbers are as fast (torch 2.13)


class Matrix:
    """A weight matrix (outputs, inputs) in float32 or bfloat16.

    On a CPU where torch has oneDNN, the weights are held in oneDNN's blocked layout, as torch's compiler does when it
    freezes weights. In float32 they are also held transposed, which multiplies one row at memory bandwidth. On other
    devices they are only held transposed.
    """

    def __init__(self, weight: Tensor, device: torch.device) -> None:
        self.nbytes = weight.nbytes
        packs = device.type == "cpu" and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        twice = packs and weight.dtype == torch.float32
        self._transposed = None if packs and not twice else weight.T.contiguous().to(device)
        self._packed: Any = None
        if packs:
            self._packed = part_of("torch", "torch:ops.mkldnn._reorder_linear_weight")(weight, FEW)
            self._multiply = part_of("torch", "torch:ops.mkldnn._linear_pointwise")

    def __call__(self, x: Tensor) -> Tensor:
        """Return the products (rows, outputs) of x, (rows, inputs), with the matrix."""
        if self._transposed is not None and (self._packed is None or len(x) == 1):
            return torch.mm(x, self._transposed)
        return self._multiply(x, self._packed, None, "none", [], "")


class PlainMatrix:
    """A weight matrix (outputs, inputs) in its plain layout, multiplied by torch's linear function."""

    def __init__(self, weight: Tensor, device: torch.device) -> None:
        self._weight = weight.to(device)
        self.nbytes = weight.nbytes

    def __call__(self, x: Tensor) -> Tensor:
        """Return the products (rows, outputs) of x, (rows, inputs), with the matrix."""
        return functional.linear(x, self._weight)


class BlockMatrix:
    """A weight matrix (outputs, inputs) in a block format, whose packed form is read once per row of the input, so only
    a product with one row is fast."""

    def __init__(self, weight: Tensor, fmt: MXFormat) -> None:
        packed = quantize(weight, fmt)
        self.nbytes = packed.nbytes
        self._multiply = PackedMatrix(packed)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the products (rows, outputs) of x, (rows, inputs) float32, with the matrix."""
        return self._multiply(x[0])[None] if len(x) == 1 else torch.stack([self._multiply(row) for row in x])
