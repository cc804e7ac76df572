"""A small decoder-only transformer over bytes, to be trained from scratch on short documents.

The architecture is that of jouleproof.models.decoder; a token is a byte of UTF-8. Documents are concatenated into a
stream, each followed by a zero byte, which no text contains.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from jouleproof.inputs import Problem
from jouleproof.models.decoder import Decoder
from jouleproof.models.decoder_shape import DecoderShape, plain_shape

VOCABULARY = 256
END = 0
INITIAL_SPREAD = 0.05  # standard deviation of the weights; 0.02, as in GPT-2, learns more slowly at these widths
HEAD_WIDTH = 32


def small_shape(layers: int, width: int) -> DecoderShape:
    """Return the shape of a decoder over bytes with heads 32 wide.

    width: a multiple of 32, so that MX blocks are full.
    """
    if width % HEAD_WIDTH:
        raise ValueError(f"small_shape: width must be a multiple of {HEAD_WIDTH}, got {width}")
    return plain_shape(VOCABULARY, layers, width, width // HEAD_WIDTH)


def small_decoder(shape: DecoderShape, seed: int) -> Decoder:
    """Build an untrained decoder in float32. Weights are normally distributed; those that write to the residual stream
    have a spread smaller by the square root of their number (Radford et al. 2019); norm weights are 1. The same seed
    gives the same bits."""
    with torch.device("meta"):
        decoder = Decoder(shape)
    decoder.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    residual_spread = INITIAL_SPREAD / (2 * shape.layers) ** 0.5
    for name, parameter in decoder.named_parameters():
        if name.endswith("norm.weight"):
            nn.init.ones_(parameter)
        else:
            residual = name.endswith(("out.weight", "down.weight"))
            nn.init.normal_(parameter, std=residual_spread if residual else INITIAL_SPREAD, generator=generator)
    return decoder


def document(problem: Problem) -> bytes:
    """Encode a question and its worked answer, with a line break between them."""
    return f"{problem.question}\n{problem.answer}".encode()


def stream(documents: Iterable[bytes]) -> Tensor:
    """Concatenate the documents, each followed by END, into (bytes,) uint8."""
    return torch.frombuffer(bytearray(b"".join(text + bytes([END]) for text in documents)), dtype=torch.uint8)
