"""A text ends where its model ends it, wherever the model's files name the token that does."""

import json
from dataclasses import replace

import pytest

from jouleproof.models.continuation import greedy
from jouleproof.models.hugging import HuggingModel, _opening, as_llama, load_folder
from jouleproof.models.runner import Runner
from jouleproof.models.smollm2 import load_smollm2
from jouleproof.studies.slm_energy import tasks
from tests.models.small import LetterTokenizer, language_model, random_decoder
from tests.models.small_tokenizers import SPECIAL, byte_pairs, sentence_pieces
from tests.models.test_smollm2 import write
from tests.slm_energy.test_tasks import ScriptedModel, scores

transformers = pytest.importorskip("transformers", reason="the extra `llm` is not installed")
SHOTS = tasks.Shots("Question: Tom has 7.\nAnswer: He has 7.\n#### 7\n\n", "Tom has 48.", 24)
ANSWER = " He has 24.\n#### 24"
PROMPTS = [[5, 9, 33, 2, 17], [1, 2], list(range(20, 32))]
TOKENIZER = byte_pairs()
END, TURN = SPECIAL.index("</s>"), SPECIAL.index("<|im_end|>")


def scripted_folder(folder, written, named, in_config, in_generation):
    """Save a model that writes these tokens after the prompt of SHOTS. named: the end token of its tokenizer."""
    start = len(TOKENIZER.encode(SHOTS.prefix).ids) + len(TOKENIZER.encode(tasks._prompt(SHOTS.question)).ids) - 1
    width = len(written) + len(written) % 2
    config = transformers.GPT2Config(
        vocab_size=TOKENIZER.get_vocab_size(), n_positions=512, n_embd=width, n_layer=1, n_head=1,
        tie_word_embeddings=False, bos_token_id=None, eos_token_id=in_config,
    )  # fmt: skip
    network = transformers.GPT2LMHeadModel(config)
    for name, value in network.named_parameters():
        value.data.fill_(1.0 if ".ln_f.weight" in name else 0.0)
    for place, token in enumerate(written):
        network.transformer.wpe.weight.data[start + place, place] = 1.0
        network.lm_head.weight.data[token, place] = 1.0
    network.generation_config.eos_token_id = in_generation
    network.save_pretrained(folder)
    TOKENIZER.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **({"eos_token": named} if named else {})}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


@pytest.mark.parametrize(
    ("end", "named", "in_config", "in_generation"),
    [
        (END, "</s>", None, None),
        (END, None, END, None),
        (TURN, None, [END, TURN], None),
        (END, None, None, END),
        (TURN, "</s>", END, [END, TURN]),
        (END, "<|im_end|>", TURN, END),
    ],
)
def test_an_answer_ends_with_its_model_whatever_follows(tmp_path, end, named, in_config, in_generation):
    answer = TOKENIZER.encode(ANSWER).ids
    scripted_folder(tmp_path, [*answer, end, *TOKENIZER.encode(" 9 9 9 9").ids], named, in_config, in_generation)
    model = load_folder(tmp_path)
    scored = list(tasks.answer(model, [SHOTS]))
    assert scores(scored, "exact_match") == [1.0] and scores(scored, "flexible_match") == [1.0]
    assert {score.output for _, score in scored} == {len(answer) + 1}


def test_without_an_end_a_model_writes_as_much_as_it_may(tmp_path):
    scripted_folder(tmp_path, [*TOKENIZER.encode(ANSWER).ids, END, *TOKENIZER.encode(" 9 9").ids], None, None, None)
    assert {score.output for _, score in tasks.answer(load_folder(tmp_path), [SHOTS])} == {tasks.MOST_NEW_TOKENS}


def hugging(ends):
    network = as_llama(random_decoder())
    network.generation_config.eos_token_id = ends
    return HuggingModel("small", network, LetterTokenizer(), None, 64)


def decoder(ends):
    return replace(language_model(), ends=tuple(ends))


@pytest.mark.parametrize("model_that_ends", [hugging, decoder])
def test_every_text_ends_alone_with_its_end_token_and_none_by_its_prompt(model_that_ends):
    prefix = PROMPTS[0]
    alone = [greedy(Runner(random_decoder(), 1, 60), [*prefix, *prompt], 6) for prompt in PROMPTS]
    ends = [alone[0][1], alone[1][3], prefix[1], PROMPTS[1][0]]
    expected = [text[: next((place for place, token in enumerate(text) if token in ends), 5) + 1] for text in alone]
    assert min(map(len, expected)) < max(map(len, expected)) == 6
    assert model_that_ends(ends).continued(prefix, PROMPTS, 6, lambda _: False) == expected


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({}, ()),
        ({"eos": 1}, (1,)),
        ({"eos": 1, "eot": 7, "eom": 1}, (1, 7)),
    ],
)
def test_a_file_names_the_tokens_that_end_a_text(tmp_path, fields, ends):
    named = {f"tokenizer.ggml.{end}_token_id": token for end, token in fields.items()}
    assert load_smollm2(write(tmp_path / "small.gguf", fields=named)).ends == ends


class Ending(ScriptedModel):
    """A user's model with an end token whose spelling holds a number, and which may write on after it."""

    ends = (ord("E"),)

    def text(self, tokens):
        return super().text(tokens).replace("E", "<end 9>")


@pytest.mark.parametrize("written", [" 3+4 is 7.E", " 3+4 is 7.E or 8\n#### 8\n"])
def test_an_end_token_is_written_but_no_part_of_the_answer(written):
    scored = list(tasks.answer(Ending(texts=[written]), [tasks.Shots("", "What is 3+4?", 7)]))
    assert scores(scored, "exact_match") == [0.0] and scores(scored, "flexible_match") == [1.0]
    assert {score.output for _, score in scored} == {len(" 3+4 is 7.E")}


def test_an_answer_may_be_an_end_token_alone():
    scored = list(tasks.answer(Ending(texts=["E"]), [tasks.Shots("", "What is 3+4?", 7)]))
    assert {(score.value, score.output) for _, score in scored} == {(0.0, 1)}


@pytest.mark.parametrize(
    ("template", "opening"),
    [
        ("<s> $A", (1,)),
        ("<s> </s> $A", (1, 2)),
        ("</s> $A </s>", (2,)),
        ("$A </s>", ()),
        ("</s> </s> $A <s> </s>", (2, 2)),
        (None, ()),
    ],
)
@pytest.mark.parametrize("space", [True, False])
@pytest.mark.parametrize("named", [{}, {"bos_token": "<s>"}, {"bos_token": "</s>", "eos_token": "</s>"}])
def test_all_tokens_before_a_text_open_it(template, opening, space, named):
    backend = byte_pairs(template, space)
    assert _opening(transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **named)) == opening


def test_tokens_decode_to_their_text_even_if_the_tokenizer_would_tidy_spaces(tmp_path):
    scripted_folder(tmp_path, [5, 6], "</s>", None, None)
    unigrams, file = sentence_pieces("first", unigrams=True), tmp_path / "tokenizer_config.json"
    assert unigrams.get_vocab_size() <= TOKENIZER.get_vocab_size()
    unigrams.save(str(tmp_path / "tokenizer.json"))
    settings = json.loads(file.read_text(encoding="utf-8")) | {"clean_up_tokenization_spaces": True}
    file.write_text(json.dumps(settings), encoding="utf-8")
    model = load_folder(tmp_path)
    assert model.text(model.tokens("Tom has 24 . He has 1 , 2")) == "Tom has 24 . He has 1 , 2"
