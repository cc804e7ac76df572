"""Configurations of `transformers` from the metadata of GGUF files.

The names and defaults of the metadata are those of llama.cpp. Every key below the architecture's prefix must be applied
here or have a value that changes nothing; any other file is refused, because its numbers would be those of another
model. The architectures in FAMILIES are those whose loaded networks the tests hold against `transformers`.
"""

from collections.abc import Callable, Mapping
from math import inf, isclose, sqrt
from typing import Any

from jouleproof.errors import UserError
from jouleproof.libraries import part_of
from jouleproof.models.gguf_header import GgufHeader
from jouleproof.models.loading import end_tokens, refused_as

ROPE_BASE = 10_000.0
NEUTRAL: Mapping[str, tuple[Any, ...]] = {  # values with which a key changes nothing
    "attention.causal": (True,),
    "attention.clamp_kqv": (0,),
    "attention.scale": (0,),
    "attention.max_alibi_bias": (0,),
    "attn_logit_softcapping": (0,),
    "final_logit_softcapping": (0,),
    "attention.sliding_window": (0,),
    "embedding_scale": (0, 1),
    "residual_scale": (0, 1),
    "logit_scale": (0, 1),
    "expert_count": (0,),
    "expert_used_count": (0,),
    "nextn_predict_layers": (0,),
    "pooling_type": (0,),
    "rope.scale_linear": (0, 1),
    "rope.scaling.attn_factor": (0, 1),
    "rope.scaling.factor": (0, 1),
    "rope.scaling.finetuned": (False, True),
    "rope.scaling.type": ("none",),
    "rope.scaling.yarn_log_multiplier": (0,),
    "swin_norm": (False,),
}


