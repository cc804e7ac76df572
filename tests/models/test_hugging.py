"""Folders of transformers models give the same numbers as our decoder, or are refused."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import processors

from jouleproof.errors import UserError
from jouleproof.models.continuation import continued, greedy
from jouleproof.models.hugging import HuggingModel, as_llama, load_folder, load_from_hub
from jouleproof.models.likelihood import likelihoods
from jouleproof.models.loading import stored_formats
from jouleproof.models.runner import Runner
from tests.models.small import LetterTokenizer, random_decoder
from tests.models.test_minilm import small_tokenizer

DECODER = random_decoder()
TEXTS = [[5, 9, 33, 2, 17], [1, 2], list(range(20, 32))]


@pytest.fixture(scope="module")
def theirs():
    return HuggingModel("small", as_llama(DECODER), LetterTokenizer(), None, 64)


def test_continuations_after_one_prefix_are_those_of_each_text_alone(theirs):
    prefix, prompts = [7, 8, 9], TEXTS
    alone = [greedy(Runner(DECODER, 1, 40), [*prefix, *prompt], 6) for prompt in prompts]
    assert continued(Runner(DECODER, 3, 40), prefix, prompts, 6, lambda _: False) == alone
    assert theirs.continued(prefix, prompts, 6, lambda _: False) == alone


def test_a_text_stops_where_it_is_done_and_the_others_go_on():
    alone = [greedy(Runner(DECODER, 1, 40), prompt, 6) for prompt in TEXTS]
    stop = alone[0][2]
    expected = [text[: text.index(stop) + 1] if stop in text else text for text in alone]
    assert continued(Runner(DECODER, 4, 40), [], TEXTS, 6, lambda tokens: tokens[-1] == stop) == expected


def test_likelihoods_are_the_logarithms_of_the_softmax(theirs):
    firsts = [1, 1, 4]
    for scored in (likelihoods(DECODER.hidden, DECODER.head, TEXTS, firsts), theirs.likelihoods(TEXTS, firsts)):
        for text, first, likelihood in zip(TEXTS, firsts, scored, strict=True):
            logs = DECODER(torch.tensor([text]))[0].log_softmax(dim=1)
            expected = torch.stack([logs[place - 1, text[place]] for place in range(first, len(text))])
            torch.testing.assert_close(likelihood.nats, expected, atol=1e-4, rtol=1e-4)
            best = [int(logs[place - 1].argmax()) == text[place] for place in range(first, len(text))]
            assert likelihood.likeliest.tolist() == best


def test_every_text_begins_with_the_opening_which_is_not_counted(theirs):
    opened = replace(theirs, opening=(1,))
    expected = theirs.likelihoods([[1, *text] for text in TEXTS], [2, 2, 5])
    for likelihood, other in zip(opened.likelihoods(TEXTS, [1, 1, 4]), expected, strict=True):
        torch.testing.assert_close(likelihood.nats, other.nats)
    for prefix in ([7, 8, 9], []):
        alone = [greedy(Runner(DECODER, 1, 40), [1, *prefix, *text], 6) for text in TEXTS]
        assert opened.continued(prefix, TEXTS, 6, lambda _: False) == alone


@pytest.mark.parametrize(("post_processor", "opening"), [("[CLS] $A", (2,)), ("$A [SEP]", ()), ("$A", ())])
def test_a_folder_opens_texts_as_its_tokenizer_does(tmp_path, post_processor, opening):
    as_llama(DECODER).save_pretrained(tmp_path)
    tokenizer = small_tokenizer()
    special = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single=post_processor, special_tokens=special)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    settings = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "[CLS]", "eos_token": "[SEP]"})
    (tmp_path / "tokenizer_config.json").write_text(settings, encoding="utf-8")
    model = load_folder(tmp_path)
    assert model.opening == opening
    assert model.context == model.network.config.max_position_embeddings - len(opening)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ([], "has no config.json"),
        (["config.json", "model.safetensors"], "has no tokenizer"),
        (["config.json", "tokenizer.json", "pytorch_model.bin"], "pytorch_model.bin, which can run code"),
        (["config.json", "tokenizer.json"], "no safetensors weights; save it with"),
        (["config.json", "tokenizer.json", "model.safetensors"], "cannot be loaded"),
    ],
)
def test_a_folder_that_is_no_model_is_refused_in_one_line(tmp_path, files, complaint):
    for name in files:
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=complaint) as error:
        load_folder(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_with_code_of_its_own_is_not_run(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    settings = {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Own", "AutoConfig": "own.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be loaded"):
        load_folder(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_hub_model_that_is_not_named_by_a_commit_is_refused():
    with pytest.raises(UserError, match="no revision; expected organisation/model@commit"):
        load_from_hub("organisation/model")


@pytest.mark.parametrize(
    ("dtype", "rounded"), [(torch.float32, None), (torch.bfloat16, "BF16"), (torch.float16, "F16")]
)
def test_rounded_is_the_format_in_which_a_folder_stores_its_matrices(tmp_path, dtype, rounded):
    as_llama(DECODER).to(dtype).save_pretrained(tmp_path)
    small_tokenizer().save(str(tmp_path / "tokenizer.json"))
    settings = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
    (tmp_path / "tokenizer_config.json").write_text(settings, encoding="utf-8")
    assert load_folder(tmp_path).rounded == rounded
    with (tmp_path / "config.json").open(encoding="utf-8") as file:
        config = {**json.load(file), "quantization_config": {"quant_method": "gptq"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert stored_formats(tmp_path) == "gptq"


def test_a_model_that_lacks_a_weight_is_refused_and_not_filled_up_at_random(tmp_path):
    as_llama(DECODER).save_pretrained(tmp_path)
    small_tokenizer().save(str(tmp_path / "tokenizer.json"))
    settings = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
    (tmp_path / "tokenizer_config.json").write_text(settings, encoding="utf-8")
    assert load_folder(tmp_path).likelihoods([[1, 2, 3]], [1])
    weights, lost = load_file(tmp_path / "model.safetensors"), "model.layers.0.mlp.up_proj.weight"
    weights[f"{lost}x"] = weights.pop(lost)
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=f"missing keys: {lost}") as error:
        load_folder(tmp_path)
    assert "\n" not in str(error.value)
