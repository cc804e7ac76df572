"""The questions of tasks and the marking of answers, tested with a model whose output is scripted."""

import math

import pytest
import torch

from jouleproof.errors import UserError
from jouleproof.models.likelihood import Likelihood
from jouleproof.settings import read_settings
from jouleproof.studies.slm_energy import tasks
from jouleproof.studies.slm_energy.experiments.quality import quality
from jouleproof.studies.slm_energy.registry import tasks as named_tasks
from tests.models.small import unchanged
from tests.pictures import picture
from tests.slm_energy.small_models import CONFIG, MODEL, PROBLEMS


class ScriptedModel:
    """A model with one token per letter and scripted output. nats: of every token. texts: its answers, in order."""

    name, rounded, context = "scripted", None, 10_000

    def __init__(self, nats=-1.0, texts=(), likeliest=True):
        self.nats, self.texts, self.likeliest = nats, texts, likeliest

    def tokens(self, text):
        return [ord(letter) for letter in text]

    def text(self, tokens):
        return "".join(map(chr, tokens))

    def likelihoods(self, texts, firsts):
        sizes = [len(text) - first for text, first in zip(texts, firsts, strict=True)]
        return [Likelihood(torch.full((size,), self.nats), torch.full((size,), self.likeliest)) for size in sizes]

    def continued(self, prefix, prompts, most, done):
        continuations = []
        for text in self.texts:
            tokens = []
            for token in self.tokens(text)[:most]:
                tokens.append(token)
                if done(tokens):
                    break
            continuations.append(tokens)
        return continuations


def scores(scored, metric):
    return [score.value for _, score in scored if score.metric == metric]


def test_bits_per_byte_are_nats_over_the_bytes_that_were_scored():
    scored = list(tasks.read_solutions(ScriptedModel(nats=-1.0), PROBLEMS))
    assert scores(scored, "bits_per_byte") == pytest.approx([1 / math.log(2)] * len(PROBLEMS))


def test_every_calculation_is_marked_by_its_right_side_alone():
    for likeliest in (True, False):
        scored = list(tasks.read_solutions(ScriptedModel(likeliest=likeliest), PROBLEMS))
        assert scores(scored, "calculator_step") == [float(likeliest)] * len(PROBLEMS)
    pieces = tasks._pieces(" He has 3+4=<<3+4=7>>7, twice <<7*2=14>>14.")
    assert [text for text, is_result in pieces if is_result] == ["7", "14"]
    assert "".join(text for text, _ in pieces) == " He has 3+4=<<3+4=7>>7, twice <<7*2=14>>14."


def test_options_of_a_sum_are_different_of_one_length_and_the_first_is_right():
    for choice in tasks.sums([], [], 300, seed=1):
        left, sign, right, _ = choice.question.split()
        assert (
            int(choice.options[0])
            == {"+": int(left) + int(right), "-": int(left) - int(right), "*": int(left) * int(right)}[sign]
        )
        assert len(set(choice.options)) == tasks.OPTIONS and len({len(option) for option in choice.options}) == 1


def test_a_tie_between_options_is_no_right_answer():
    assert scores(tasks.choose(ScriptedModel(), tasks.sums([], [], 6, seed=0)), "choice") == [0.0] * 6


@pytest.mark.parametrize(
    ("written", "strict", "flexible"),
    [
        (" 7 and 7.\n#### 7\nQuestion:", 1.0, 1.0),
        (" The answer is 7\n\n", 0.0, 1.0),
        (" #### 1,007\n", 0.0, 0.0),
        (" nothing", 0.0, 0.0),
    ],
)
def test_an_answer_is_marked_strictly_and_by_its_last_number(written, strict, flexible):
    asked = [tasks.Shots("Question: …", "What is 3+4?", 7)]
    scored = list(tasks.answer(ScriptedModel(texts=[written]), asked))
    assert scores(scored, "exact_match") == [strict] and scores(scored, "flexible_match") == [flexible]
    assert scored[0][1].output == len(written.partition("\nQuestion")[0]) + ("\nQuestion" in written)


def test_thousands_have_commas():
    asked = [tasks.Shots("", "How many?", 1007)]
    assert scores(tasks.answer(ScriptedModel(texts=[" #### 1,007\n"]), asked), "exact_match") == [1.0]


def test_items_are_drawn_by_the_seed_without_repetition():
    sample = tasks.some(PROBLEMS, [], 4, seed=5)
    assert sample == tasks.some(PROBLEMS, [], 4, seed=5) and len({problem.question for problem in sample}) == 4


def test_a_text_longer_than_the_context_is_refused():
    model = ScriptedModel()
    model.context = 20
    with pytest.raises(UserError, match="reads at most 20"):
        list(tasks.read_solutions(model, PROBLEMS))


def test_a_task_without_items_is_refused():
    with pytest.raises(UserError, match="has no items"):
        quality(CONFIG.model_copy(deep=True), [], PROBLEMS, None)


def test_a_thing_that_is_no_task_is_refused():
    with pytest.raises(UserError, match="not a jouleproof.studies.slm_energy.tasks.Task"):
        named_tasks(["tests.slm_energy.small_models:MODEL"])


def test_a_task_of_ones_own_is_asked_like_the_others_and_stands_in_the_table():
    config = CONFIG.model_copy(deep=True)
    config.quality.tasks = ["solutions", "tests.slm_energy.small_models:TASK"]
    table = quality(config, PROBLEMS, PROBLEMS, None)
    lengths = table[table["task"] == "lengths"]
    assert set(lengths["format"]) == {"float32", "bfloat16", "mxfp4"}
    assert list(lengths[lengths["format"] == "float32"]["value"]) == [
        len(MODEL.tokens(problem.question)) for problem in tasks.some(PROBLEMS, [], 50, config.quality.seed)
    ]
    assert "tokens (tokens)" in set(picture("slm_energy/quality_numbers").tabulate(table)["score"])


@pytest.mark.parametrize(
    ("knobs", "complaint"),
    [
        ({"cost": {"shapes": ["gpt5"]}}, "shape 'gpt5' is not known"),
        ({"engines": {"engines": ["vllm"]}}, "engine 'vllm' is not known"),
        ({"quality": {"tasks": ["riddles"]}}, "task 'riddles' is not known"),
        ({"quality": {"models": ["gpt5"]}}, "language model 'gpt5' is not known"),
        (
            {"engines": {"engines": ["tests.slm_energy.small_models:TASK"]}},
            "is a Task, not a jouleproof.studies.slm_energy.engine_registry",
        ),
    ],
)
def test_a_name_that_stands_for_nothing_is_said_before_anything_runs(knobs, complaint):
    with pytest.raises(UserError, match=complaint) as caught:
        read_settings({"size": "mine", "slm_energy": knobs}, {})
    assert "\n" not in str(caught.value)


def test_every_format_and_task_has_its_rows_and_the_weights_are_left_as_they_were():
    with unchanged(MODEL.network):
        table = quality(CONFIG, PROBLEMS, PROBLEMS, None)
    counts = table.groupby(["format", "metric"])["item"].nunique()
    assert counts["float32"].to_dict() == {
        "bits_per_byte": 4,
        "calculator_step": 4,
        "choice": 6,
        "exact_match": 2,
        "flexible_match": 2,
    }
    assert counts["mxfp4"].to_dict() == {"bits_per_byte": 2, "calculator_step": 2}
    pairs = table[table["metric"] == "bits_per_byte"].pivot(index="item", columns="format", values="value").dropna()
    assert (pairs["mxfp4"] != pairs["float32"]).all()
