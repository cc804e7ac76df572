import ast
import json
import operator
import re
from collections import Counter
from fractions import Fraction
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.inputs import read_gsm8k
from jouleproof.inputs.stand_in import gsm8k

from .conftest import generated

SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
ANNOTATION = re.compile(r"([\d +*/-]+) = \$?<<([^=<>]+)=(-?\d+)>>(-?\d+)")


def value(expression):
    """Compute the exact value of an expression of whole numbers and + - * /, and of nothing else."""

    def of(node):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return Fraction(node.value)
        if isinstance(node, ast.BinOp):
            return SIGNS[type(node.op)](of(node.left), of(node.right))
        raise ValueError(ast.dump(node))

    return of(ast.parse(expression, mode="eval").body)


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gsm8k")
    for split in ("test", "train"):
        (folder / split).write_bytes(generated(f"gsm8k-{split}", 0))
    return {split: read_gsm8k(folder / split) for split in ("test", "train")}


def problem(seed, number):
    """Return the question and the solution of one story: the lines, the last one without its `#### `, and the
    answer."""
    question, answer = gsm8k.problem(gsm8k.STORIES[number], np.random.Generator(np.random.PCG64(seed)))
    *steps, final = answer.split("\n")
    return question, steps, int(final.removeprefix("#### "))


SEEDED_STORY = given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, len(gsm8k.STORIES) - 1))


@settings(max_examples=100, deadline=None)
@SEEDED_STORY
def test_every_calculation_is_right_uses_known_numbers_and_the_last_one_is_the_answer(seed, number):
    question, steps, final = problem(seed, number)
    numbers = {int(number) for number in re.findall(r"\d+", question)}
    for step in steps:
        ((shown, annotated, result, printed),) = ANNOTATION.findall(step)
        assert shown.replace(" ", "") == annotated
        assert value(annotated) == int(result) == int(printed) > 0
        assert {int(number) for number in re.findall(r"\d+", shown)} <= numbers
        numbers.add(int(result))
    assert int(result) == final
    assert 2 <= len(steps) <= 6
    assert question.endswith("?")


def test_the_splits_have_the_sizes_of_the_real_ones(splits):
    assert {split: len(problems) for split, problems in splits.items()} == {"test": 1319, "train": 7473}


def test_no_problem_comes_twice_in_one_split(splits):
    for problems in splits.values():
        assert len({problem.question for problem in problems}) == len(problems)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_splits_share_no_problem_whatever_their_seeds(splits, seed):
    test = {json.loads(line)["question"] for line in generated("gsm8k-test", seed).splitlines()}
    assert test.isdisjoint(problem.question for problem in splits["train"])


def test_questions_and_answers_are_about_as_long_as_the_real_ones(splits):
    for problems in splits.values():
        assert 42 <= mean(len(problem.question.split()) for problem in problems) <= 50
        assert 45 <= mean(len(problem.answer.split()) for problem in problems) <= 56
        assert 2.8 <= mean(problem.answer.count("<<") for problem in problems) <= 4.2


def test_every_story_is_told_about_as_often_in_each_split(splits):
    for problems in splits.values():
        ends = Counter(re.sub(r"\d+", "_", problem.question)[-9:] for problem in problems)
        assert len(ends) == len(gsm8k.STORIES)
        assert min(ends.values()) > len(problems) / (2 * len(gsm8k.STORIES))


def test_a_question_belongs_to_one_split_by_its_text_alone():
    assert gsm8k.split_of("What is 1 + 1?") == gsm8k.split_of("What is 1 + 1?")
    assert {gsm8k.split_of(str(number)) for number in range(50)} == {"test", "train"}
