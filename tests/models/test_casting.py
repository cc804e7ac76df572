"""Linear layers under a cast, and the model restored afterwards."""

import re
from functools import partial

import pytest
import torch
from torch import nn

from jouleproof.errors import UserError
from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.models.casting import activations_cast, activations_seen, check_castable, linear_layers, weights_cast
from jouleproof.models.hugging import HuggingModel
from tests.models.families import tiny, tiny_of_images_and_text
from tests.models.small import unchanged

NOT_CAST = re.compile(r"embed|wte|wpe|lm_head|\.conv\.conv\.")


class Small(nn.Module):
    """Three layers on one input, a fourth on their output, and an embedding that is also the output projection."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(8, 8, bias=False) for _ in range(3))
        self.out = nn.Linear(8, 8)
        self.embedding = nn.Embedding(5, 8)

    def forward(self, x):
        mixed = self.q(x) + self.k(x) * self.v(x)
        return nn.functional.linear(self.out(mixed), self.embedding.weight)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Small().eval().requires_grad_(False)


@pytest.fixture
def x():
    return torch.randn(3, 8, generator=torch.Generator().manual_seed(1))


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def negate(x):
    return -x


def test_linear_layers_are_found_by_name_and_the_embedding_is_none(model):
    assert list(linear_layers(model)) == ["q", "k", "v", "out"]


def test_the_linear_layers_of_nested_modules_have_dotted_names(model):
    assert list(linear_layers(nn.Sequential(model))) == ["0.q", "0.k", "0.v", "0.out"]


def test_weights_are_cast_inside_and_biases_and_embeddings_are_not(model):
    before = weights(model)
    with weights_cast(model, negate):
        after = weights(model)
    cast = ("q.weight", "k.weight", "v.weight", "out.weight")
    assert all(torch.equal(after[name], -value if name.endswith(cast) else value) for name, value in before.items())


def test_weights_are_restored_bit_by_bit(model):
    with unchanged(model), weights_cast(model, torch.zeros_like):
        pass


def test_weights_are_restored_after_an_exception_inside(model):
    with (
        unchanged(model),
        pytest.raises(RuntimeError, match="inside"),
        weights_cast(model, torch.zeros_like),
    ):
        raise RuntimeError("inside")


def test_weights_are_restored_after_an_exception_in_the_cast(model):
    calls = []

    def fails_at_the_third(weight):
        calls.append(weight)
        if len(calls) == 3:
            raise RuntimeError("third")
        return torch.zeros_like(weight)

    with unchanged(model), pytest.raises(RuntimeError, match="third"), weights_cast(model, fails_at_the_third):
        pass


def test_weights_that_require_grad_are_cast_and_restored():
    layer = nn.Linear(4, 4)
    before = layer.weight
    with weights_cast(layer, torch.zeros_like):
        assert not layer.weight.any()
    assert layer.weight is before and layer.weight.any() and layer.weight.requires_grad


def test_an_input_that_layers_share_is_cast_once(model, x):
    seen = []

    def cast(tensor):
        seen.append(tensor)
        return tensor.clone()

    with activations_cast(model, cast):
        model(x)
    assert len(seen) == 2 and seen[0] is x


def test_every_layer_sees_the_cast_input(model, x):
    with activations_cast(model, torch.round):
        cast = model(x)
    q, k, v = (layer(torch.round(x)) for layer in (model.q, model.k, model.v))
    mixed = model.out(torch.round(q + k * v))
    assert torch.equal(cast, nn.functional.linear(mixed, model.embedding.weight))


def test_a_second_input_is_cast_anew(model, x):
    with activations_cast(model, torch.round):
        model(x)
        second = model(x * 2)
    with activations_cast(model, torch.round):
        assert torch.equal(second, model(x * 2))


def test_activations_are_cast_no_longer_afterwards(model, x):
    before = model(x)
    with activations_cast(model, torch.zeros_like):
        pass
    assert torch.equal(model(x), before)


def test_activations_are_cast_no_longer_after_an_exception(model, x):
    before = model(x)
    with pytest.raises(RuntimeError), activations_cast(model, torch.zeros_like):
        raise RuntimeError
    assert torch.equal(model(x), before)


def test_weights_and_activations_are_cast_together(model, x):
    with weights_cast(model, negate), activations_cast(model, negate):
        both = model.q(x)
    assert torch.equal(both, model.q(x))


def test_each_different_input_is_seen_once_under_its_first_layers_name(model, x):
    seen = []
    with activations_seen(model, lambda name, tensor: seen.append((name, tensor))):
        model(x)
    assert [name for name, _ in seen] == ["q", "out"] and seen[0][1] is x


def test_seeing_activations_changes_none(model, x):
    before = model(x)
    with activations_seen(model, lambda name, tensor: torch.zeros_like(tensor)):
        during = model(x)
    assert torch.equal(during, before)


def test_activations_are_seen_no_longer_afterwards(model, x):
    seen = []
    with activations_seen(model, lambda name, tensor: seen.append(name)):
        pass
    model(x)
    assert seen == []


def test_an_output_projection_that_shares_the_embeddings_matrix_is_not_cast(model):
    model.head = nn.Linear(8, 5, bias=False)
    model.head.weight = model.embedding.weight
    assert "head" not in linear_layers(model)


def test_a_linear_layer_whose_matrix_lies_transposed_is_cast_along_its_inputs(transformers):
    layer = transformers.pytorch_utils.Conv1D(nf=64, nx=32)  # (inputs, outputs)
    values = torch.randn(64, 32, generator=torch.Generator().manual_seed(0))
    layer.weight.data, cast = values.T.contiguous(), partial(fake_quantize, fmt=FORMATS["mxfp4"])
    with unchanged(layer), weights_cast(nn.Sequential(layer), cast):
        assert torch.equal(layer.weight.T, cast(values)) and not torch.equal(layer.weight.T, values)
    x = torch.ones(1, 32)
    turned = layer(-x)
    with activations_cast(nn.Sequential(layer), negate):
        assert torch.equal(layer(x), turned)


@pytest.mark.parametrize("family", ["llama", "gpt2", "opt", "bloom", "lfm2", "phi", "llama4_text"])
def test_a_cast_of_a_familys_weights_reaches_all_matrices_but_embeddings_and_head_or_is_refused(transformers, family):
    network = tiny(transformers, family)
    body = HuggingModel(family, network, None, None, 48).body
    before = {name: values.clone() for name, values in network.named_parameters()}
    meant = {name for name, values in before.items() if values.dim() > 1 and not NOT_CAST.search(name)}
    if family == "llama4_text":
        with pytest.raises(UserError, match="belongs to no linear layer, so a cast of the weights would leave it"):
            check_castable(body, family)
        return
    with unchanged(network), weights_cast(body, negate):
        changed = {name for name, values in network.named_parameters() if not torch.equal(values, before[name])}
    assert changed == meant and len(meant) >= 8


@pytest.mark.parametrize("family", ["mixtral", "qwen2_moe", "gpt_oss", "granitemoe"])
def test_experts_that_a_cast_would_leave_out_are_refused_in_one_line(transformers, family):
    network = tiny(transformers, family)
    refused = pytest.raises(UserError, match="belongs to no linear layer")
    with unchanged(network), refused as caught, weights_cast(network.base_model, negate):
        pass
    assert "\n" not in str(caught.value)


def test_layers_for_images_and_the_head_are_no_part_of_a_text_models_body(transformers):
    network = tiny_of_images_and_text(transformers)
    before = {name: values.clone() for name, values in network.named_parameters()}
    with weights_cast(HuggingModel("gemma3", network, None, None, 48).body, negate):
        changed = {name for name, values in network.named_parameters() if not torch.equal(values, before[name])}
    assert len(changed) == 14 and all(".language_model.layers." in name for name in changed)
    network = tiny(transformers, "llama4_text")
    assert network.lm_head not in HuggingModel("llama4", network, None, None, 48).body.modules()
