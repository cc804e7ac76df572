"""Batched inference of a language model with a KV cache: it reads the next tokens of many texts and returns, for each
text, the logits of the token that follows."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from jouleproof.formats import MXFormat
from jouleproof.models.decoder import Decoder, Layer, rotary_angles, rotate
from jouleproof.models.matrix import BlockMatrix, Matrix, PlainMatrix

LayerDone = Callable[[int], None]
AnyMatrix = Matrix | PlainMatrix | BlockMatrix


@dataclass(frozen=True)
class Piece:
    """The next tokens to read of the text in a slot, of which `start` tokens are already in the cache."""

    slot: int
    start: int
    tokens: Sequence[int]

    @property
    def end(self) -> int:
        return self.start + len(self.tokens)


@dataclass(frozen=True)
class Weights:
    """Weights of one layer; matrices that share an input are joined into one."""

    attention_norm: Tensor
    qkv: AnyMatrix
    out: AnyMatrix
    mlp_norm: Tensor
    gate_up: AnyMatrix
    down: AnyMatrix


def no_layer_done(_: int) -> None:
    """Do nothing; for callers that wait for all layers."""


class Runner:
    """An engine for `slots` texts of up to `capacity` tokens each. The caller keeps track of how much of a slot is
    filled.

    dtype: of weights, activations, keys and values; norms and logits are float32. plain: keep weights in torch's layout
    instead of a layout for fast products.
    """

    def __init__(
        self,
        decoder: Decoder,
        slots: int,
        capacity: int,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        plain: bool = False,
    ) -> None:
        self.shape, self.slots, self.capacity, self.dtype = decoder.shape, slots, capacity, dtype
        self._device = torch.device(device)
        self._embedding = decoder.embedding.weight.detach().to(self._device, dtype)
        matrix = PlainMatrix if plain else Matrix
        self._head = matrix(self._embedding, self._device)
        self._layers = _layers(decoder, lambda weight: matrix(weight.to(dtype), self._device), self._device)
        self._norm = decoder.norm.weight.detach().to(self._device)
        self._rotation = tuple(angles.to(self._device, dtype) for angles in rotary_angles(capacity, self.shape))
        shape = self.shape
        self._cache = torch.zeros(
            shape.layers, 2, slots, shape.kv_heads, capacity, shape.head_width, device=self._device, dtype=dtype
        )

    def packed(self, decoder: Decoder, fmt: MXFormat) -> "Runner":
        """Return a copy of this float32 runner with its layers' matrices in a block format. Embedding, head and cache
        are shared.

        decoder: the decoder that this runner was built from.
        """
        other = copy(self)
        other._layers = _layers(decoder, partial(BlockMatrix, fmt=fmt), self._device)
        return other

    def cache(self, slot: int, tokens: int) -> Tensor:
        """Return a writable view of a slot's cache, (layers, 2, KV heads, tokens, head width): keys, then values."""
        return self._cache[:, :, slot, :, :tokens]

    @property
    def weight_bytes(self) -> int:
        """Bytes of weights that one iteration reads, including the head's."""
        matrices = [matrix for layer in self._layers for matrix in (layer.qkv, layer.out, layer.gate_up, layer.down)]
        return sum(matrix.nbytes for matrix in [*matrices, self._head])

    @property
    def head_bytes(self) -> int:
        return self._head.nbytes

    @torch.inference_mode()
    def run(self, pieces: Sequence[Piece], layer_done: LayerDone = no_layer_done) -> Tensor:
        """Read the pieces and return float32 logits (pieces, vocabulary) of the token that follows each piece.

        layer_done: called with the number of each layer once its keys and values are in the cache. Raises ValueError if
        a text does not fit into its slot or two pieces are for the same slot.
        """
        self._check_slots(pieces)
        tokens = torch.tensor([token for piece in pieces for token in piece.tokens], device=self._device)
        places = torch.cat([torch.arange(piece.start, piece.end, device=self._device) for piece in pieces])
        rotation = tuple(angles[places] for angles in self._rotation)
        ends = list(accumulate(len(piece.tokens) for piece in pieces))
        x = self._embedding[tokens]
        for number, layer in enumerate(self._layers):
            qkv = layer.qkv(self._normed(x, layer.attention_norm))
            x = x + layer.out(self._attend(number, pieces, qkv, rotation))
            layer_done(number)
            gate, up = layer.gate_up(self._normed(x, layer.mlp_norm)).chunk(2, dim=-1)
            x = x + layer.down(functional.silu(gate) * up)
        last = x[torch.tensor(ends, device=self._device) - 1]
        return self._head(self._normed(last, self._norm)).float()

    def _check_slots(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if not piece.tokens or piece.end > self.capacity:
                left = self.capacity - piece.start
                raise ValueError(f"slot {piece.slot}: expected 1 to {left} new tokens, got {len(piece.tokens)}")
        if len({piece.slot for piece in pieces}) < len(pieces):
            raise ValueError("two pieces are for the same slot")

    def _normed(self, x: Tensor, weight: Tensor) -> Tensor:
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + self.shape.norm_epsilon) * weight
        return scaled.to(x.dtype)

    def _attend(self, number: int, pieces: Sequence[Piece], qkv: Tensor, rotation: tuple[Tensor, ...]) -> Tensor:
        """Return the attended values (tokens, width). qkv: (tokens, width + 2 * KV width), all pieces concatenated."""
        shape = self.shape
        heads = qkv.view(len(qkv), -1, shape.head_width).transpose(0, 1)
        turned = rotate(heads[: shape.heads + shape.kv_heads], (rotation[0], rotation[1]))
        queries, keys = turned[: shape.heads], turned[shape.heads :]
        values = heads[shape.heads + shape.kv_heads :]
        cache = self._cache[number]
        mixed = torch.empty_like(queries)
        first = 0
        for piece in pieces:
            rows = slice(first, first := first + len(piece.tokens))
            read = cache[:, piece.slot, :, : piece.end]
            read[0, :, piece.start :] = keys[:, rows]
            read[1, :, piece.start :] = values[:, rows]
            mixed[:, rows] = _attention(queries[:, rows], read[0], read[1])
        return mixed.transpose(0, 1).reshape(len(qkv), -1)