class Metadata:
    """Values below the prefix of an architecture, which remembers the keys that were read."""

    def __init__(self, header: GgufHeader) -> None:
        self.path, self.tensors = header.path, header.tensors
        self.prefix = f"{header.fields.get('general.architecture')}."
        self.unread = {
            key.removeprefix(self.prefix): value for key, value in header.fields.items() if key.startswith(self.prefix)
        }
        self.values = dict(self.unread)

    def number(self, key: str, otherwise: float | None = None) -> float:
        """Return a number of at least 0. otherwise: the value if the key is missing."""
        value = self._value(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < inf:
            raise self.refused(key, value, "expected a number of at least 0")
        return value

    def count(self, key: str, otherwise: int | None = None) -> int:
        """Return a whole number above 0. otherwise: the value if the key is missing."""
        value = self._value(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self.refused(key, value, "expected a whole number of at least 1")
        return value

    def _value(self, key: str, otherwise: float | None) -> Any:
        self.unread.pop(key, None)
        value = self.values.get(key, otherwise)
        if value is None:
            raise UserError(f"models: {self.path}: {self.prefix}{key} is missing")
        return value

    def text(self, key: str, otherwise: str) -> str:
        self.unread.pop(key, None)
        return str(self.values.get(key, otherwise))

    def must_be(self, key: str, expected: Any) -> None:
        """Refuse a key with another value than the expected one, unless the key is missing."""
        value = self.unread.pop(key, expected)
        if value != expected and not (isinstance(value, float) and isclose(value, expected, rel_tol=1e-5)):
            raise self.refused(key, value, f"expected {expected}")

    def refuse_unread(self) -> None:
        """Refuse keys that were not applied and whose value would change the model."""
        for key, value in self.unread.items():
            if value not in NEUTRAL.get(key, ()):
                raise self.refused(key, value, "the loader does not apply it")

    def refused(self, key: str, value: Any, why: str) -> UserError:
        return UserError(f"models: {self.path}: {self.prefix}{key} is {value!r:.60}; {why}")


def configuration(header: GgufHeader) -> Any:
    """Return the configuration of the network that the file describes.

    Raises UserError if the architecture is not verified, or if a key is missing or would not be applied.
    """
    transformers = part_of("transformers", "transformers", extra="llm")
    architecture = str(header.fields.get("general.architecture"))
    if architecture not in FAMILIES:
        raise UserError(
            f"models: {header.path}: architecture {architecture!r} is not verified; known: {', '.join(FAMILIES)}"
        )
    if (embedding := header.tensors.get("token_embd.weight")) is None:
        raise UserError(f"models: {header.path} has no tensor token_embd.weight; it does not hold a language model")
    model_type, family = FAMILIES[architecture]
    metadata = Metadata(header)
    vocabulary, heads = embedding.shape[0], metadata.count("attention.head_count")
    metadata.must_be("vocab_size", vocabulary)
    arguments = {
        "vocab_size": vocabulary,
        "max_position_embeddings": metadata.count("context_length"),
        "hidden_size": metadata.count("embedding_length"),
        "num_hidden_layers": _layers(metadata),
        "num_attention_heads": heads,
        "num_key_value_heads": metadata.count("attention.head_count_kv", heads),
        "intermediate_size": metadata.count("feed_forward_length"),
        "tie_word_embeddings": "output.weight" not in header.tensors,
        "pad_token_id": None,
        "bos_token_id": header.fields.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": end_tokens(header.fields) or None,
    }
    arguments |= family(metadata, arguments)
    metadata.refuse_unread()
    with refused_as(f"{header.path}: no {model_type} has this metadata"):
        return transformers.AutoConfig.for_model(model_type, **arguments)


def _layers(metadata: Metadata) -> int:
    layers, present = (
        metadata.count("block_count"),
        {name.split(".")[1] for name in metadata.tensors if name[:4] == "blk."},
    )
    if layers != len(present):
        raise metadata.refused("block_count", layers, f"the file has {len(present)} layers")
    return layers


def _head_width(metadata: Metadata, arguments: Mapping[str, Any]) -> int:
    width = metadata.count("attention.key_length", arguments["hidden_size"] // arguments["num_attention_heads"])
    metadata.must_be("attention.value_length", width)
    metadata.must_be("attention.scale", 1 / sqrt(width))
    return width


def _rope(metadata: Metadata, head_width: int, partial: bool = False) -> dict[str, Any]:
    """Return the parameters of rotary positions. partial: the family can leave a part of each head unrotated."""
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": metadata.number("rope.freq_base", ROPE_BASE)}
    if partial:
        rope["partial_rotary_factor"] = metadata.count("rope.dimension_count", head_width) / head_width
    else:
        metadata.must_be("rope.dimension_count", head_width)
    factor = metadata.number("rope.scaling.factor", 1.0)
    kind = metadata.text("rope.scaling.type", "linear")
    if kind == "none" or (kind == "linear" and factor in (0, 1)):
        return rope
    rope |= {"rope_type": kind, "factor": factor}
    if kind == "yarn":
        rope["original_max_position_embeddings"] = metadata.count("rope.scaling.original_context_length")
    elif kind != "linear":
        raise metadata.refused("rope.scaling.type", kind, "known: none, linear, yarn")
    return rope


def _llama(metadata: Metadata, arguments: Mapping[str, Any]) -> dict[str, Any]:
    width = _head_width(metadata, arguments)
    metadata.must_be("tensor_data_layout", "Meta AI original pth")
    return {
        "rms_norm_eps": metadata.number("attention.layer_norm_rms_epsilon"),
        "head_dim": width,
        "attention_bias": "blk.0.attn_q.bias" in metadata.tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in metadata.tensors,
        "rope_parameters": _rope(metadata, width),
    }


def _qwen(metadata: Metadata, arguments: Mapping[str, Any]) -> dict[str, Any]:
    width = _head_width(metadata, arguments)
    return {
        "rms_norm_eps": metadata.number("attention.layer_norm_rms_epsilon"),
        "head_dim": width,
        "rope_parameters": _rope(metadata, width),
    }


def _phi3(metadata: Metadata, arguments: Mapping[str, Any]) -> dict[str, Any]:
    width = _head_width(metadata, arguments)
    metadata.must_be("rope.scaling.original_context_length", arguments["max_position_embeddings"])
    return {
        "rms_norm_eps": metadata.number("attention.layer_norm_rms_epsilon"),
        "sliding_window": int(metadata.number("attention.sliding_window", 0)) or None,
        "rope_parameters": _rope(metadata, width, partial=True),
    }


def _gemma(metadata: Metadata, arguments: Mapping[str, Any], largest: int) -> dict[str, Any]:
    """Return what both generations have. largest: layers of the one size that scales attention by the width of all
    heads, which no key says."""
    width = _head_width(metadata, arguments)
    is_largest = arguments["num_hidden_layers"] == largest
    return {
        "rms_norm_eps": metadata.number("attention.layer_norm_rms_epsilon"),
        "head_dim": width,
        "query_pre_attn_scalar": arguments["hidden_size"] // arguments["num_attention_heads"] if is_largest else width,
        "sliding_window": metadata.count("attention.sliding_window"),
    }


def _gemma2(metadata: Metadata, arguments: Mapping[str, Any]) -> dict[str, Any]:
    common = _gemma(metadata, arguments, largest=46)
    return {
        **common,
        "attn_logit_softcapping": metadata.number("attn_logit_softcapping", 50.0) or None,
        "final_logit_softcapping": metadata.number("final_logit_softcapping", 30.0) or None,
        "rope_parameters": _rope(metadata, common["head_dim"]),
    }


def _gemma3(metadata: Metadata, arguments: Mapping[str, Any]) -> dict[str, Any]:
    common = _gemma(metadata, arguments, largest=62)
    metadata.must_be("attention.sliding_window_pattern", 6)
    local = {"rope_type": "default", "rope_theta": metadata.number("rope.freq_base_swa", ROPE_BASE)}
    return {
        **common,
        "final_logit_softcapping": metadata.number("final_logit_softcapping", 0) or None,
        "rope_parameters": {"full_attention": _rope(metadata, common["head_dim"]), "sliding_attention": local},
    }


def _gpt2(metadata: Metadata, arguments: Mapping[str, Any]) -> dict[str, Any]:
    metadata.must_be("attention.head_count_kv", arguments["num_attention_heads"])
    return {
        "n_inner": arguments["intermediate_size"],
        "layer_norm_epsilon": metadata.number("attention.layer_norm_epsilon"),
    }


def _starcoder2(metadata: Metadata, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "norm_epsilon": metadata.number("attention.layer_norm_epsilon"),
        "sliding_window": int(metadata.number("attention.sliding_window", 0)) or None,
        "rope_parameters": _rope(metadata, _head_width(metadata, arguments)),
    }


def _stablelm(metadata: Metadata, arguments: Mapping[str, Any]) -> dict[str, Any]:
    parallel = "blk.0.ffn_norm.weight" not in metadata.tensors
    metadata.must_be("use_parallel_residual", parallel)
    return {
        "layer_norm_eps": metadata.number("attention.layer_norm_epsilon"),
        "use_parallel_residual": parallel,
        "use_qkv_bias": "blk.0.attn_q.bias" in metadata.tensors,
        "rope_parameters": _rope(metadata, _head_width(metadata, arguments), partial=True),
    }


FAMILIES: Mapping[str, tuple[str, Callable[[Metadata, Mapping[str, Any]], dict[str, Any]]]] = {
    "llama": ("llama", _llama),
    "qwen2": ("qwen2", _qwen),
    "qwen3": ("qwen3", _qwen),
    "phi3": ("phi3", _phi3),
    "gemma2": ("gemma2", _gemma2),
    "gemma3": ("gemma3_text", _gemma3),
    "gpt2": ("gpt2", _gpt2),
    "starcoder2": ("starcoder2", _starcoder2),
    "stablelm": ("stablelm", _stablelm),
}
