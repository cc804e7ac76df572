"""A BERT-style sentence encoder: absolute positions, layer norm after each block, mean over the tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class EncoderShape:
    vocabulary: int
    positions: int
    layers: int
    width: int
    mlp_width: int
    heads: int
    norm_epsilon: float


class EncoderLayer(nn.Module):
    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.q = nn.Linear(shape.width, shape.width)
        self.k = nn.Linear(shape.width, shape.width)
        self.v = nn.Linear(shape.width, shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.attention_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.up = nn.Linear(shape.width, shape.mlp_width)
        self.down = nn.Linear(shape.mlp_width, shape.width)
        self.mlp_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Apply the layer to x, (batch, tokens, width). mask: (batch, 1, 1, tokens) bool, false at padding."""
        batch, tokens, _ = x.shape

        def heads(projected: Tensor) -> Tensor:
            return projected.view(batch, tokens, self.heads, -1).transpose(1, 2)

        q, k, v = heads(self.q(x)), heads(self.k(x)), heads(self.v(x))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = self.attention_norm(x + self.out(mixed.transpose(1, 2).reshape(batch, tokens, -1)))
        return self.mlp_norm(x + self.down(functional.gelu(self.up(x))))


class SentenceEncoder(nn.Module):
    """An encoder that maps token ids to one unit vector per sentence."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.segment = nn.Embedding(2, shape.width)
        self.embedding_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.layers))

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return sentence vectors (batch, width) of norm 1. tokens: (batch, tokens) int64, padded on the right;
        lengths: (batch,)."""
        present = torch.arange(tokens.shape[1]) < lengths[:, None]
        x = self.words(tokens) + self.positions.weight[: tokens.shape[1]] + self.segment.weight[0]
        x = self.embedding_norm(x)
        for layer in self.layers:
            x = layer(x, present[:, None, None, :])
        mean = (x * present[:, :, None]).sum(dim=1) / lengths[:, None]
        return functional.normalize(mean, dim=-1)
