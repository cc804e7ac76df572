"""Cast the linear layers of a torch model to a block format, and restore the model afterwards."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeGuard

from torch import Tensor, nn

from jouleproof.errors import UserError

Cast = Callable[[Tensor], Tensor]
SUBJECTS = ("activations", "weights", "both")


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """Return the linear layers by dotted name, without an output projection that shares the embedding's matrix."""
    embeddings = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    return {
        name: module
        for name, module in model.named_modules()
        if _is_linear(module) and id(module.weight) not in embeddings
    }


def check_castable(model: nn.Module, name: str) -> None:
    """Raise UserError if the model has matrices that a cast of weights would leave as they are: those of experts and of
    their router, for example, which are often no layers. name: of the model.

    Embeddings, and convolutions that keep channels apart, are not meant to be cast.
    """
    for path, module in model.named_modules():
        apart = isinstance(module, nn.Conv1d) and module.groups == module.in_channels
        if not (apart or isinstance(module, nn.Embedding) or _is_linear(module)):
            for weight, values in module.named_parameters(path, recurse=False):
                if values.dim() > 1:
                    raise UserError(
                        f"models: {name}: {weight} of {type(module).__name__} belongs to no linear layer, so a cast of "
                        "the weights would leave it in float32; score this model with formats: [float32]"
                    )


def _is_linear(module: nn.Module) -> TypeGuard[nn.Linear]:
    """Whether a module is a linear layer of torch, or of transformers, which calls one with a transposed matrix
    Conv1D."""
    return isinstance(module, nn.Linear) or _is_transposed(module)


def _is_transposed(module: nn.Module) -> bool:
    return type(module).__name__ == "Conv1D"


@contextmanager
def weights_cast(model: nn.Module, cast: Cast) -> Iterator[None]:
    """Replace the weight of every linear layer by its cast within the context. Blocks lie along the input dimension,
    over which a product sums."""
    check_castable(model, type(model).__name__)
    layers = linear_layers(model).values()
    kept = [layer.weight.data for layer in layers]
    try:
        for layer in layers:
            weight = layer.weight.data
            layer.weight.data = cast(weight.T.contiguous()).T if _is_transposed(layer) else cast(weight)
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
