"""A GGUF file gives the numbers of the network that it was made from, or is refused in one line."""

import gguf
import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="needs the extra llm")

from jouleproof.models.gguf import load_gguf
from tests.models import gguf_files
from tests.models.gguf_files import (
    CONTEXT,
    EPSILON,
    HEAD_WIDTH,
    HEADS,
    METADATA,
    RMS,
    ROPE,
    llama,
    one_line,
    random_network,
    tensors_of,
    written,
)

LAYER_NORM = {**METADATA, "attention.layer_norm_epsilon": EPSILON}
WINDOWED = {**RMS, "attention.sliding_window": 8}
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 128}
TEXT = torch.randint(3, 60, (1, 100), generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def same_logits(path, network):
    loaded = load_gguf(path).network
    torch.testing.assert_close(loaded(TEXT).logits, network(TEXT).logits, atol=1e-4, rtol=1e-4)


FAMILIES = {
    "llama": ("llama", RMS, {"rms_norm_eps": EPSILON, "rope_parameters": ROPE, "tie_word_embeddings": False}),
    "llama with wide heads": (
        "llama",
        {**RMS, "attention.key_length": 16, "attention.value_length": 16, "rope.dimension_count": 16},
        {"rms_norm_eps": EPSILON, "rope_parameters": ROPE, "head_dim": 16},
    ),
    "llama with biases": (
        "llama",
        RMS,
        {"rms_norm_eps": EPSILON, "rope_parameters": ROPE, "attention_bias": True, "mlp_bias": True},
    ),
    "llama with linear scaling": (
        "llama",
        {**RMS, "rope.scaling.type": "linear", "rope.scaling.factor": 4.0},
        {"rms_norm_eps": EPSILON, "rope_parameters": {**ROPE, "rope_type": "linear", "factor": 4.0}},
    ),
    "qwen2": ("qwen2", RMS, {"rms_norm_eps": EPSILON, "rope_parameters": ROPE, "tie_word_embeddings": True}),
    "qwen2 with yarn": (
        "qwen2",
        {
            **RMS,
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 4.0,
            "rope.scaling.original_context_length": CONTEXT // 4,
        },
        {
            "rms_norm_eps": EPSILON,
            "rope_parameters": {
                **ROPE,
                "rope_type": "yarn",
                "factor": 4.0,
                "original_max_position_embeddings": CONTEXT // 4,
            },
        },
    ),
    "qwen3": (
        "qwen3",
        {**RMS, "attention.key_length": 16, "attention.value_length": 16},
        {"rms_norm_eps": EPSILON, "rope_parameters": ROPE, "head_dim": 16},
    ),
    "phi3": ("phi3", RMS, {"rms_norm_eps": EPSILON, "rope_parameters": ROPE}),
    "phi3 with a window and unrotated parts": (
        "phi3",
        {**WINDOWED, "rope.dimension_count": 4},
        {"rms_norm_eps": EPSILON, "rope_parameters": {**ROPE, "partial_rotary_factor": 0.5}, "sliding_window": 8},
    ),
    "gemma2": (
        "gemma2",
        {
            **WINDOWED,
            "attention.key_length": 16,
            "attention.value_length": 16,
            "attn_logit_softcapping": 2.0,
            "final_logit_softcapping": 3.0,
        },
        {
            "rms_norm_eps": EPSILON,
            "rope_parameters": ROPE,
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "attn_logit_softcapping": 2.0,
            "final_logit_softcapping": 3.0,
            "sliding_window": 8,
        },
    ),
    "gemma3": (
        "gemma3",
        {
            **WINDOWED,
            "attention.key_length": 16,
            "attention.value_length": 16,
            "rope.scaling.type": "linear",
            "rope.scaling.factor": 8.0,
            "block_count": 6,
        },
        {
            "num_hidden_layers": 6,
            "rms_norm_eps": EPSILON,
            "rope_parameters": {
                "full_attention": {**ROPE, "rope_type": "linear", "factor": 8.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            },
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "sliding_window": 8,
        },
    ),
    "gpt2": ("gpt2", {**LAYER_NORM, "attention.head_count_kv": HEADS, "rope.freq_base": None}, {}),
    "starcoder2": ("starcoder2", LAYER_NORM, {"norm_epsilon": EPSILON, "rope_parameters": ROPE}),
    "stablelm": (
        "stablelm",
        {**LAYER_NORM, "rope.dimension_count": 4, "use_parallel_residual": False},
        {
            "layer_norm_eps": EPSILON,
            "rope_parameters": {**ROPE, "partial_rotary_factor": 0.5},
            "use_qkv_bias": True,
            "use_parallel_residual": False,
        },
    ),
    "stablelm in parallel": (
        "stablelm",
        {**LAYER_NORM, "rope.dimension_count": 2, "use_parallel_residual": True},
        {
            "layer_norm_eps": EPSILON,
            "rope_parameters": {**ROPE, "partial_rotary_factor": 0.25},
            "use_qkv_bias": False,
            "use_parallel_residual": True,
        },
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_file_gives_the_logits_of_the_network_that_it_was_made_from(tmp_path, name):
    architecture, metadata, settings = FAMILIES[name]
    if architecture == "gpt2":
        settings = {"n_inner": gguf_files.MLP_WIDTH, "layer_norm_epsilon": EPSILON}
    network = random_network({"gemma3": "gemma3_text"}.get(architecture, architecture), **settings)
    path = gguf_files.write(tmp_path / "m.gguf", architecture, tensors_of(network, architecture), metadata)
    same_logits(path, network)


def test_divisors_of_the_frequencies_give_the_positions_of_llama_3(tmp_path):
    plain, scaled = llama(), llama({**ROPE, "rope_type": "llama3", **LLAMA3})
    divisors = (plain.model.rotary_emb.inv_freq / scaled.model.rotary_emb.inv_freq).numpy()
    assert (divisors != 1).any()
    path = written(tmp_path / "m.gguf", plain, extra={"rope_freqs.weight": divisors})
    same_logits(path, scaled)
    texts = [TEXT[0].tolist()]
    logs = scaled(TEXT).logits[0].log_softmax(dim=1)
    expected = torch.stack([logs[place, token] for place, token in enumerate(texts[0][1:])])
    scored = load_gguf(path).likelihoods(texts, [1])[0]
    torch.testing.assert_close(scored.nats.sum().abs(), expected.sum().abs(), atol=1e-2, rtol=1e-5)


@pytest.mark.parametrize("value", [np.ones(3, dtype=np.float32), np.zeros(4, dtype=np.float32)])
def test_divisors_that_cannot_be_applied_are_refused(tmp_path, value):
    assert "rope_freqs.weight" in one_line(written(tmp_path / "m.gguf", extra={"rope_freqs.weight": value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rope.scaling.type", "longrope"),
        ("rope.scaling.attn_factor", 1.2),
        ("rope.scaling.yarn_beta_fast", 8.0),
        ("rope.scale_linear", 4.0),
        ("rope.dimension_count", 4),
        ("rope.dimension_sections", [1, 1, 2, 0]),
        ("logit_scale", 0.125),
        ("residual_scale", 0.22),
        ("embedding_scale", 12.0),
        ("attention.scale", 0.015625),
        ("attention.clamp_kqv", 8.0),
        ("attention.causal", False),
        ("attention.sliding_window", 8),
        ("attention.value_length", 16),
        ("attn_logit_softcapping", 50.0),
        ("final_logit_softcapping", 30.0),
        ("attention.head_count", [4, 2]),
        ("expert_count", 8),
        ("pooling_type", 1),
        ("vocab_size", 63),
        ("new_key", 3),
    ],
)
def test_metadata_that_would_not_be_applied_is_refused_by_key_and_value(tmp_path, key, value):
    message = one_line(written(tmp_path / "m.gguf", metadata={key: value}))
    assert f"llama.{key} is {value!r}" in message


def test_metadata_with_values_that_change_nothing_are_read(tmp_path):
    neutral = {
        "rope.scaling.type": "linear",
        "rope.scaling.factor": 1.0,
        "rope.scaling.finetuned": True,
        "rope.dimension_count": HEAD_WIDTH,
        "logit_scale": 1.0,
        "attention.scale": HEAD_WIDTH**-0.5,
        "attention.causal": True,
        "expert_count": 0,
        "vocab_size": gguf_files.VOCABULARY,
    }
    general = {"general.name": "Small", "general.file_type": 0, "quantize.imatrix.file": "i", "someone.version": "2"}
    network = llama()
    same_logits(written(tmp_path / "m.gguf", network, metadata=neutral, general=general), network)


@pytest.mark.parametrize("key", ["block_count", "context_length", "attention.layer_norm_rms_epsilon"])
def test_a_key_that_is_needed_and_missing_is_named(tmp_path, key):
    assert f"llama.{key} is missing" in one_line(written(tmp_path / "m.gguf", metadata={key: None}))


@pytest.mark.parametrize("name", ["blk.0.attn_q_norm.weight", "blk.0.ssm_in.weight", "cls.weight", "rope_factors"])
def test_a_tensor_that_the_network_does_not_use_is_named(tmp_path, name):
    message = one_line(written(tmp_path / "m.gguf", extra={name: np.zeros(32, dtype=np.float32)}))
    assert f"does not use {name}" in message


def test_biases_of_a_part_of_the_attention_are_refused(tmp_path):
    message = one_line(written(tmp_path / "m.gguf", extra={"blk.0.attn_q.bias": np.zeros(32, dtype=np.float32)}))
    assert "lacks blk.0.attn_k.bias" in message


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("block_count", 3, "block_count is 3; the file has 2 layers"),
        ("block_count", 2**31, "the file has 2 layers"),
        ("feed_forward_length", 49, "(48, 32); the metadata asks for (49, 32)"),
        ("embedding_length", 2**31, "no llama has this metadata"),
        ("attention.head_count", 0, "attention.head_count is 0"),
        ("attention.head_count", 3, "not a multiple of the number of attention heads"),
        ("attention.layer_norm_rms_epsilon", float("nan"), "layer_norm_rms_epsilon is nan"),
        ("context_length", "long", "context_length is 'long'"),
    ],
)
def test_metadata_that_does_not_fit_the_tensors_are_refused(tmp_path, key, value, complaint):
    assert complaint in one_line(written(tmp_path / "m.gguf", metadata={key: value}))


def test_a_tensor_that_is_missing_is_named(tmp_path):
    tensors = tensors_of(llama(), "llama")
    del tensors["blk.1.ffn_up.weight"]
    path = gguf_files.write(tmp_path / "m.gguf", "llama", tensors, RMS)
    assert "lacks blk.1.ffn_up.weight" in one_line(path)


def test_an_architecture_that_was_not_verified_is_refused(tmp_path):
    path = gguf_files.write(tmp_path / "m.gguf", "mamba", {"token_embd.weight": np.zeros((64, 32), np.float32)}, RMS)
    assert "architecture 'mamba' is not verified; known: llama, qwen2" in one_line(path)


@pytest.mark.parametrize(
    ("general", "complaint"),
    [
        ({"general.type": "adapter"}, "general.type is 'adapter'"),
        ({"general.type": "mmproj"}, "general.type is 'mmproj'"),
        ({"split.count": 3}, "one of 3 files"),
    ],
)
def test_a_file_that_is_no_whole_model_is_refused(tmp_path, general, complaint):
    assert complaint in one_line(written(tmp_path / "m.gguf", general=general))


def test_a_file_of_a_vocabulary_alone_is_refused(tmp_path):
    assert "has no weights" in one_line(gguf_files.write(tmp_path / "m.gguf", "llama", {}, RMS))


@pytest.mark.parametrize("name", ["model", "Qwen2.5-0.5B", "model-Q8_0", "a.Q4_K_M"])
@pytest.mark.parametrize(("kind", "rounded"), [("Q4_0", "Q4_0"), ("F16", "F16"), (None, None)])
def test_rounded_is_the_type_of_the_tensors_and_not_the_name_of_the_file(tmp_path, name, kind, rounded):
    tensors = tensors_of(llama(), "llama")
    matrices = [tensor for tensor, value in tensors.items() if value.ndim == 2 and "ffn_down" not in tensor]
    formats = dict.fromkeys(matrices, gguf.GGMLQuantizationType[kind]) if kind else {}
    assert load_gguf(written(tmp_path / f"{name}.gguf", formats=formats)).rounded == rounded


def test_rounded_names_every_format_within_the_layers(tmp_path):
    tensors = tensors_of(llama(), "llama")
    kinds = {"attn_q": "Q8_0", "attn_k": "Q8_0", "ffn_up": "Q5_1", "ffn_gate": "Q5_1", "token": "Q4_1"}
    formats = {
        name: gguf.GGMLQuantizationType[kind]
        for name in tensors
        for part, kind in kinds.items()
        if part in name and "norm" not in name
    }
    assert load_gguf(written(tmp_path / "m.gguf", formats=formats)).rounded == "Q5_1+Q8_0"


def test_other_files_of_the_same_name_or_folder_are_not_read(tmp_path, monkeypatch):
    network, other = llama(seed=1), llama(seed=2)
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    written(tmp_path / "here" / "m.gguf", other)
    (tmp_path / "there" / "tokenizer.json").write_text("{}", encoding="utf-8")
    (tmp_path / "there" / "adapter_config.json").write_text("{}", encoding="utf-8")
    path = written(tmp_path / "there" / "m.gguf", network)
    monkeypatch.chdir(tmp_path / "here")
    same_logits(path, network)
