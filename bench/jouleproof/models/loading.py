"""Helpers that all loaders of network weights share."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from jouleproof.errors import UserError

Network = TypeVar("Network", bound=nn.Module)


@contextmanager
def refused_as(reason: str) -> Iterator[None]:
    """Turn any error within the context into a one-line UserError with the reason. Libraries raise errors of any type
    on a damaged file; tokenizers even raises a bare Exception."""
    try:
        yield
    except Exception as error:
        raise UserError(f"models: {reason} ({' '.join(str(error).split()):.200})") from error


def end_tokens(fields: Mapping[str, Any]) -> list[int]:
    """List the tokens that end a text, a turn or a message by the fields of a GGUF file."""
    names = (f"tokenizer.ggml.{end}_token_id" for end in ("eos", "eot", "eom"))
    return list(dict.fromkeys(fields[name] for name in names if name in fields))


def check_layers(setting: str, layers: int, weights: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless the weights have this number of layers. setting: the name of the setting that gives
    it."""
    present = len({name.split(".")[1] for name in weights if name.startswith("layers.")})
    if layers != present:
        raise ValueError(f"{setting}={layers}, but the file has {present} layers")


def with_weights(make: Callable[[], Network], weights: Mapping[str, Tensor]) -> Network:
    """Build a network that holds these tensors, not copies of them, and requires no gradients. Raises RuntimeError if
    they do not fit. make: builds the network, whose initial tensors are not allocated."""
    with torch.device("meta"):
        network = make()
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)
