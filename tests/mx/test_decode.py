"""A model with its linear layers packed computes what the model with fake-quantised weights computes."""

from functools import partial

import pytest
import torch

from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.inputs import Problem
from jouleproof.models.casting import linear_layers, weights_cast
from jouleproof.studies.mx.config import DecodeConfig, MxConfig
from jouleproof.studies.mx.experiments.decode import FLOAT32, decode, enough_tokens
from jouleproof.studies.mx.packed_linear import make_engine, packed_product, plain_product, running, shared_inputs
from tests.extension_example import formats as own
from tests.models.small import language_model

pytestmark = pytest.mark.usefixtures("one_thread")
PROBLEMS = [Problem("How many apples are left?", "", 1), Problem("Ann has 3 boxes of 12 eggs.", "", 2)]
CONFIG = DecodeConfig(prompt_tokens=4, tokens=3, repeats=2, forced=5)


def packed_engine(network, fmt):
    groups = shared_inputs(network, lambda: network(torch.tensor([[1, 2]])))
    return make_engine(network, groups, partial(packed_product, fmt=fmt))


@pytest.mark.parametrize("fmt", [FORMATS["mxfp8_e4m3"], FORMATS["mxfp4"], own.FORMAT], ids=lambda fmt: fmt.name)
def test_packed_products_are_those_of_fake_quantised_weights(fmt):
    assert_same_products(fmt)


@pytest.mark.long  # two seconds of compiling for each
@pytest.mark.parametrize("name", ["mxfp8_e5m2", "mxfp6_e3m2", "mxfp6_e2m3", "mxint8"])
def test_packed_products_are_those_of_fake_quantised_weights_in_the_other_formats(name):
    assert_same_products(FORMATS[name])


def assert_same_products(fmt):
    network, tokens = language_model().network, torch.tensor([[3, 1, 4, 1, 5]])
    with weights_cast(network, partial(fake_quantize, fmt=fmt)):
        expected = network(tokens)
    packed = packed_engine(network, fmt)
    with torch.inference_mode(), running(network, packed):
        found = network(tokens)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_the_model_is_given_back_as_it_was_even_after_an_error():
    network = language_model().network
    before = linear_layers(network)
    with pytest.raises(RuntimeError), running(network, packed_engine(network, FORMATS["mxfp4"])):
        assert linear_layers(network) == {}
        raise RuntimeError
    assert linear_layers(network) == before


def test_the_bytes_are_those_of_the_packed_weights():
    network = language_model().network
    elements = sum(layer.weight.numel() for layer in linear_layers(network).values())
    assert packed_engine(network, FORMATS["mxfp4"]).weight_bytes == elements * 4.25 / 8


def test_layers_that_share_an_input_are_one_product_and_float32_stays_what_it_was():
    network, tokens = language_model().network, torch.tensor([[3, 1, 4]])
    groups = shared_inputs(network, lambda: network(tokens))
    assert [[name.rpartition(".")[2] for name in group] for group in groups[:4]] == [
        ["q", "k", "v"], ["out"], ["gate", "up"], ["down"]
    ]  # fmt: skip
    with torch.inference_mode():
        expected = network(tokens)
        with running(network, make_engine(network, groups, plain_product)):
            torch.testing.assert_close(network(tokens), expected)


def test_enough_tokens_run_on_into_the_next_question():
    assert len(enough_tokens(language_model(), PROBLEMS, 40)) == 40


def test_the_table_has_every_engine_in_every_round_and_finds_that_nothing_changed():
    table = decode(MxConfig(formats=["mxfp8_e4m3", "mxfp4"], decode=CONFIG), PROBLEMS, language_model())
    speeds = table[table["metric"] == "tokens_per_s"]
    assert set(speeds["format"]) == {FLOAT32, "mxfp8_e4m3", "mxfp4"} and len(speeds) == 6
    assert (table[table["metric"] == "max_difference"]["value"] < 1e-3).all()
    assert (table[table["metric"] == "same_token"]["value"] == 1).all()
    assert (table[(table["metric"] == "over_float32") & (table["format"] == FLOAT32)]["value"] == 1).all()
