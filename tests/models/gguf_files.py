"""GGUF files of small random networks of `transformers`, written as llama.cpp's converter writes them."""

import gguf
import numpy as np
import pytest
import torch
import transformers

from jouleproof.errors import UserError
from jouleproof.models.gguf import load_gguf

LETTERS = ["h", "o", "w", "m", "a", "n", "y", "Ġ", *"0123456789", "?"]
MERGES = ["h o", "ho w", "Ġ m", "1 2"]
SPECIAL = ["<s>", "</s>", "<|end|>"]
WORDS = [*SPECIAL, *LETTERS, *(merge.replace(" ", "") for merge in MERGES)]
CONTROL, NORMAL = 3, 1
VOCABULARY = 64
TOKENS = [*WORDS, *(f"unused{number}" for number in range(VOCABULARY - len(WORDS)))]
WIDTH, LAYERS, HEADS, KV_HEADS, MLP_WIDTH, CONTEXT = 32, 2, 4, 2, 48, 512
ROPE_BASE, EPSILON = 5000.0, 0.01
COMMON = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "intermediate_size": MLP_WIDTH,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": None,
}
METADATA = {
    "context_length": CONTEXT,
    "embedding_length": WIDTH,
    "block_count": LAYERS,
    "feed_forward_length": MLP_WIDTH,
    "attention.head_count": HEADS,
    "attention.head_count_kv": KV_HEADS,
    "rope.freq_base": ROPE_BASE,
}
HEAD_WIDTH = 8
ROPE = {"rope_type": "default", "rope_theta": ROPE_BASE}
RMS = {**METADATA, "attention.layer_norm_rms_epsilon": EPSILON}
TOKENIZER = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.bos_token_id": 0,
    "tokenizer.ggml.eos_token_id": 1,
}


def random_network(model_type, seed=0, **settings):
    """Build a network whose weights, biases and norms are all random."""
    config = transformers.AutoConfig.for_model(model_type, **{**COMMON, **settings})
    network = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + 0.2 * noise if "norm" in name or "ln_" in name else 0.2 * noise)
    return network


def interleaved(value, heads):
    """Interleave the halves of every head's rows, as llama.cpp's converter does for Llama."""
    return value.reshape(heads, 2, -1, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)


def tensors_of(network, architecture):
    """Return the tensors of a network by their names in a GGUF file."""
    kind = next(kind for kind, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(kind, network.config.num_hidden_layers)
    tensors = {}
    for name, weight in network.named_parameters():  # tied weights once
        value = weight.detach().numpy()
        if architecture == "llama" and ("q_proj" in name or "k_proj" in name):
            value = interleaved(value, HEADS if "q_proj" in name else KV_HEADS)
        if architecture.startswith("gemma") and "norm" in name:
            value = value + 1
        if architecture == "gpt2" and value.ndim == 2 and ".h." in name:
            value = value.T
        tensors[names.get_name(name, (".weight", ".bias"))] = np.ascontiguousarray(value)
    return tensors


def write(path, architecture, tensors, metadata, *, general=None, tokenizer=None, tokens=TOKENS, formats=None):
    """Write a GGUF file. A value of None leaves a key out. formats: GGML types by tensor, float32 otherwise."""
    writer = gguf.GGUFWriter(path, architecture)
    fields = {f"{architecture}.{key}": value for key, value in metadata.items()}
    for key, value in {**(general or {}), **fields, **TOKENIZER, **(tokenizer or {})}.items():
        if isinstance(value, list):
            writer.add_array(key, value)
        elif value is not None:
            add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
            add[type(value)](key, value)
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL if token in SPECIAL else NORMAL for token in tokens])
    if {**TOKENIZER, **(tokenizer or {})}["tokenizer.ggml.model"] == "gpt2":
        writer.add_token_merges(MERGES)
    else:
        writer.add_token_scores([-float(number) for number in range(len(tokens))])
    for name, value in tensors.items():
        if kind := (formats or {}).get(name):
            writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def llama(rope=ROPE, **settings):
    return random_network(
        "llama", rms_norm_eps=EPSILON, rope_parameters=rope, head_dim=HEAD_WIDTH, tie_word_embeddings=False, **settings
    )


def written(path, network=None, *, metadata=None, extra=None, **options):
    """Write a Llama. metadata, extra: keys and tensors that are added or replaced."""
    tensors = tensors_of(network or llama(), "llama")
    return write(path, "llama", {**tensors, **(extra or {})}, {**RMS, **(metadata or {})}, **options)


def one_line(path):
    """Return the message with which a file is refused."""
    with pytest.raises(UserError) as caught:
        load_gguf(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message
