"""A small decoder-only transformer over bytes, to be trained from scratch on short documents.

The architecture is jouleproof.models.decoder's; a token is a byte of UTF-8. Documents stand one after the other in a
stream, each ended by a zero byte, which occurs in no text.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from jouleproof.inputs import Problem
from jouleproof.models.decoder import Decoder
from jouleproof.models.decoder_shape import DecoderShape, plain_shape

VOCABULARY = 256
END = 0
INITIAL_SPREAD = 0.05  # standard deviation of the weights; 0.02, as in GPT-2, starts slower at these widths
HEAD_WIDTH = 32


def small_shape(layers: int, width: int) -> DecoderShape:
    """Shape of a decoder over bytes with heads 32 wide.

    width: a multiple of 32, so that MX blocks are full.
    """
    if width % HEAD_WIDTH:
        raise ValueError(f"small_shape: width={width} is not a multiple of {HEAD_WIDTH}")
    return plain_shape(VOCABULARY, layers, width, width // HEAD_WIDTH)


def small_decoder(shape: DecoderShape, seed: int) -> Decoder:
    """Build an untrained decoder in float32. Weights are normal; those that write to the residual stream are narrower
    by the square root of their number (Radford et al. 2019); norms are 1. The same seed gives the same bits."""
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
    """Concatenate the documents, each with its end, to (bytes,) uint8."""
    return torch.frombuffer(bytearray(b"".join(text + bytes([END]) for text in documents)), dtype=torch.uint8)
