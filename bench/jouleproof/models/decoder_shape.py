"""The shape of a decoder, and the parameters and operations that follow from it. This module has no heavy imports."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DecoderShape:
    vocabulary: int
    layers: int
    width: int
    mlp_width: int
    heads: int
    kv_heads: int
    rope_base: float
    norm_epsilon: float

    @property
    def head_width(self) -> int:
        return self.width // self.heads


def plain_shape(vocabulary: int, layers: int, width: int, heads: int) -> DecoderShape:
    """Return the shape of a decoder in which no heads share keys and the MLP is three times as wide as the model.

    width: an even multiple of heads, for rotary positions.
    """
    if width % (2 * heads):
        raise ValueError(f"plain_shape: width must be an even multiple of heads={heads}, got {width}")
    return DecoderShape(
        vocabulary=vocabulary,
        layers=layers,
        width=width,
        mlp_width=3 * width,
        heads=heads,
        kv_heads=heads,
        rope_base=10_000.0,
        norm_epsilon=1e-5,
    )


def layer_weights(shape: DecoderShape) -> int:
    """Count the weights in the matrices of all layers, without norms and without the embedding, which is also the
    head."""
    attention = 2 * shape.width * (shape.heads + shape.kv_heads) * shape.head_width
    return shape.layers * (attention + 3 * shape.width * shape.mlp_width)


def parameters(shape: DecoderShape) -> int:
    """Count all parameters of a decoder: matrices, embedding and norms."""
    return layer_weights(shape) + (shape.vocabulary + 2 * shape.layers + 1) * shape.width


def forward_flops(shape: DecoderShape, tokens: float, outputs: float, attended: float) -> float:
    """Count the multiplications and additions of all matrix products.

    tokens: tokens read. outputs: positions whose logits are computed. attended: pairs of a token and a token that it
    attends to, itself included.
    """
    attention = 4.0 * shape.layers * shape.heads * shape.head_width * attended
    return 2.0 * layer_weights(shape) * tokens + 2.0 * shape.vocabulary * shape.width * outputs + attention


def answer_flops(shape: DecoderShape, prompt: int, written: float) -> float:
    """Count the multiplications and additions of writing an answer with a KV cache. prompt, written: tokens; the last
    written one is not read back."""
    read = prompt + written - 1
    attended = read * (read + 1) / 2
    return forward_flops(shape, read, written, attended)


def answer_bytes(shape: DecoderShape, prompt: int, written: float, batch: int) -> float:
    """Count the bytes of float32 weights, read once per token for the whole batch, and of cached keys and values, read
    again for each token."""
    weights = layer_weights(shape) + shape.vocabulary * shape.width
    kept = 2 * shape.layers * shape.kv_heads * shape.head_width
    again = sum(prompt + place for place in range(round(written)))
    return 4.0 * (weights * written / batch + kept * again)
