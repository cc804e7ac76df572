"""The decoder computes what transformers' Llama computes on the same weights."""

from dataclasses import replace

import pytest
import torch

from jouleproof.models import decoder as decoder_module
from jouleproof.models.decoder import Decoder, first_layers, rotary_angles, rotate
from jouleproof.models.hugging import as_llama
from tests.models.small import DECODER, language_model, random_decoder


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
@pytest.mark.usefixtures("transformers")
def test_logits_are_those_of_llama(shape):
    decoder = random_decoder(shape)
    expected = as_llama(decoder)(tokens()).logits
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
    with pytest.raises(ValueError, match="count must be at most 2, got 3"):
        first_layers(whole, 3)


def test_random_weights_are_those_of_their_seed():
    one, same, other = (decoder_module.random_decoder(DECODER, seed) for seed in (1, 1, 2))
    assert torch.equal(one.embedding.weight, same.embedding.weight)
    assert not torch.equal(one.embedding.weight, other.embedding.weight)
    assert float(one.layers[0].mlp.up.weight.std()) == pytest.approx(0.02, rel=0.1)
    assert bool((one.norm.weight == 1).all())
