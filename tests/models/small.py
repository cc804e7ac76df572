"""Models of random weights, small enough to run in a millisecond, with a tokenizer that needs no file."""

from contextlib import contextmanager
from dataclasses import dataclass

import torch

from jouleproof.models.decoder import Decoder
from jouleproof.models.decoder_shape import DecoderShape
from jouleproof.models.encoder import EncoderShape, SentenceEncoder
from jouleproof.models.minilm import EmbeddingModel
from jouleproof.models.smollm2 import LanguageModel

DECODER = DecoderShape(
    vocabulary=61, layers=2, width=64, mlp_width=96, heads=4, kv_heads=2, rope_base=10_000.0, norm_epsilon=1e-5
)
ENCODER = EncoderShape(vocabulary=61, positions=64, layers=2, width=64, mlp_width=96, heads=4, norm_epsilon=1e-12)


@dataclass(frozen=True)
class Encoded:
    ids: list[int]


class LetterTokenizer:
    """A tokenizer with one token per letter; letters that it lacks are one and the same token."""

    letters = "\n #$'*+,-./0123456789:<=>?ABHNQTWabcdefghijklmnopqrstuvwxyz\ufffd"

    def encode(self, text: str, add_special_tokens: bool = True) -> Encoded:
        lacking = len(self.letters)
        return Encoded([self.letters.index(letter) + 1 if letter in self.letters else lacking for letter in text])

    def decode(self, tokens: list[int], skip_special_tokens: bool = True) -> str:
        return "".join(self.letters[(token - 1) % len(self.letters)] for token in tokens)


def random_decoder(shape: DecoderShape = DECODER, seed: int = 0) -> Decoder:
    return _randomised(Decoder(shape), seed)


def random_encoder(shape: EncoderShape = ENCODER, seed: int = 0) -> SentenceEncoder:
    return _randomised(SentenceEncoder(shape), seed)


def language_model(seed: int = 0) -> LanguageModel:
    return LanguageModel("small decoder", random_decoder(seed=seed), LetterTokenizer(), "for a test")


def embedding_model(seed: int = 0) -> EmbeddingModel:
    return EmbeddingModel("small encoder", random_encoder(seed=seed), LetterTokenizer(), rounded=None)


@contextmanager
def unchanged(network):
    """Assert that every parameter has the same bits after the context as before it."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    yield
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def unstacked(weights, shape, number):
    """Return decoder `number` of those whose weights are stacked."""
    decoder, width, kv_width = random_decoder(shape), shape.width, shape.kv_heads * shape.head_width
    state = {}
    for name, tensor in weights.items():
        if "qkv" in name:
            matrices = tensor[number].split([width, kv_width, kv_width])
            state |= {name.replace("qkv", module): matrix for module, matrix in zip("qkv", matrices, strict=True)}
        elif "gate_up" in name:
            for module, matrix in zip(("gate", "up"), tensor[number].chunk(2), strict=True):
                state[name.replace("gate_up", module)] = matrix
        else:
            state[name] = tensor[number]
    decoder.load_state_dict(state)
    return decoder


def _randomised(network, seed):
    """Draw every parameter at random, norm weights around 1, so that confusing two parameters is noticed."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator) * 0.2
        parameter.data = 1 + noise if name.endswith("norm.weight") else noise
    return network.eval().requires_grad_(False)
