"""Cast the linear layers of a torch model to a block format, and restore the model afterwards."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

Cast = Callable[[Tensor], Tensor]
SUBJECTS = ("activations", "weights", "both")


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """Return the linear layers by dotted name, without an output projection that shares the embedding's matrix."""
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}


@contextmanager
def weights_cast(model: nn.Module, cast: Cast) -> Iterator[None]:
    """Replace the weight of every linear layer by its cast within the context. Blocks lie along the input dimension,
    over which a product sums."""
    layers = linear_layers(model).values()
    kept = [layer.weight.data for layer in layers]
    try:
        for layer in layers:
            layer.weight.data = cast(layer.weight.data)
        yield
    finally:
        for layer, weight in zip(layers, kept, strict=True):
            layer.weight.data = weight


def activations_cast(model: nn.Module, cast: Cast) -> AbstractContextManager[None]:
    """Replace the input of every linear layer by its cast within the context. An input that several layers share is
    cast once."""
    return _before_layers(model, lambda _, x: (cast(x),))


def activations_seen(model: nn.Module, see: Callable[[str, Tensor], None]) -> AbstractContextManager[None]:
    """Call see(layer name, input) before every linear layer within the context. An input that several layers share is
    passed once."""

    def only_see(name: str, x: Tensor) -> None:
        see(name, x)

    return _before_layers(model, only_see)


@contextmanager
def _before_layers(model: nn.Module, act: Callable[[str, Tensor], tuple[Tensor] | None]) -> Iterator[None]:
    """Call act(layer name, input) before every linear layer. A result other than None replaces the input of this layer
    and of later layers that share it."""
    last: list[Any] = []

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor]], tuple[Tensor] | None]:
        def before(_: nn.Module, arguments: tuple[Tensor]) -> tuple[Tensor] | None:
            (x,) = arguments
            if not last or last[0] is not x:
                last[:] = [x, act(name, x)]
            return last[1]

        return before

    with ExitStack() as hooks:
        for name, layer in linear_layers(model).items():
            hooks.callback(layer.register_forward_pre_hook(hook(name)).remove)
        yield


@contextmanager
def under_cast(model: nn.Module, cast: Cast, subject: str) -> Iterator[None]:
    """Cast activations, weights or both within the context. subject: "activations", "weights" or "both"."""
    with ExitStack() as stack:
        if subject != "activations":
            stack.enter_context(weights_cast(model, cast))
        if subject != "weights":
            stack.enter_context(activations_cast(model, cast))
        yield


def replace_layer(model: nn.Module, name: str, layer: nn.Module) -> None:
    """Replace the layer with this dotted name."""
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, layer)
