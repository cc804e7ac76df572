"""Tiny networks of many families of causal language models in `transformers`, with random weights from a fixed seed."""

import torch

CONTEXT, VOCABULARY = 48, 61
SIZES = {
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "sliding_window": 4,
    "rotary_dim": 8,
    "state_size": 8,
    "num_experts_per_tok": 2,
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "word_embed_proj_dim"), 64),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim", "n_inner", "dff"), 96),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 32),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "encoder_layers", "decoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "attention_heads"), 4),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads"), 2),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts"), 4),
    **dict.fromkeys(("head_dim", "kv_channels"), 16),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "context_length"), CONTEXT),
    "max_target_positions": CONTEXT,
}  # by the names that families give them
PLAIN = (
    "apertus arcee bart biogpt bloom codegen cohere cohere2 ctrl exaone4 gemma gemma3_text glm glm4 gpt2 gpt_bigcode "
    "gpt_neox gpt_oss gptj granitemoe helium lfm2 llama mamba mistral mixtral modernbert-decoder mpt nanochat olmo2 "
    "openai-gpt opt persimmon phi qwen2_moe qwen3 recurrent_gemma rwkv stablelm starcoder2 whisper xglm"
)
FAMILIES = {  # family: what its config has otherwise
    **{family: {} for family in PLAIN.split()},
    "bert": {"is_decoder": True},
    "gemma2": {"final_logit_softcapping": 30.0},
    "gpt_neo": {"num_layers": 2, "attention_types": [[["global", "local"], 1]], "window_size": 4},
    "granite": {"logits_scaling": 8.0},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2},
    "llama4_text": {"attention_chunk_size": 4},
    "nemotron": {"num_key_value_heads": 2},
    "phi3": {
        "original_max_position_embeddings": 8,
        "rope_parameters": {
            "rope_type": "longrope",
            "rope_theta": 1e4,
            "short_factor": [1.0] * 8,
            "long_factor": [4.0] * 8,
        },
    },
    "roberta": {"is_decoder": True, "pad_token_id": 1},
}


def tiny(transformers, family, **more):
    """Build a network of a family. more: what its config has beside FAMILIES."""
    defaults = transformers.AutoConfig.for_model(family)
    sizes = {name: value for name, value in SIZES.items() if getattr(defaults, name, None) is not None or "_id" in name}
    return built(
        transformers, transformers.AutoConfig.for_model(family, **{**sizes, **FAMILIES.get(family, {}), **more})
    )


def tiny_of_images_and_text(transformers):
    """Build a Gemma 3 that reads images beside text."""
    text = {name: SIZES[name] for name in transformers.Gemma3TextConfig().to_dict() if name in SIZES}
    vision = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    special = {"image_token_id": 60, "boi_token_id": 59, "eoi_token_id": 58, "mm_tokens_per_image": 4}
    vision |= {"image_size": 28, "patch_size": 14}
    return built(transformers, transformers.Gemma3Config(text_config=text, vision_config=vision, **special))


def built(transformers, config):
    """Build the network of a config with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = transformers.AutoModelForCausalLM.from_config(config)
    generator = torch.Generator().manual_seed(0)
    for values in network.parameters():  # spread out, so that the likeliest token is far from the second
        noise = torch.randn(values.shape, generator=generator)
        values.data = noise / 4 if values.dim() > 1 else values.data + noise / 10
    return network.train(False).requires_grad_(False)
