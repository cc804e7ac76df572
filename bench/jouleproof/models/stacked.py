"""Several decoders of one shape side by side with stacked weights, so that small models share the cost of a call.

Model m reads only row block m of the tokens, so its results are those of the model run alone, up to the order of sums.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from jouleproof.models.decoder import Decoder, rotary_angles
from jouleproof.models.decoder_shape import DecoderShape
from jouleproof.models.likelihood import most_likely

Weights = Mapping[str, Tensor]  # named as in a Decoder, (models, …) each, those of JOINED concatenated
JOINED = {"q": "qkv", "k": "qkv", "v": "qkv", "gate": "gate_up", "up": "gate_up"}  # matrices that share an input


def stacked(decoders: Sequence[Decoder]) -> dict[str, Tensor]:
    """Stack copies of the weights of decoders of one shape."""
    joined: dict[str, list[Tensor]] = {}
    for name, _ in decoders[0].named_parameters():
        *above, module, kind = name.split(".")
        key = ".".join([*above, JOINED.get(module, module), kind])
        joined.setdefault(key, []).append(torch.stack([decoder.get_parameter(name).detach() for decoder in decoders]))
    return {name: torch.cat(matrices, dim=1) for name, matrices in joined.items()}


@dataclass
class Past:
    """Keys and values of the tokens read so far, by layer: (models * rows, heads, tokens, head width) each."""

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


def hidden(
    weights: Weights,
    shape: DecoderShape,
    texts: Sequence[Tensor],
    past: Past | None = None,
    asked: Tensor | None = None,
) -> Tensor:
    """Return the hidden states (models, positions, width) that `logits` maps to the logits of each position.

    texts: (models, rows, tokens) int64 each; a tensor holds texts of one length, and the positions of all tensors are
    concatenated. past: cache of the same rows. It is extended by these tokens, which must then be one tensor, with one
    token per row unless the cache is empty. asked: the positions to return; None: all.
    """
    models = len(texts[0])
    first = past.length if past else 0
    rotation = _rotation(shape, first, texts)
    offsets = torch.arange(models)[:, None] * shape.vocabulary
    tokens = torch.cat([text.flatten(1) for text in texts], dim=1) + offsets
    x = functional.embedding(tokens, weights["embedding.weight"].reshape(-1, shape.width))
    width, kv_width = shape.width, shape.kv_heads * shape.head_width

    def normed(x: Tensor, name: str) -> Tensor:
        return functional.rms_norm(x, (shape.width,), eps=shape.norm_epsilon) * weights[f"{name}.weight"][:, None]

    def linear(x: Tensor, name: str) -> Tensor:
        return torch.bmm(x, weights[f"{name}.weight"].transpose(1, 2))

    def attended(layer: int, qkv: Sequence[Tensor], text: Tensor) -> Tensor:
        """Attend within one tensor of texts. qkv: its queries, keys and values."""
        _, rows, count = text.shape
        q, k, v = (values.reshape(models * rows, count, -1, shape.head_width).transpose(1, 2) for values in qkv)
        if past is not None:
            k, v = past.extended(layer, k, v)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=first == 0, enable_gqa=True)
        return mixed.transpose(1, 2).reshape(models, rows * count, width)

    for layer in range(shape.layers):
        prefix = f"layers.{layer}."
        qkv = linear(normed(x, prefix + "attention_norm"), prefix + "attention.qkv")
        qk, v = torch.split(qkv, [width + kv_width, kv_width], dim=2)
        q, k = torch.split(_turned(qk, rotation, shape.head_width), [width, kv_width], dim=2)
        by_text = [torch.split(values, [text[0].numel() for text in texts], dim=1) for values in (q, k, v)]
        mixed = torch.cat([attended(layer, qkv, text) for *qkv, text in zip(*by_text, texts, strict=True)], dim=1)
        if asked is not None and layer == shape.layers - 1:
            x, mixed = x[:, asked], mixed[:, asked]
        x = x + linear(mixed, prefix + "attention.out")
        gate, up = linear(normed(x, prefix + "mlp_norm"), prefix + "mlp.gate_up").chunk(2, dim=-1)
        x = x + linear(functional.silu(gate) * up, prefix + "mlp.down")
    return normed(x, "norm")


def _rotation(shape: DecoderShape, first: int, texts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return cosine and sine for the queries and keys of each position, (positions, rotated heads * head width)
    each."""
    longest = first + max(text.shape[2] for text in texts)
    cosine, sine = (
        torch.cat([angles[first : first + text.shape[2]].repeat(text.shape[1], 1) for text in texts])
        for angles in _angles(shape, 1 << longest.bit_length())
    )
    return cosine, sine


@lru_cache(maxsize=32)
@torch.inference_mode(False)
def _angles(shape: DecoderShape, tokens: int) -> tuple[Tensor, Tensor]:
    """Return cosine and sine, (tokens, rotated heads * head width) each; the sine of a head's first half is
    negative."""
    heads = shape.heads + shape.kv_heads
    cosine, sine = (angles.repeat(1, heads) for angles in rotary_angles(tokens, shape))
    sine.view(tokens, heads, 2, -1)[:, :, 0].neg_()
    return cosine, sine


def _turned(x: Tensor, rotation: tuple[Tensor, Tensor], head_width: int) -> Tensor:
    """Rotate x, (models, positions, heads * head width), in the planes of (i, i + head_width / 2) of each head."""
    left, right = x.reshape(*x.shape[:2], -1, 2, head_width // 2).unbind(dim=3)
    swapped = torch.stack([right, left], dim=3).view(x.shape)
    return x * rotation[0] + swapped * rotation[1]


def logits(weights: Weights, states: Tensor) -> Tensor:
    """Map hidden states (models, positions, width) to logits (models, positions, vocabulary)."""
    return torch.bmm(states, weights["embedding.weight"].transpose(1, 2))


@torch.inference_mode()
def greedy(weights: Weights, shape: DecoderShape, prompts: Tensor, most: int, end: int | None) -> tuple[Tensor, Tensor]:
    """Write tokens greedily. Returns the tokens, (models, rows, most) int64, and how many of them each row wrote,
    (models, rows).

    prompts: (models, rows, tokens), all of one length. end: the token that ends a row and fills the rest of it; None:
    all rows write `most` tokens.
    """
    models, rows, _ = prompts.shape
    past, fed = Past(), prompts
    written = torch.full((models, rows, most), -1 if end is None else end)
    lengths = torch.full((models, rows), most)
    going = torch.ones(models, rows, dtype=torch.bool)
    for place in range(most):
        states = hidden(weights, shape, [fed], past).view(models, rows, -1, shape.width)[:, :, -1]
        best = most_likely(logits(weights, states))
        fed = best[:, :, None]
        if end is None:
            written[:, :, place] = best
            continue
        written[:, :, place] = torch.where(going, best, end)
        lengths[going & (best == end)] = place + 1
        going &= best != end
        if not going.any():
            break
    return written, lengths
