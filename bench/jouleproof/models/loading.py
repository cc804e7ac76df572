"""Helpers that all loaders share, from files of weights to networks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from jouleproof.errors import UserError

Network = TypeVar("Network", bound=nn.Module)


@contextmanager
def refused_as(reason: str) -> Iterator[None]:
    """Raise UserError in one line, with the reason, on any error: on a damaged file libraries raise whatever comes,
    tokenizers even a bare Exception."""
    try:
        yield
    except Exception as error:
        raise UserError(f"models: {reason} ({' '.join(str(error).split()):.200})") from error


def check_layers(setting: str, layers: int, weights: Mapping[str, Tensor]) -> None:
    """Raise ValueError where the number of layers in the weights is not what the setting says. setting: its name."""
    if layers != len({name.split(".")[1] for name in weights if name.startswith("layers.")}):
        raise ValueError(f"{setting}={layers} is not the number of layers in the file")


def with_weights(make: Callable[[], Network], weights: Mapping[str, Tensor]) -> Network:
    """Build a network that holds these tensors, not copies of them, and requires no gradients. Raises RuntimeError
    where they do not fit."""
    with torch.device("meta"):
        network = make()
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)
