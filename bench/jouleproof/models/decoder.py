"""A Llama-style decoder-only transformer: grouped-query attention, rotary positions, RMS norm, gated MLP."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from jouleproof.models.decoder_shape import DecoderShape
from jouleproof.models.loading import with_weights


class Attention(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.shape = shape
        kv_width = shape.kv_heads * shape.head_width
        self.q = nn.Linear(shape.width, shape.width, bias=False)
        self.k = nn.Linear(shape.width, kv_width, bias=False)
        self.v = nn.Linear(shape.width, kv_width, bias=False)
        self.out = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Apply causal self-attention to x, (batch, tokens, width). rotation: from rotary_angles."""
        batch, tokens, _ = x.shape

        def heads(projected: Tensor) -> Tensor:
            return projected.view(batch, tokens, -1, self.shape.head_width).transpose(1, 2)

        q, k, v = rotate(heads(self.q(x)), rotation), rotate(heads(self.k(x)), rotation), heads(self.v(x))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, -1))


class GatedMLP(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.gate = nn.Linear(shape.width, shape.mlp_width, bias=False)
        self.up = nn.Linear(shape.width, shape.mlp_width, bias=False)
        self.down = nn.Linear(shape.mlp_width, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.silu(self.gate(x)) * self.up(x))


class Layer(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.attention = Attention(shape)
        self.mlp_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.mlp = GatedMLP(shape)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = x + self.attention(self.attention_norm(x), rotation)
        return x + self.mlp(self.mlp_norm(x))


class Decoder(nn.Module):
    """A decoder that maps token ids to next-token logits. Input and output embeddings share one matrix, which is left
    uninitialised."""

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.shape = shape
        empty = torch.empty(shape.vocabulary, shape.width)
        self.embedding = nn.Embedding.from_pretrained(empty, freeze=False)  # type: ignore[no-untyped-call]
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return float32 logits (batch, tokens, vocabulary) of the token after each position.

        tokens: (batch, tokens) int64, padded on the right; causal attention never reads the padding.
        """
        return self.head(self.hidden(tokens))

    def hidden(self, tokens: Tensor) -> Tensor:
        """Return the hidden states (batch, tokens, width) that `head` maps to the logits of each position."""
        x = self.embedding(tokens)
        rotation = rotary_angles(tokens.shape[1], self.shape)
        for layer in self.layers:
            x = layer(x, rotation)
        return self.norm(x)

    def head(self, hidden: Tensor) -> Tensor:
        """Map hidden states (…, width) to logits (…, vocabulary)."""
        return functional.linear(hidden, self.embedding.weight)


def first_layers(decoder: Decoder, count: int) -> Decoder:
    """Return a decoder with only the first `count` layers, whose weights it shares. Raises ValueError if there are
    fewer."""
    shape = decoder.shape
    if count > shape.layers:
        raise ValueError(f"first_layers: count must be at most {shape.layers}, got {count}")
    left_out = tuple(f"layers.{number}." for number in range(count, shape.layers))
    state = {name: value for name, value in decoder.state_dict().items() if not name.startswith(left_out)}
    return with_weights(partial(Decoder, replace(shape, layers=count)), state)


def random_decoder(shape: DecoderShape, seed: int, spread: float = 0.02) -> Decoder:
    """Build a decoder with Gaussian weights of standard deviation `spread` and norm weights of one."""
    generator = torch.Generator().manual_seed(seed)
    decoder = Decoder(shape)
    for name, parameter in decoder.named_parameters():
        if name.endswith("norm.weight"):
            parameter.data.fill_(1.0)
        else:
            parameter.data.normal_(0.0, spread, generator=generator)
    return decoder.eval().requires_grad_(False)


def rotary_angles(tokens: int, shape: DecoderShape) -> tuple[Tensor, Tensor]:
    """Return cosine and sine, (tokens, head_width) each, of the rotary position embedding (arXiv 2104.09864)."""
    half = torch.arange(0, shape.head_width, 2, dtype=torch.float32) / shape.head_width
    angles = torch.outer(torch.arange(tokens, dtype=torch.float32), shape.rope_base**-half)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate x, (batch, heads, tokens, head_width), in the planes of (i, i + head_width / 2)."""
    cosine, sine = rotation
    left, right = x.chunk(2, dim=-1)
    return x * cosine + torch.cat([-right, left], dim=-1) * sine
