"""Linear layers that keep their weights packed, and decode them inside the product."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bench.formats import Multiplier, MXFormat, quantize
from bench.mx.casting import linear_layers, replace_layer

Product = Callable[[Tensor], Tensor]


class ProductLinear(nn.Module):
    """A linear layer without bias whose product is `product`, a row of inputs at a time."""

    def __init__(self, product: Product) -> None:
        super().__init__()
        self.product = product

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., inputs)."""
        if x.numel() == x.shape[-1]:
            return self.product(x.view(-1)).view(*x.shape[:-1], -1)
        rows = [self.product(row) for row in x.reshape(-1, x.shape[-1])]
        return torch.stack(rows).view(*x.shape[:-1], -1)


def packed_product(layer: nn.Linear, fmt: MXFormat) -> tuple[Product, int]:
    """The product with the layer's weights in a format, and the bytes that it reads of them."""
    packed = quantize(layer.weight.detach(), fmt)
    return Multiplier(packed), packed.nbytes


@contextmanager
def products_replaced(model: nn.Module, make: Callable[[nn.Linear], tuple[Product, int]]) -> Iterator[int]:
    """Every linear layer of a model computed by what `make` gives for it. Yields the bytes that a token reads there."""
    kept = linear_layers(model)
    total = 0
    try:
        for name, layer in kept.items():
            product, read = make(layer)
            total += read
            replace_layer(model, name, ProductLinear(product))
        yield total
    finally:
        for name, layer in kept.items():
            replace_layer(model, name, layer)
