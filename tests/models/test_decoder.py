"""The decoder computes what transformers' Llama computes on the same weights."""

from dataclasses import replace

import pytest
import torch

from jouleproof.models import decoder as decoder_room
from jouleproof.models.decoder import Decoder, first_layers, rotary_angles, rotate
from tests.models.small import DECODER, language_model, random_decoder

NAMES = {
    "attention_norm": "input_layernorm",
    "attention.q": "self_attn.q_proj",
    "attention.k": "self_attn.k_proj",
    "attention.v": "self_attn.v_proj",
    "attention.out": "self_attn.o_proj",
    "mlp_norm": "post_attention_layernorm",
    "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
}


def llama(transformers, decoder):
    """transformers' model with the decoder's weights."""
    shape = decoder.shape
    config = transformers.LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.mlp_width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        rms_norm_eps=shape.norm_epsilon,
        rope_theta=shape.rope_base,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_base},
        max_position_embeddings=128,
        tie_word_embeddings=True,
        attn_implementation="eager",
    )
    model = transformers.LlamaForCausalLM(config).eval()
    ours = decoder.state_dict()
    theirs = {
        "model.embed_tokens.weight": ours["embedding.weight"],
        "lm_head.weight": ours["embedding.weight"],
        "model.norm.weight": ours["norm.weight"],
    }
    for layer in range(shape.layers):
        for our_name, their_name in NAMES.items():
            theirs[f"model.layers.{layer}.{their_name}.weight"] = ours[f"layers.{layer}.{our_name}.weight"]
    model.load_state_dict(theirs)
    return model


def tokens(rows=3, length=17):
    return torch.randint(DECODER.vocabulary, (rows, length), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "shape",
    [
        DECODER,
        replace(DECODER, kv_heads=4),
        replace(DECODER, kv_heads=1),
        replace(DECODER, rope_base=100_000.0, norm_epsilon=1e-2),
    ],
    ids=["grouped queries", "a key per head", "one key for all", "another rotation and epsilon"],
)
@torch.inference_mode()
def test_logits_are_those_of_llama(transformers, shape):
    decoder = random_decoder(shape)
    expected = llama(transformers, decoder)(tokens()).logits
    torch.testing.assert_close(decoder(tokens()), expected, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_token_does_not_see_the_ones_after_it():
    decoder, other = random_decoder(), tokens()
    other[:, 9:] = 0
    torch.testing.assert_close(decoder(other)[:, :9], decoder(tokens())[:, :9], atol=1e-6, rtol=0)


def test_padding_does_not_change_the_logits_before_it():
    model = language_model()
    short, long = [3, 1, 4, 1], [2, 7, 1, 8, 2, 8, 1, 8]
    torch.testing.assert_close(model.run([short, long])[0, :4], model.run([short])[0], atol=1e-5, rtol=0)


def test_input_and_output_embeddings_are_one_matrix():
    assert sum(parameter.shape[0] == DECODER.vocabulary for parameter in Decoder(DECODER).parameters()) == 1


def test_rotation_keeps_lengths():
    x = torch.randn(1, 2, 5, DECODER.head_width, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(rotate(x, rotary_angles(5, DECODER)).norm(dim=-1), x.norm(dim=-1))


def test_products_of_rotated_vectors_depend_on_their_distance_alone():
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(DECODER.head_width, generator=generator).expand(1, 1, 12, -1) for _ in range(2))
    rotation = rotary_angles(12, DECODER)
    products = (rotate(q, rotation) @ rotate(k, rotation).mT)[0, 0]
    torch.testing.assert_close(products[:-3, :-3], products[3:, 3:], atol=1e-4, rtol=1e-4)


def test_the_first_layers_are_a_decoder_of_their_own_on_the_same_weights():
    whole = random_decoder()
    shorter = first_layers(whole, 1)
    assert shorter.shape.layers == 1 and len(shorter.layers) == 1
    assert shorter.embedding.weight.data_ptr() == whole.embedding.weight.data_ptr()
    with pytest.raises(ValueError, match="has 2 layers, not 3"):
        first_layers(whole, 3)


def test_random_weights_are_those_of_their_seed():
    one, same, other = (decoder_room.random_decoder(DECODER, seed) for seed in (1, 1, 2))
    assert torch.equal(one.embedding.weight, same.embedding.weight)
    assert not torch.equal(one.embedding.weight, other.embedding.weight)
    assert float(one.layers[0].mlp.up.weight.std()) == pytest.approx(0.02, rel=0.1)
    assert bool((one.norm.weight == 1).all())
