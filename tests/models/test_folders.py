"""A folder whose parts do not belong together, or are not whole, is refused in one line that names the part."""

import json

import pytest
import torch

from jouleproof.errors import UserError
from jouleproof.models.hugging import load_folder
from tests.models.families import VOCABULARY
from tests.models.folders import change_json, change_weights, save_model
from tests.models.test_minilm import small_tokenizer

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 98362432\n"
TOKENS = small_tokenizer().get_vocab_size()
LAYER = "model.layers.1.self_attn"


@pytest.fixture
def folder(transformers, tmp_path):
    save_model(transformers, tmp_path)
    return tmp_path


def refusal(folder):
    with pytest.raises(UserError) as caught:
        load_folder(folder)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    return str(caught.value)


def test_a_whole_folder_is_loaded(folder):
    assert load_folder(folder).likelihoods([[1, 2, 3]], [1])[0].nats.isfinite().all()


def test_weights_that_the_network_does_not_use_are_refused(folder):
    def add(weights):
        weights.update({f"{LAYER}.{part}_proj.bias": torch.ones(8) for part in "qkvo"})

    change_weights(folder, add)
    assert f"does not use: {LAYER}.k_proj.bias" in refusal(folder) and "and 1 more" in refusal(folder)


def test_layers_beyond_those_of_the_config_are_refused(folder):
    change_json(folder / "config.json", num_hidden_layers=1)
    assert "does not use: model.layers.1." in refusal(folder)


def test_weights_that_a_family_computes_itself_may_be_in_the_file(folder):
    change_weights(folder, lambda weights: weights.update({f"{LAYER}.rotary_emb.inv_freq": torch.ones(8)}))
    load_folder(folder)


def test_a_head_that_is_the_embedding_may_be_in_the_file_twice(transformers, tmp_path):
    save_model(transformers, tmp_path, tie_word_embeddings=True)
    change_weights(
        tmp_path, lambda weights: weights.update({"lm_head.weight": weights["model.embed_tokens.weight"] + 0})
    )
    load_folder(tmp_path)


@pytest.mark.parametrize(("value", "word"), [(float("nan"), "NaN"), (float("inf"), "infinite numbers")])
def test_a_weight_that_is_no_number_is_refused(folder, value, word):
    def spoil(weights):
        weights[f"{LAYER}.q_proj.weight"][3, 5] = value

    change_weights(folder, spoil)
    assert f"models: {folder.name} gives {word}, which its weight {LAYER}.q_proj.weight holds" in refusal(folder)


def test_logits_that_overflow_are_refused(folder):
    def spoil(weights):
        weights["model.norm.weight"].fill_(3e38)
        weights["lm_head.weight"].fill_(3e38)

    change_weights(folder, spoil)
    assert "gives NaN" in refusal(folder) or "gives infinite numbers" in refusal(folder)


def test_a_tokenizer_with_more_tokens_than_the_embedding_is_refused(transformers, tmp_path):
    save_model(transformers, tmp_path, vocab_size=VOCABULARY)
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["beyond"] = VOCABULARY + 7
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    assert f"tokens up to {VOCABULARY + 7}, but its embedding ends at {VOCABULARY - 1}" in refusal(tmp_path)


def test_an_end_token_without_an_embedding_is_refused(transformers, tmp_path):
    save_model(transformers, tmp_path, vocab_size=TOKENS)
    change_json(tmp_path / "tokenizer_config.json", eos_token="<end>")
    assert f"tokenizer has tokens up to {TOKENS}, but its embedding ends at {TOKENS - 1}" in refusal(tmp_path)


