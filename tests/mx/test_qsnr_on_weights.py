"""QSNR on the tensors of models: the right tensors are measured, and each has its own name."""

import numpy as np
import pytest
import torch

from jouleproof.drawing import select
from jouleproof.formats import fake_quantize
from jouleproof.inputs import Problem
from jouleproof.models.casting import linear_layers
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig, WeightsConfig
from jouleproof.studies.mx.experiments.qsnr_on_weights import activation_rows, measured_layers, qsnr_on_weights
from jouleproof.studies.mx.generated_vectors import qsnr_db
from tests.models.small import embedding_model, language_model

pytestmark = pytest.mark.usefixtures("one_thread")
PROBLEMS = [Problem(question, "#### 1", 1) for question in ("How many apples are left?", "Why?", "Not measured")]
CONFIG = MxConfig(formats=["mxfp4", "mxint8"], scales=["floor"], qsnr_on_weights=WeightsConfig(questions=2))


@pytest.fixture(scope="module")
def table():
    return qsnr_on_weights(CONFIG, PROBLEMS, language_model(), embedding_model())


def row(table, **where):
    (only,) = select.where(table, **where)["value"]
    return only


def test_every_projection_of_every_layer_has_its_weight_measured(table):
    weights = table[(table["tensor"] == "weight") & (table["format"] == "mxfp4")]
    decoder = weights[weights["model"] == "small decoder"]
    measured = set(zip(decoder["layer"], decoder["projection"], strict=True))
    assert measured == {(layer, name) for layer in (0, 1) for name in ("q", "k", "v", "out", "gate", "up", "down")}


def test_each_different_input_of_a_layer_is_measured_once(table):
    activations = table[(table["tensor"] == "activation") & (table["format"] == "mxfp4")]
    names = activations.groupby("model")["projection"].agg(lambda column: sorted(set(column)))
    assert names.to_dict() == {
        "small decoder": ["down", "gate", "out", "q"],
        "small encoder": ["down", "out", "q", "up"],
    }


def test_the_qsnr_of_a_weight_is_that_of_its_matrix(table):
    weight = language_model().network.layers[1].mlp.down.weight.numpy()
    ours = row(table, model="small decoder", tensor="weight", layer=1, projection="down", format="mxfp4")
    assert ours == qsnr_db(weight, fake_quantize(weight, "mxfp4"))


def test_the_qsnr_of_an_activation_leaves_padding_out(table):
    model = language_model()
    caught = [model.network.embedding.weight[torch.tensor(model.tokens(p.question))] for p in PROBLEMS[:2]]
    x = model.network.layers[0].attention_norm(torch.cat(caught)).numpy()
    ours = row(table, model="small decoder", tensor="activation", layer=0, projection="q", format="mxint8")
    assert ours == pytest.approx(qsnr_db(x, fake_quantize(x, "mxint8")), abs=0.05)


def test_a_stride_leaves_layers_out():
    assert {name.split(".")[1] for name in measured_layers(language_model().network, 2)} == {"0"}


def test_a_stride_of_one_leaves_nothing_out():
    network = embedding_model().network
    assert measured_layers(network, 1) == linear_layers(network)


def test_activations_of_layers_that_are_not_asked_for_are_not_measured():
    model = language_model()
    casts = registry.casts(CONFIG.model_copy(update={"formats": ["mxfp4"]}))
    rows = activation_rows(model, [model.tokens("Why?")], {"layers.1.attention.q"}, casts)
    assert [(row["layer"], row["projection"]) for row in rows] == [(1, "q")]


def test_whether_weights_were_rounded_before_is_said_of_every_row(table):
    said = table.groupby("model")["rounded"].agg(set).to_dict()
    assert said == {"small decoder": {"for a test"}, "small encoder": {"no"}}


def test_all_values_are_plausible_decibels(table):
    assert np.isfinite(table["value"]).all() and table["value"].between(10, 60).all()
