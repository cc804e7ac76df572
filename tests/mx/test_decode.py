"""A model with its linear layers packed computes what the model with fake-quantised weights computes."""

from functools import partial

import pytest
import torch

from bench.formats import FORMATS, fake_quantize
from bench.inputs import Problem
from bench.mx.casting import linear_layers, weights_cast
from bench.mx.config import DecodeConfig, MxConfig
from bench.mx.experiments.decode import FLOAT32, decode, enough_tokens
from bench.mx.packed_linear import packed_product, products_replaced
from tests.models.small import language_model
from tests.mx import own

PROBLEMS = [Problem("How many apples are left?", "", 1), Problem("Ann has 3 boxes of 12 eggs.", "", 2)]
CONFIG = DecodeConfig(prompt_tokens=4, tokens=3, repeats=2, forced=5)


@pytest.mark.parametrize("fmt", [*FORMATS.values(), own.FORMAT], ids=lambda fmt: fmt.name)
def test_packed_products_are_those_of_fake_quantised_weights(fmt):
    network, tokens = language_model().network, torch.tensor([[3, 1, 4, 1, 5]])
    with weights_cast(network, partial(fake_quantize, fmt=fmt)):
        expected = network(tokens)
    with torch.inference_mode(), products_replaced(network, partial(packed_product, fmt=fmt)):
        found = network(tokens)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_the_model_is_given_back_as_it_was_even_after_an_error():
    network = language_model().network
    before = linear_layers(network)
    with pytest.raises(RuntimeError), products_replaced(network, partial(packed_product, fmt=FORMATS["mxfp4"])):
        assert linear_layers(network) == {}
        raise RuntimeError
    assert linear_layers(network) == before


def test_the_bytes_are_those_of_the_packed_weights():
    network = language_model().network
    elements = sum(layer.weight.numel() for layer in linear_layers(network).values())
    with products_replaced(network, partial(packed_product, fmt=FORMATS["mxfp4"])) as read:
        assert read == elements * 4.25 / 8


def test_enough_tokens_run_on_into_the_next_question():
    assert len(enough_tokens(language_model(), PROBLEMS, 40)) == 40


def test_the_table_has_every_engine_in_every_round_and_finds_that_nothing_changed():
    table = decode(MxConfig(formats=["mxfp8_e4m3", "mxfp4"], decode=CONFIG), PROBLEMS, language_model())
    speeds = table[table["metric"] == "tokens_per_s"]
    assert set(speeds["format"]) == {FLOAT32, "mxfp8_e4m3", "mxfp4"} and len(speeds) == 6
    assert (table[table["metric"] == "max_difference"]["value"] < 1e-3).all()
    assert (table[table["metric"] == "same_token"]["value"] == 1).all()
    assert (table[(table["metric"] == "over_float32") & (table["format"] == FLOAT32)]["value"] == 1).all()