def test_a_special_token_without_an_embedding_stops_only_the_text_that_holds_it(transformers, tmp_path):
    save_model(transformers, tmp_path, vocab_size=TOKENS)
    change_json(tmp_path / "tokenizer_config.json", extra_special_tokens={"image_token": "<image>"})
    model = load_folder(tmp_path)
    assert model.likelihoods([[1, 2]], [1])
    text = model.tokens("<image>")
    for call in (
        lambda: model.likelihoods([[1, *text]], [1]),
        lambda: model.continued([1], [text], 1, lambda _: False),
    ):
        with pytest.raises(
            UserError, match=f"a text holds token {text[0]}, '<image>', but the embedding ends at {TOKENS - 1}"
        ):
            call()


def test_end_tokens_of_another_models_generation_config_are_refused(folder):
    change_json(folder / "generation_config.json", eos_token_id=[2, 50256])
    assert "generation_config.json ends texts at token 50256, but its embedding ends at 299" in refusal(folder)


def test_an_embedding_of_another_size_than_the_configs_is_refused(folder):
    change_json(folder / "config.json", vocab_size=200)
    assert "cannot be loaded" in refusal(folder)


@pytest.mark.parametrize(
    "name", ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
)
def test_a_pointer_of_git_lfs_is_called_one(folder, name):
    (folder / name).write_text(POINTER, encoding="utf-8")
    assert f"{folder / name} is a pointer of Git LFS, cloned without git lfs" in refusal(folder)


def test_a_pointer_to_a_file_that_is_not_read_does_no_harm(folder):
    (folder / "pytorch_model.bin").write_text(POINTER, encoding="utf-8")
    load_folder(folder)


@pytest.mark.parametrize("size", [4, 60, 5000])
def test_a_file_of_weights_that_is_cut_short_is_named(folder, size):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    assert f"{path} cannot be loaded: it " in refusal(folder)


def test_an_index_of_weights_that_names_missing_shards_is_refused(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    assert "has neither model.safetensors nor model.safetensors.index.json" in refusal(folder)
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    change_json(folder / "model.safetensors.index.json", weight_map=shards)
    assert "lacks model-00002-of-00002.safetensors, which model.safetensors.index.json names" in refusal(folder)
    change_json(folder / "model.safetensors.index.json", weight_map={})
    assert "lacks all files, which model.safetensors.index.json names" in refusal(folder)


@pytest.mark.parametrize("name", ["generation_config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_file_that_is_no_json_is_named(folder, name):
    (folder / name).write_text('{"a": ', encoding="utf-8")
    assert f"{folder / name} is not valid JSON" in refusal(folder)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "is quantised (gptq)"),
        ({"quantization_config": {"quant_method": "fp8"}}, "is quantised (fp8)"),
        ({"is_encoder_decoder": True}, "holds an encoder with its decoder"),
    ],
)
def test_a_model_that_is_not_a_plain_causal_one_is_refused_by_its_config(folder, change, complaint):
    change_json(folder / "config.json", **change)
    assert complaint in refusal(folder)


def test_weights_of_eight_bits_are_refused(folder):
    change_weights(folder, lambda weights: weights.update({"lm_head.weight": weights["lm_head.weight"].to(torch.int8)}))
    assert "model.safetensors holds I8; needed: weights in plain floating point" in refusal(folder)


def test_an_adapter_to_another_model_is_refused(folder):
    change_json(folder / "adapter_config.json", peft_type="LORA", base_model_name_or_path="organisation/model")
    assert "holds an adapter to another model" in refusal(folder)


@pytest.mark.parametrize(("family", "pad"), [("bert", 0), ("roberta", 1), ("electra", 0)])
def test_an_encoder_that_sees_the_token_it_predicts_is_refused(transformers, tmp_path, family, pad):
    save_model(transformers, tmp_path, family, is_decoder=False, pad_token_id=pad)
    assert f"({family}) is no causal language model" in refusal(tmp_path)


def test_a_tokenizer_without_a_vocabulary_is_refused(folder):
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["model"] = {"type": "BPE", "vocab": {}, "merges": []}
    tokenizer["added_tokens"] = []
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    assert "its tokenizer has no tokens for text" in refusal(folder)
