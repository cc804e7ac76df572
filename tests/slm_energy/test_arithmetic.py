"""Word problems: solved by an independent reader of their text, and split by operands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.errors import UserError
from jouleproof.studies.slm_energy.arithmetic import (
    END,
    GIVES,
    Range,
    answer_length,
    draw_problems,
    final_answer,
    is_held_out,
    is_right,
    prompt_length,
    texts,
    vocabulary,
)

USUAL = Range(10, 30, 0.1)
KNOWN = vocabulary(USUAL)
ranges = st.builds(Range, st.integers(8, 12), st.integers(12, 60), st.sampled_from([0.2, 0.3, 0.5]))
steps = st.integers(1, 5)
seeds = st.integers(0, 2**31)


def rng(seed=0):
    return np.random.default_rng(seed)


def solved(question):
    """Solve a problem by reading its sentences: an oracle that shares no code with the generator."""
    words = question.split()
    value, place = int(words[2]), 4
    numbers = [(at, int(word)) for at, word in enumerate(words) if word.isdigit()][1:]
    for at, operand in numbers:
        rest = " ".join(words[at + 1 :])
        if rest.startswith("more"):
            value += operand
        elif rest.startswith("of them"):
            value -= operand
        else:
            assert rest.startswith("times as many")
            value *= operand
        place = at
    assert " ".join(words[place + 1 :]).endswith("How many now?")
    return value


@settings(max_examples=60, deadline=None)
@given(ranges, steps, seeds, st.booleans())
def test_the_text_of_a_problem_has_the_answer_that_it_is_given(range_, count, seed, held_out):
    vocab = vocabulary(range_)
    problems = draw_problems(range_, count, 5, held_out, rng(seed))
    for row, wanted in zip(texts(problems, vocab).tolist(), problems.results[:, -1].tolist(), strict=True):
        assert solved(vocab.text(row[: prompt_length(count)])) == wanted
        assert final_answer(row[prompt_length(count) :], vocab) == wanted


@settings(max_examples=60, deadline=None)
@given(ranges, steps, seeds)
def test_results_stay_in_their_range_and_every_step_is_worked_out(range_, count, seed):
    problems = draw_problems(range_, count, 20, False, rng(seed))
    assert problems.results.min() >= 0 and problems.results.max() <= range_.most
    value = problems.start
    for sign, operand, result in zip(problems.signs.T, problems.operands.T, problems.results.T, strict=True):
        value = np.select([sign == 0, sign == 1, sign == 2], [value + operand, value - operand, value * operand])
        assert (value == result).all()


@settings(max_examples=60, deadline=None)
@given(ranges, steps, seeds, seeds)
def test_no_tuple_of_operands_is_both_in_training_and_in_the_test(range_, count, seed, other):
    train, test = (
        draw_problems(range_, count, 200, held_out, rng(stream)) for held_out, stream in ((False, seed), (True, other))
    )
    assert not {tuple(operands) for operands in train.tuples.tolist()} & {
        tuple(operands) for operands in test.tuples.tolist()
    }


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=6), st.randoms())
def test_the_order_of_operands_does_not_decide_where_they_belong(operands, random):
    shuffled = random.sample(operands, len(operands))
    once, again = (is_held_out(np.sort(np.array([numbers])), 0.5) for numbers in (operands, shuffled))
    assert once == again


def test_about_the_share_that_is_asked_for_is_held_out():
    tuples = np.sort(rng().integers(1, 31, (20_000, 4)), axis=1)
    assert is_held_out(tuples, 0.1).mean() == pytest.approx(0.1, abs=0.01)


def test_a_range_without_problems_for_the_test_is_refused():
    with pytest.raises(UserError, match="too few held-out problems of 1 steps in Range"):
        draw_problems(Range(1, 1, 1e-9), 1, 3, True, rng())


def test_the_same_seed_draws_the_same_problems():
    once, again, other = (texts(draw_problems(USUAL, 3, 50, False, rng(seed)), KNOWN) for seed in (4, 4, 5))
    assert (once == again).all() and (once != other).any()


@pytest.mark.parametrize("count", [1, 3, 5])
def test_problems_of_as_many_steps_are_of_one_length(count):
    assert texts(draw_problems(USUAL, count, 9, True, rng()), KNOWN).shape == (
        9,
        prompt_length(count) + answer_length(count),
    )


def test_a_whole_number_is_one_token_and_its_own():
    assert [KNOWN.ids[str(number)] for number in range(31)] == list(range(31))


def tokens(*words):
    return [KNOWN.ids[word] for word in words]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (tokens("7", "+", "5", GIVES, "12", END), 12),
        (tokens("7", "+", "5", GIVES, "13", END), 13),
        (tokens("7", "+", "5", GIVES, "12", END, GIVES, "3", END), 12),
        (tokens("9", GIVES, "12", END), 12),
        (tokens("7", "+", "5", GIVES, "12"), None),
        (tokens("7", "+", "5", GIVES, "more", END), None),
        (tokens("12", END), None),
        (tokens(END), None),
        ([], None),
    ],
    ids=["right", "wrong sum", "more after the end", "step left out", "no end", "word", "no step", "only end", "none"],
)
def test_the_final_answer_is_the_last_result_before_the_end(answer, expected):
    assert final_answer(answer, KNOWN) == expected


def test_only_the_very_number_counts_as_right():
    problems = draw_problems(USUAL, 2, 40, True, rng())
    answers = texts(problems, KNOWN)[:, prompt_length(2) :]
    assert is_right(answers, problems, KNOWN).all()
    off = answers.copy()
    off[:, -2] = (off[:, -2] + 1) % 31
    assert not is_right(off, problems, KNOWN).any()
