"""Several decoders of one shape side by side, their weights stacked: small models share the cost of a call.

Model m reads row block m of the tokens and no other, so each comes out as if it were alone, up to the order of sums.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from bench.models.decoder import Decoder, DecoderShape, rotary_angles, rotate

Weights = Mapping[str, Tensor]  # as a Decoder names them, (models, …) each


def stacked(decoders: Sequence[Decoder]) -> dict[str, Tensor]:
    """Copies of their weights, which are of one shape."""
    names = [name for name, _ in decoders[0].named_parameters()]
    return {name: torch.stack([each.get_parameter(name).detach() for each in decoders]) for name in names}


@dataclass
class Past:
    """Keys and values of what was read, by layer: (models * rows, heads, tokens, head width) each."""

    keys: dict[int, Tensor] = field(default_factory=dict)
    values: dict[int, Tensor] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return self.keys[0].shape[2] if self.keys else 0

    def extended(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if layer in self.keys:
            keys, values = torch.cat([self.keys[layer], keys], dim=2), torch.cat([self.values[layer], values], dim=2)
        self.keys[layer], self.values[layer] = keys, values
        return keys, values


def hidden(weights: Weights, shape: DecoderShape, tokens: Tensor, past: Past | None = None) -> Tensor:
    """(models, rows * tokens, width): what the logits of each place are made of.

    tokens: (models, rows, tokens) int64, padded on the right where rows differ. past: of the same rows, read before;
    it grows by these tokens, which are one per row unless nothing was read yet.
    """
    models, rows, count = tokens.shape
    first = past.length if past else 0
    rotation = rotary_angles(first + count, shape)
    rotation = (rotation[0][first:], rotation[1][first:])
    own = torch.arange(models)[:, None, None] * shape.vocabulary
    x = functional.embedding(tokens + own, weights["embedding.weight"].reshape(-1, shape.width))
    x = x.view(models, rows * count, shape.width)

    def normed(x: Tensor, name: str) -> Tensor:
        return functional.rms_norm(x, (shape.width,), eps=shape.norm_epsilon) * weights[f"{name}.weight"][:, None]

    def linear(x: Tensor, name: str) -> Tensor:
        return torch.bmm(x, weights[f"{name}.weight"].transpose(1, 2))

    def heads(projected: Tensor) -> Tensor:
        return projected.view(models * rows, count, -1, shape.head_width).transpose(1, 2)

    for layer in range(shape.layers):
        own_name = f"layers.{layer}."
        read = normed(x, own_name + "attention_norm")
        q, k = (rotate(heads(linear(read, f"{own_name}attention.{part}")), rotation) for part in "qk")
        v = heads(linear(read, own_name + "attention.v"))
        if past is not None:
            k, v = past.extended(layer, k, v)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=first == 0, enable_gqa=True)
        x = x + linear(mixed.transpose(1, 2).reshape(models, rows * count, shape.width), own_name + "attention.out")
        read = normed(x, own_name + "mlp_norm")
        gated = functional.silu(linear(read, own_name + "mlp.gate")) * linear(read, own_name + "mlp.up")
        x = x + linear(gated, own_name + "mlp.down")
    return normed(x, "norm")


def logits(weights: Weights, states: Tensor) -> Tensor:
    """(models, places, width) to (models, places, vocabulary)."""
    return torch.bmm(states, weights["embedding.weight"].transpose(1, 2))


@torch.inference_mode()
def greedy(weights: Weights, shape: DecoderShape, prompts: Tensor, most: int, end: int | None) -> tuple[Tensor, Tensor]:
    """The likeliest token each time: (models, rows, most) int64, and how many of them each row wrote, (models, rows).

    prompts: (models, rows, tokens), all of one length. end: the token after which a row writes no more; what would
    follow is filled with it. None: all write `most`.
    """
    models, rows, _ = prompts.shape
    past, fed = Past(), prompts
    found = torch.full((models, rows, most), -1 if end is None else end)
    lengths = torch.full((models, rows), most)
    going = torch.ones(models, rows, dtype=torch.bool)
    for place in range(most):
        states = hidden(weights, shape, fed, past).view(models, rows, -1, shape.width)[:, :, -1]
        best = logits(weights, states).argmax(dim=2)
        fed = best[:, :, None]
        if end is None:
            found[:, :, place] = best
            continue
        found[:, :, place] = torch.where(going, best, end)
        lengths[going & (best == end)] = place + 1
        going &= best != end
        if not going.any():
            break
    return found, lengths
