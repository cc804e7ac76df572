"""Linear layers whose products are computed elsewhere: on packed weights, and once for all layers of one input."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from jouleproof.formats import MXFormat
from jouleproof.models.casting import linear_layers, replace_layer
from jouleproof.models.matrix import BlockMatrix, Matrix

Product = Callable[[Tensor], Tensor]
Make = Callable[[Tensor], tuple[Product, int]]


class ProductLinear(nn.Module):
    """A linear layer without bias whose product is `product`."""

    def __init__(self, product: Product) -> None:
        super().__init__()
        self.product = product

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., inputs)."""
        return self.product(x)


class JoinedProduct:
    """One product for several layers that are called in turn with the same input, each of which takes its part."""

    def __init__(self, product: Product, outputs: Sequence[int]) -> None:
        """outputs: of each layer."""
        self._product, self._outputs = product, list(outputs)
        self._x: Tensor | None = None
        self._parts: Sequence[Tensor] = ()

    def part(self, number: int) -> Product:
        def product(x: Tensor) -> Tensor:
            if x is not self._x:
                self._x, self._parts = x, torch.split(self._product(x), self._outputs, dim=-1)
            return self._parts[number]

        return product


def plain_product(weight: Tensor) -> tuple[Product, int]:
    """The product with a weight as it is, by the fastest way known for one row, and the bytes that it reads of it."""
    matrix = Matrix(weight, weight.device)
    return lambda x: matrix(x.reshape(-1, x.shape[-1])).view(*x.shape[:-1], -1), weight.nbytes


def packed_product(weight: Tensor, fmt: MXFormat) -> tuple[Product, int]:
    """The product with a weight in a format, a row of inputs at a time, and the bytes that it reads of it."""
    packed = BlockMatrix(weight, fmt)

    def product(x: Tensor) -> Tensor:
        return packed(x.reshape(-1, x.shape[-1])).view(*x.shape[:-1], -1)

    return product, packed.nbytes


@dataclass(frozen=True)
class Engine:
    """What stands in for a model's linear layers, by name, and the bytes of weights that a token reads there."""

    layers: Mapping[str, nn.Module]
    weight_bytes: int


def make_engine(
    model: nn.Module, groups: Iterable[Sequence[str]], make: Callable[[Tensor], tuple[Product, int]]
) -> Engine:
    """make: of the weights of a group's layers, one below the other. groups: see `shared_inputs`."""
    kept, layers, total = linear_layers(model), {}, 0
    for names in groups:
        weights = [kept[name].weight.detach() for name in names]
        product, read = make(torch.cat(weights))
        total += read
        joined = JoinedProduct(product, [len(weight) for weight in weights])
        layers.update({name: ProductLinear(joined.part(number)) for number, name in enumerate(names)})
    return Engine(layers, total)


@contextmanager
def running(model: nn.Module, engine: Engine) -> Iterator[None]:
    """The model on an engine; afterwards as it was."""
    kept = linear_layers(model)
    try:
        for name, layer in engine.layers.items():
            replace_layer(model, name, layer)
        yield
    finally:
        for name in engine.layers:
            replace_layer(model, name, kept[name])


def shared_inputs(model: nn.Module, run: Callable[[], object]) -> list[list[str]]:
    """Linear layers by name, in the order of one run of the model; together those in turn that get the same tensor."""
    groups: list[list[str]] = []
    last: list[Tensor] = []

    def watcher(name: str) -> Callable[[nn.Module, tuple[Tensor]], None]:
        def before(_: nn.Module, arguments: tuple[Tensor]) -> None:
            if not last or last[0] is not arguments[0]:
                last[:] = arguments
                groups.append([])
            groups[-1].append(name)

        return before

    with ExitStack() as hooks:
        for name, layer in linear_layers(model).items():
            hooks.callback(layer.register_forward_pre_hook(watcher(name)).remove)
        run()
    return groups
