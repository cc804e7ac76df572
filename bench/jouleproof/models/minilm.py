"""all-MiniLM-L6-v2, a sentence encoder in float32, loaded from its safetensors file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from jouleproof.models.encoder import EncoderShape, SentenceEncoder
from jouleproof.models.loading import check_layers, formats_in, refused_as, with_weights
from jouleproof.models.text import padded

MAX_TOKENS = 256
NAMES = {
    "embeddings.word_embeddings": "words",
    "embeddings.position_embeddings": "positions",
    "embeddings.token_type_embeddings": "segment",
    "embeddings.LayerNorm": "embedding_norm",
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "out",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "up",
    "output.dense": "down",
    "output.LayerNorm": "mlp_norm",
}


@dataclass(frozen=True)
class EmbeddingModel:
    """An encoder with its tokenizer. rounded: as in LanguageModel."""

    name: str
    network: SentenceEncoder
    tokenizer: Tokenizer
    rounded: str | None

    def tokens(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    @torch.inference_mode()
    def run(self, texts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Embed texts as (texts, width) float32 sentence vectors of norm 1."""
        return self.network(*padded(texts))


def load_minilm(weights: Path, config: Path, tokenizer: Path) -> EmbeddingModel:
    """Load the encoder and its tokenizer. Raises UserError if the files do not hold this architecture."""
    with refused_as(f"{weights.parent} is not all-MiniLM-L6-v2"):
        settings = json.loads(config.read_text(encoding="utf-8"))
        shape = EncoderShape(
            vocabulary=settings["vocab_size"],
            positions=settings["max_position_embeddings"],
            layers=settings["num_hidden_layers"],
            width=settings["hidden_size"],
            mlp_width=settings["intermediate_size"],
            heads=settings["num_attention_heads"],
            norm_epsilon=settings["layer_norm_eps"],
        )
        state = {
            _name(name): value.float()
            for name, value in load_file(weights).items()
            if name != "embeddings.position_ids" and not name.startswith("pooler.")
        }
        rounded = formats_in([weights])
        check_layers("num_hidden_layers", shape.layers, state)
        words = Tokenizer.from_file(str(tokenizer))
        encoder = with_weights(partial(SentenceEncoder, shape), state)
    words.no_padding()
    words.enable_truncation(min(MAX_TOKENS, shape.positions))
    return EmbeddingModel(name="all-MiniLM-L6-v2", network=encoder, tokenizer=words, rounded=rounded)


def _name(saved: str) -> str:
    stem, _, kind = saved.rpartition(".")
    if stem.startswith("encoder.layer."):
        number, _, weight = stem.removeprefix("encoder.layer.").partition(".")
        return f"layers.{number}.{NAMES[weight]}.{kind}"
    return f"{NAMES[stem]}.{kind}"
