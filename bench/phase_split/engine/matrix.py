"""Matrices of weights, held so that a product with one row, a few, or hundreds of them is fast."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

FEW = 16  # rows that the packed form is laid out for; others are as fast (torch 2.13)


class Matrix:
    """(outputs, inputs) float32.

    Held twice on a processor, where torch has oneDNN: transposed, as one row is multiplied at the rate of memory then,
    and in oneDNN's blocks, as torch's compiler does when it freezes weights. Left as it is elsewhere.
    """

    def __init__(self, weight: Tensor, device: torch.device) -> None:
        self.nbytes = weight.nbytes
        packs = device.type == "cpu" and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        self._transposed = weight.T.contiguous().to(device) if packs else weight.to(device).T
        self._packed: Any = torch.ops.mkldnn._reorder_linear_weight(weight, FEW) if packs else None

    def __call__(self, x: Tensor) -> Tensor:
        """x: (rows, inputs). Returns (rows, outputs)."""
        if self._packed is None:
            return functional.linear(x, self._transposed.T)
        if len(x) == 1:
            return torch.mm(x, self._transposed)
        return torch.ops.mkldnn._linear_pointwise(x, self._packed, None, "none", [], "")
