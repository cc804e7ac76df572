"""Decoding with packed layers: the bytes that they read, and the equality of their output."""

import pytest

from jouleproof.inputs import Problem
from jouleproof.models.casting import linear_layers
from jouleproof.studies.mx.config import DecodeConfig, MxConfig
from jouleproof.studies.mx.experiments.decode import FLOAT32, decode, enough_tokens
from tests.models.small import language_model

pytestmark = pytest.mark.usefixtures("one_thread")
PROBLEMS = [Problem("How many apples are left?", "", 1), Problem("Ann has 3 boxes of 12 eggs.", "", 2)]
CONFIG = DecodeConfig(prompt_tokens=4, tokens=3, repeats=2, forced=5)


def test_enough_tokens_run_on_into_the_next_question():
    assert len(enough_tokens(language_model(), PROBLEMS, 40)) == 40


def test_the_table_has_every_engine_in_every_round_and_finds_that_nothing_changed():
    table = decode(MxConfig(formats=["mxfp8_e4m3", "mxfp4"], decode=CONFIG), PROBLEMS, language_model())
    speeds = table[table["metric"] == "tokens_per_s"]
    assert set(speeds["format"]) == {FLOAT32, "mxfp8_e4m3", "mxfp4"} and len(speeds) == 6
    assert (table[table["metric"] == "max_difference"]["value"] < 1e-3).all()
    assert (table[table["metric"] == "same_token"]["value"] == 1).all()
    assert (table[(table["metric"] == "over_float32") & (table["format"] == FLOAT32)]["value"] == 1).all()


def test_the_bytes_are_those_of_the_layers_in_their_format_and_of_the_head():
    network = language_model().network
    table = decode(MxConfig(formats=["mxfp4"], decode=CONFIG), PROBLEMS, language_model())
    sizes = table[table["metric"] == "bytes_per_token"].groupby("format")["value"].unique()
    elements = sum(layer.weight.numel() for layer in linear_layers(network).values())
    head = network.embedding.weight.nbytes
    assert sizes[FLOAT32].tolist() == [4 * elements + head]
    assert sizes["mxfp4"].tolist() == [elements * 4.25 / 8 + head]
