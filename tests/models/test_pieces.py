"""A model reads a text in pieces exactly as it is, or refuses it."""

from dataclasses import replace

import pytest
from tokenizers import normalizers

from jouleproof.errors import UserError
from jouleproof.inputs import Problem
from jouleproof.models.pieces import tokens_of_pieces
from jouleproof.studies.slm_energy import tasks
from jouleproof.studies.slm_energy.weight_tuning import calculations
from tests.models.small import language_model
from tests.models.small_tokenizers import LINES, byte_pairs, lower_case_words, sentence_pieces
from tests.slm_energy.test_tasks import ScriptedModel

PROBLEM = Problem("Tom has 48.", "He has 48/2=<<48/2=24>>24.\n#### 24", 24)
QUESTION, SOLUTION = "Question: Tom has 48.\nAnswer:", " He has 48/2=<<48/2=24>>24.\n#### 24"
KEEPING = {
    "bytes": byte_pairs(),
    "bytes, space": byte_pairs(space=True),
    "bytes, begin and end": byte_pairs(template="<s> $A </s>"),
    "pieces, legacy": sentence_pieces("legacy"),
    "pieces, always": sentence_pieces("always"),
    "pieces, first": sentence_pieces("first"),
    "unigrams, always": sentence_pieces("always", unigrams=True),
    "unigrams, first": sentence_pieces("first", unigrams=True),
}
CHANGING = {
    "words": lower_case_words(),
    "lower case": byte_pairs(normalizer=normalizers.Lowercase()),
    "no line breaks": byte_pairs(normalizer=normalizers.Replace("\n", " ")),
    "no 8": byte_pairs(normalizer=normalizers.Replace("8", "")),
}


class Reading(ScriptedModel):
    """A user's model with a tokenizer, which records what it is asked. special: whether texts get special tokens."""

    def __init__(self, tokenizer, special=False, shown=True):
        super().__init__()
        self.tokenizer, self.special, self.hide = tokenizer, special, not shown

    def tokens(self, text):
        return self.tokenizer.encode(text, add_special_tokens=self.special).ids

    def text(self, tokens):
        return self.tokenizer.decode(list(tokens), skip_special_tokens=self.hide)

    def likelihoods(self, texts, firsts):
        self.texts_read = [self.text(text) for text in texts]
        return super().likelihoods(texts, firsts)

    def continued(self, prefix, prompts, most, done):
        self.texts_read = [self.text([*prefix, *prompt]) for prompt in prompts]
        return [[] for _ in prompts]


@pytest.fixture(params=KEEPING)
def model(request):
    return Reading(KEEPING[request.param])


def test_solutions_are_read_as_they_are_written(model):
    scored = list(tasks.read_solutions(model, [PROBLEM]))
    assert [text.removeprefix(" ") for text in model.texts_read] == [QUESTION + SOLUTION]
    (calculation,) = (score for _, score in scored if score.metric == "calculator_step")
    before = len(tokens_of_pieces(model, [QUESTION, " He has 48/2=<<48/2="])[1])
    assert calculation.prompt == len(model.tokens(QUESTION)) + before
    assert calculation.output == len(model.tokens("=24")) - len(model.tokens("="))


def test_options_are_read_after_their_question(model):
    list(tasks.choose(model, [tasks.Choice("20 + 4 =", (" 24", " 25", " 26", " 34"))]))
    expected = ["20 + 4 = 24", "20 + 4 = 25", "20 + 4 = 26", "20 + 4 = 34"]
    assert [text.removeprefix(" ") for text in model.texts_read] == expected


@pytest.mark.parametrize("kind", KEEPING)
def test_a_calculation_is_learnt_as_it_is_written(kind):
    model = replace(language_model(), tokenizer=KEEPING[kind])
    (calculation,) = calculations(model, [PROBLEM], 64)
    assert model.text(calculation.tokens).removeprefix(" ") == "He has 48/2=<<48/2=24>>"
    assert model.text(calculation.read).removeprefix(" ") == "He has 48/2=<<48/2="


@pytest.mark.parametrize("prefix", ["Question: Tom has 7.\nAnswer: 7\n#### 7\n\n", ""])
def test_a_prompt_is_read_after_the_solved_problems(model, prefix):
    list(tasks.answer(model, [tasks.Shots(prefix, PROBLEM.question, 24), tasks.Shots(prefix, "Tom has 1.", 1)]))
    expected = [prefix + QUESTION, f"{prefix}Question: Tom has 1.\nAnswer:"]
    assert [text.removeprefix(" ") for text in model.texts_read] == expected


@pytest.mark.parametrize("pieces", [["", "7 ", "", "7"], ["7\n", "\n7"], ["7", " ", " 7 "], [" 7", "7"], ["", ""]])
def test_pieces_may_be_empty_or_begin_or_end_with_spaces(model, pieces):
    tokens = tokens_of_pieces(model, pieces)
    text = model.text([token for piece in tokens for token in piece])
    assert text.removeprefix(" ") == "".join(pieces).removeprefix(" ")
    assert [bool(piece) for piece in tokens] == [bool(piece) for piece in pieces]


def test_a_tokenizer_that_puts_nothing_before_a_text_encodes_every_piece_alone():
    model, pieces = Reading(byte_pairs()), ["He has 48", "=<<48/2=", "24", ">>24"]
    assert tokens_of_pieces(model, pieces) == [model.tokens(piece) for piece in pieces]


def test_letters_of_several_bytes_are_kept():
    for text in ("½ of 4 €", "“4”"):
        assert tokens_of_pieces(Reading(byte_pairs(space=True)), [text, text])[1]


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("template", ["$A </s>", "<s> $A </s>"])
def test_a_model_that_ends_every_piece_with_a_token_is_refused(template, shown):
    with pytest.raises(UserError, match="models: scripted: the tokens of '") as error:
        list(tasks.read_solutions(Reading(byte_pairs(template), special=True, shown=shown), [PROBLEM]))
    assert "\n" not in str(error.value)


def test_a_token_that_begins_every_text_begins_the_first_piece_alone():
    model = Reading(byte_pairs("<s> $A"), special=True, shown=False)
    tokens = tokens_of_pieces(model, ["He has ", "24", "."])
    assert [piece.count(1) for piece in tokens] == [1, 0, 0]


@pytest.mark.parametrize("kind", CHANGING)
def test_a_tokenizer_that_changes_a_text_is_refused_in_one_line(kind):
    model = Reading(CHANGING[kind])
    for task, items in (
        (tasks.read_solutions, [PROBLEM]),
        (tasks.choose, [tasks.Choice("Tom: 48\n=", (" 8", " 9", " 7", " 6"))]),
        (tasks.answer, [tasks.Shots("", PROBLEM.question, 24)]),
    ):
        with pytest.raises(UserError, match="models: scripted: the tokens of '.*' decode to '") as error:
            list(task(model, items))
        assert "\n" not in str(error.value)


def test_a_letter_that_a_tokenizer_lacks_is_named():
    for model in (Reading(sentence_pieces("first")), Reading(sentence_pieces("legacy")), language_model()):
        with pytest.raises(UserError, match="the tokens of 'Tom has ½ of 4.' decode to 'Tom has (<unk>|\ufffd) o"):
            tokens_of_pieces(model, ["Tom ", "has ½ of 4."])


def test_the_corpus_itself_is_kept(model):
    for line in LINES[:5]:
        assert tokens_of_pieces(model, [line[:30], line[30:]])
