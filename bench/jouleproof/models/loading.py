"""From files of weights to networks: what the loaders share."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from jouleproof.errors import UserError

Network = TypeVar("Network", bound=nn.Module)


@contextmanager
def refused_as(reason: str) -> Iterator[None]:
    """Raise UserError in one line, with the reason, on any error: a damaged file breaks the libraries in any way,
    tokenizers with a bare Exception."""
    try:
        yield
    except Exception as error:
        raise UserError(f"models: {reason} ({' '.join(str(error).split()):.200})") from error


def check_layers(setting: str, layers: int, weights: Mapping[str, Tensor]) -> None:
    """Raise ValueError where the weights are of another number of layers. setting: what says the number."""
    if layers != len({name.split(".")[1] for name in weights if name.startswith("layers.")}):
        raise ValueError(f"{setting}={layers} is not the number of layers in the file")


def with_weights(make: Callable[[], Network], weights: Mapping[str, Tensor]) -> Network:
    """A network that holds these tensors, not copies of them, and trains none. Raises RuntimeError where they do not
    fit."""
    with torch.device("meta"):
        network = make()
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)