def _layers(decoder: Decoder, matrix: Callable[[Tensor], AnyMatrix], device: torch.device) -> list[Weights]:
    def joined(*layers: torch.nn.Linear) -> AnyMatrix:
        return matrix(torch.cat([layer.weight.detach() for layer in layers]))

    return [
        Weights(
            attention_norm=layer.attention_norm.weight.detach().to(device),
            qkv=joined(layer.attention.q, layer.attention.k, layer.attention.v),
            out=joined(layer.attention.out),
            mlp_norm=layer.mlp_norm.weight.detach().to(device),
            gate_up=joined(layer.mlp.gate, layer.mlp.up),
            down=joined(layer.mlp.down),
        )
        for layer in cast(list[Layer], decoder.layers)
    ]


def _attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend from the new tokens of a piece; returns (heads, new tokens, head width).

    queries: of the new tokens, shaped as the result. keys, values: (KV heads, all tokens, head width).
    """
    heads, new, width = queries.shape
    read = keys.shape[1]
    if new == 1:  # the heads that share keys are the rows of one product
        grouped = queries.reshape(1, len(keys), -1, width)
        return functional.scaled_dot_product_attention(grouped, keys[None], values[None]).reshape(heads, 1, width)
    if new == read:
        return functional.scaled_dot_product_attention(
            queries[None], keys[None], values[None], is_causal=True, enable_gqa=True
        )[0]
    seen = torch.ones(new, read, dtype=torch.bool, device=queries.device).tril(read - new)
    return functional.scaled_dot_product_attention(queries[None], keys[None], values[None], seen, enable_gqa=True)[0]
