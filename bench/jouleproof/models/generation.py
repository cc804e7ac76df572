"""Greedy decoding, one text at a time, with its keys and values kept."""

from collections.abc import Sequence
from copy import copy
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from jouleproof.models.decoder import Attention, Decoder, Layer, rotary_angles, rotate


class Decoding:
    """A text that grows: feed tokens, get the logits of the next one. Room for `capacity` tokens."""

    def __init__(self, decoder: Decoder, capacity: int) -> None:
        shape = decoder.shape
        self._decoder = decoder
        self._rotation = rotary_angles(capacity, shape)
        self._keys, self._values = torch.empty(2, shape.layers, shape.kv_heads, capacity, shape.head_width)
        self._length = 0

    def branch(self) -> "Decoding":
        """The same text so far, that grows on its own."""
        other = copy(self)
        other._keys, other._values = self._keys.clone(), self._values.clone()
        return other

    @torch.inference_mode()
    def feed(self, tokens: Sequence[int]) -> Tensor:
        """(vocabulary,) float32: what follows the last of `tokens`, which are at least one.

        Raises ValueError where there is no room for them.
        """
        capacity = self._keys.shape[2]
        if self._length + len(tokens) > capacity:
            raise ValueError(f"decoding: room for {capacity} tokens, not for {self._length} and {len(tokens)} more")
        start, self._length = self._length, self._length + len(tokens)
        rotation = (self._rotation[0][start : self._length], self._rotation[1][start : self._length])
        x = self._decoder.embedding(torch.tensor(tokens))
        for number, layer in enumerate(cast(list[Layer], self._decoder.layers)):
            x = x + self._attend(number, layer.attention, layer.attention_norm(x), rotation)
            x = x + layer.mlp(layer.mlp_norm(x))
        return functional.linear(self._decoder.norm(x[-1]), self._decoder.embedding.weight)

    def _attend(self, number: int, attention: Attention, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """x: (tokens, width)."""
        count, width = len(x), self._decoder.shape.head_width

        def heads(projected: Tensor) -> Tensor:
            return projected.view(count, -1, width).transpose(0, 1)

        q, k = rotate(heads(attention.q(x)), rotation), rotate(heads(attention.k(x)), rotation)
        start = self._length - count
        self._keys[number, :, start : self._length] = k
        self._values[number, :, start : self._length] = heads(attention.v(x))
        seen = torch.ones(count, self._length, dtype=torch.bool).tril(start) if count > 1 else None
        keys, values = self._keys[number, :, : self._length], self._values[number, :, : self._length]
        mixed = functional.scaled_dot_product_attention(q[None], keys[None], values[None], seen, enable_gqa=True)
        return attention.out(mixed[0].transpose(0, 1).reshape(count, -1))


def greedy(decoding: Decoding, prompt: Sequence[int], count: int) -> list[int]:
    """The `count` tokens that follow the prompt, the likeliest each time."""
    found, fed = [], list(prompt)
    for _ in range(count):
        fed = [int(decoding.feed(fed).argmax())]
        found += fed
    return found
