"""A sentence encoder is read from the right files; wrong ones are refused in one line."""

import json

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from jouleproof.errors import UserError
from jouleproof.models.minilm import MAX_TOKENS, load_minilm
from tests.models.small import ENCODER, random_encoder
from tests.models.test_encoder import their_name

CONFIG = {
    "vocab_size": ENCODER.vocabulary,
    "max_position_embeddings": ENCODER.positions,
    "num_hidden_layers": ENCODER.layers,
    "hidden_size": ENCODER.width,
    "intermediate_size": ENCODER.mlp_width,
    "num_attention_heads": ENCODER.heads,
    "layer_norm_eps": ENCODER.norm_epsilon,
}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "how", "many", "apples"]


def saved_tensors():
    tensors = {their_name(name): value.contiguous() for name, value in random_encoder().state_dict().items()}
    tensors["embeddings.position_ids"] = torch.arange(ENCODER.positions)[None]
    tensors["pooler.dense.weight"] = torch.zeros(ENCODER.width, ENCODER.width)
    tensors["pooler.dense.bias"] = torch.zeros(ENCODER.width)
    return tensors


def small_tokenizer():
    """Build a tokenizer that pads and truncates, as the real file's does."""
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=128)
    tokenizer.enable_truncation(128)
    return tokenizer


@pytest.fixture
def files(tmp_path):
    weights, config, tokenizer = (tmp_path / name for name in ("model.safetensors", "config.json", "tokenizer.json"))
    save_file(saved_tensors(), weights)
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    small_tokenizer().save(str(tokenizer))
    return weights, config, tokenizer


def one_line(files):
    with pytest.raises(UserError) as caught:
        load_minilm(*files)
    message = str(caught.value)
    assert "\n" not in message and str(files[0].parent) in message
    return message


def test_the_network_has_the_weights_of_the_file(files):
    loaded, expected = load_minilm(*files).network.state_dict(), random_encoder().state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], value) for name, value in expected.items())


def test_vectors_are_those_of_the_network_that_was_saved(files):
    model = load_minilm(*files)
    expected = random_encoder()(torch.tensor([[2, 4, 5, 3]]), torch.tensor([4]))
    assert torch.equal(model.run([[2, 4, 5, 3]]), expected)


def test_a_text_gets_its_special_tokens_and_no_padding(files):
    assert load_minilm(*files).tokens("how many pears") == [2, 4, 5, 1, 3]


def test_a_long_text_is_cut_at_what_the_model_was_made_for(files):
    model = load_minilm(*files)
    assert len(model.tokens("how " * 2 * MAX_TOKENS)) == min(MAX_TOKENS, model.network.positions.num_embeddings)


@pytest.mark.parametrize(("dtype", "rounded"), [(torch.float32, None), (torch.bfloat16, "BF16")])
def test_rounded_is_the_format_in_which_the_file_stores_its_matrices(files, dtype, rounded):
    save_file({name: value.to(dtype) for name, value in saved_tensors().items()}, files[0])
    model = load_minilm(*files)
    assert model.rounded == rounded and model.run([[2, 4, 3]]).dtype == torch.float32


def test_the_network_needs_no_gradients(files):
    assert not any(parameter.requires_grad for parameter in load_minilm(*files).network.parameters())


@pytest.mark.parametrize("number", range(3), ids=["weights", "config", "tokenizer"])
def test_a_missing_file_is_an_error_of_one_line(files, number):
    files[number].unlink()
    one_line(files)


@pytest.mark.parametrize("keep", [0, 5, 100, -20])
@pytest.mark.parametrize("number", range(3), ids=["weights", "config", "tokenizer"])
def test_a_truncated_file_is_an_error_of_one_line(files, number, keep):
    files[number].write_bytes(files[number].read_bytes()[:keep])
    one_line(files)


WRONG_CONFIGS = ([], 3, {}, {"vocab_size": "many"}, {**CONFIG, "hidden_size": "wide"}, {**CONFIG, "hidden_size": 32})


@pytest.mark.parametrize("content", WRONG_CONFIGS)
def test_a_config_of_something_else_or_of_another_shape_is_an_error_of_one_line(files, content):
    files[1].write_text(json.dumps(content), encoding="utf-8")
    one_line(files)


def test_missing_weights_and_those_of_another_model_are_an_error_of_one_line(files):
    tensors = saved_tensors()
    del tensors["encoder.layer.1.output.dense.bias"]
    for wrong in (tensors, {"transformer.h.0.attn.weight": torch.zeros(2, 2)}):
        save_file(wrong, files[0])
        one_line(files)


@pytest.mark.parametrize("layers", [1, 10**12])
def test_another_number_of_layers_is_an_error_of_one_line_before_any_is_made(files, layers):
    files[1].write_text(json.dumps({**CONFIG, "num_hidden_layers": layers}), encoding="utf-8")
    assert f"num_hidden_layers={layers}, but the file has {ENCODER.layers} layers" in one_line(files)
