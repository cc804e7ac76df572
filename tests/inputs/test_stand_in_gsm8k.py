import ast
import json
import operator
import re
from fractions import Fraction
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.inputs import read_gsm8k
from jouleproof.inputs.stand_in import gsm8k
from jouleproof.inputs.stand_in.gsm8k_counting import COUNTING
from jouleproof.inputs.stand_in.gsm8k_money import MONEY
from jouleproof.inputs.stand_in.wording import PEOPLE, Pick, Worked, over, percent, times

from .conftest import generated

SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
ANNOTATION = re.compile(r"([\d +*/-]+) = \$?<<([^=<>]+)=(-?\d+)>>(-?\d+)")


def value(expression):
    """The exact value of an expression of whole numbers and + - * /, and of nothing else."""

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


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), template=st.sampled_from(MONEY + COUNTING))
def test_every_calculation_is_right_and_the_last_one_is_the_answer(seed, template):
    _, steps, final = template(Pick(np.random.Generator(np.random.PCG64(seed))))
    found = [ANNOTATION.findall(step) for step in steps]
    assert all(len(step) == 1 for step in found)
    for ((shown, annotated, result, printed),) in found:
        assert shown.replace(" ", "") == annotated
        assert value(annotated) == int(result) == int(printed)
    assert int(found[-1][0][3]) == final.value


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), template=st.sampled_from(MONEY + COUNTING))
def test_a_solution_uses_only_numbers_that_were_given_or_worked_out(seed, template):
    sentences, steps, _ = template(Pick(np.random.Generator(np.random.PCG64(seed))))
    words = {"twice": 2, "half": 2, "three times": 3, "a third": 3, "four times": 4, "a quarter": 4, "five times": 5}
    question = " ".join(sentences)
    known = {int(number) for number in re.findall(r"\d+", question)} | {
        n for word, n in words.items() if word in question
    }
    known |= {1, 100}
    for step in steps:
        ((shown, _, result, _),) = ANNOTATION.findall(step)
        assert {int(number) for number in re.findall(r"\d+", shown)} <= known
        known.add(int(result))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), template=st.sampled_from(MONEY + COUNTING))
def test_results_are_positive_and_problems_take_two_to_six_steps(seed, template):
    sentences, steps, final = template(Pick(np.random.Generator(np.random.PCG64(seed))))
    assert 2 <= len(steps) <= 6
    assert final.value > 0
    assert sentences[-1].endswith("?") or "?" in sentences[-2]


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


def test_twenty_kinds_of_problems_share_each_split_about_evenly(splits):
    assert len(MONEY + COUNTING) == 20
    names = "|".join(person.name for person in PEOPLE)
    openings = [re.sub(rf"\b({names})\b|\d+", "_", problem.question)[:12] for problem in splits["train"]]
    assert len(set(openings)) >= 12
    assert max(openings.count(opening) for opening in set(openings)) < len(openings) / 4


def test_a_share_that_is_not_whole_is_refused():
    with pytest.raises(ValueError, match="7 / 2 is not whole"):
        over(7, 2)
    with pytest.raises(ValueError, match="5 % of 30 is not whole"):
        percent(5, 30)


def test_a_calculation_shows_its_work():
    assert f"{times(3, Worked('2 + 2', 4)):$}" == "3 * 4 = $<<3*4=12>>12"
    assert f"{over(9, 3)}" == "9 / 3 = <<9/3=3>>3"


def test_a_question_belongs_to_one_split_by_its_text_alone():
    assert gsm8k.split_of("What is 1 + 1?") == gsm8k.split_of("What is 1 + 1?")
    assert {gsm8k.split_of(str(number)) for number in range(50)} == {"test", "train"}
