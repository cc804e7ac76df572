"""SmolLM2-135M-Instruct from its GGUF file, in which weights are rounded to 16 levels per block (Q4_1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import nn

from jouleproof.models.continuation import Done, continued
from jouleproof.models.decoder import Decoder
from jouleproof.models.decoder_shape import DecoderShape
from jouleproof.models.gguf_config import Metadata
from jouleproof.models.gguf_header import read_header
from jouleproof.models.likelihood import Likelihood, likelihoods
from jouleproof.models.loading import check_layers, end_tokens, refused_as, with_weights
from jouleproof.models.runner import Runner
from jouleproof.models.text import padded

CONTROL_TOKEN = 3
SIDE_BY_SIDE = 16
SHAPES: Mapping[str, DecoderShape] = {  # from the models' config files, Allal et al., arXiv 2502.02737
    "smollm2_135m": DecoderShape(
        vocabulary=49152, layers=30, width=576, mlp_width=1536, heads=9, kv_heads=3, rope_base=1e5, norm_epsilon=1e-5
    ),
    "smollm2_360m": DecoderShape(
        vocabulary=49152, layers=32, width=960, mlp_width=2560, heads=15, kv_heads=5, rope_base=1e5, norm_epsilon=1e-5
    ),
    "smollm2_1.7b": DecoderShape(
        vocabulary=49152,
        layers=24,
        width=2048,
        mlp_width=8192,
        heads=32,
        kv_heads=32,
        rope_base=1.3e5,
        norm_epsilon=1e-5,
    ),
}
NAMES = {
    "attn_norm": "attention_norm",
    "attn_q": "attention.q",
    "attn_k": "attention.k",
    "attn_v": "attention.v",
    "attn_output": "attention.out",
    "ffn_norm": "mlp_norm",
    "ffn_gate": "mlp.gate",
    "ffn_up": "mlp.up",
    "ffn_down": "mlp.down",
}


@dataclass(frozen=True)
class LanguageModel:
    """A decoder with its tokenizer.

    rounded: the format that its weights were already rounded to, or None; only unrounded weights can test a cast of
    weights. context: tokens of the longest text that it was trained to read. path: its file. ends: tokens that end a
    text.
    """

    name: str
    network: Decoder
    tokenizer: Tokenizer
    rounded: str | None
    context: int = 2048
    path: Path | None = None
    ends: tuple[int, ...] = ()

    @property
    def body(self) -> nn.Module:
        """The network's layers, without the head."""
        return self.network

    def tokens(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    @torch.inference_mode()
    def run(self, texts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return float32 next-token logits (texts, tokens of the longest, vocabulary); positions after a text's end
        belong to padding."""
        tokens, _ = padded(texts)
        return self.network(tokens)

    def text(self, tokens: Sequence[int]) -> str:
        return self.tokenizer.decode(list(tokens), skip_special_tokens=False)

    def likelihoods(self, texts: Sequence[Sequence[int]], firsts: Sequence[int]) -> list[Likelihood]:
        """Score the tokens of each text from its position in `firsts`, at least 1, to its end."""
        return likelihoods(self.network.hidden, self.network.head, texts, firsts)

    def continued(
        self, prefix: Sequence[int], prompts: Sequence[Sequence[int]], most: int, done: Done
    ) -> list[list[int]]:
        """Continue every prompt as jouleproof.models.continuation does, sixteen texts at once."""
        capacity = len(prefix) + max(map(len, prompts)) + most
        runner = Runner(self.network, min(len(prompts), SIDE_BY_SIDE) + 1, capacity)
        return continued(runner, prefix, prompts, most, done, self.ends)


def load_smollm2(path: Path) -> LanguageModel:
    """Read the weights into float32. Raises UserError if the file is not a GGUF file of this architecture."""
    header = read_header(path)
    metadata, refusal = Metadata(header), f"{path} is not a SmolLM2 file in GGUF format"
    with refused_as(refusal):
        if header.fields["general.architecture"] != "llama" or header.fields["tokenizer.ggml.pre"] != "smollm":
            raise KeyError("general.architecture, tokenizer.ggml.pre")
    shape = DecoderShape(
        vocabulary=metadata.count("vocab_size"),
        layers=metadata.count("block_count"),
        width=metadata.count("embedding_length"),
        mlp_width=metadata.count("feed_forward_length"),
        heads=metadata.count("attention.head_count"),
        kv_heads=metadata.count("attention.head_count_kv"),
        rope_base=metadata.number("rope.freq_base"),
        norm_epsilon=metadata.number("attention.layer_norm_rms_epsilon"),
    )
    context = metadata.count("context_length", LanguageModel.context)
    metadata.must_be("rope.dimension_count", shape.head_width)
    metadata.refuse_unread()
    with refused_as(refusal):
        weights = {
            _name(tensor.name): _weight(tensor.name, dequantize(tensor.data, tensor.tensor_type), shape)
            for tensor in GGUFReader(path).tensors
        }
        check_layers("llama.block_count", shape.layers, weights)
        tokenizer = _tokenizer(header.fields)
        network = with_weights(partial(Decoder, shape), weights)
    return LanguageModel(
        name="SmolLM2-135M",
        network=network,
        tokenizer=tokenizer,
        rounded=header.rounded,
        context=context,
        path=path,
        ends=tuple(end_tokens(header.fields)),
    )


def _name(gguf_name: str) -> str:
    parts = gguf_name.split(".")
    if parts[0] == "blk":
        return f"layers.{parts[1]}.{NAMES[parts[2]]}.weight"
    return {"token_embd": "embedding", "output_norm": "norm"}[parts[0]] + ".weight"


def _weight(name: str, value: np.ndarray, shape: DecoderShape) -> torch.Tensor:
    """Convert a tensor of the file. GGUF interleaves the rotated rows of q and k (0, half, 1, half + 1 …); here each
    half is contiguous."""
    for matrix, heads in (("attn_q", shape.heads), ("attn_k", shape.kv_heads)):
        if f".{matrix}." in name:
            value = value.reshape(heads, shape.head_width // 2, 2, -1).swapaxes(1, 2).reshape(value.shape)
    return torch.from_numpy(np.array(value, dtype=np.float32))


def _tokenizer(field: Mapping[str, Any]) -> Tokenizer:
    """Build a byte-level BPE tokenizer that first splits off every digit, as the pre-tokenizer `smollm` of the file
    does."""
    tokens, types = field["tokenizer.ggml.tokens"], field["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in field["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in control])
    return tokenizer
