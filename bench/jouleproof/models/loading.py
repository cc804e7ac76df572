"""Helpers that all loaders of network weights share."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from jouleproof.errors import UserError

Network = TypeVar("Network", bound=nn.Module)
UNROUNDED = ("F32", "F64")


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


def formats_of_matrices(tensors: Iterable[tuple[str, Sequence[int]]]) -> str | None:
    """Join the formats of the matrices among (format, shape) by +, the one with most weights first, without float32 and
    float64; None if there is no other."""
    weights = Counter[str]()
    for name, shape in tensors:
        if len(shape) > 1 and name not in UNROUNDED:
            weights[name] += prod(shape)
    return "+".join(name for name, _ in weights.most_common()) or None


def stored_formats(folder: Path) -> str | None:
    """Return the formats of the matrices in a folder's safetensors files, or the method by which they were quantised;
    None if all are float32."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    method = (config.get("quantization_config") or {}).get("quant_method")
    return str(method) if method else formats_in(sorted(folder.glob("*.safetensors")))


def formats_in(paths: Iterable[Path]) -> str | None:
    """Return the formats of the matrices in safetensors files; None if all are float32."""
    tensors = []
    for path in paths:
        with safe_open(path, "pt") as file:
            parts = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118, it is no mapping
            tensors += [(part.get_dtype(), part.get_shape()) for part in parts]
    return formats_of_matrices(tensors)


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
