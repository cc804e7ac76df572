"""Stand-ins for the two splits of GSM8K: generated word problems in its format, with their worked solutions.

Reproduced: the format (JSON lines; every calculation annotated as <<a+b=c>>; a last line `#### number`), the number of
problems, about the length of questions and answers, three to five steps, whole results.
Not reproduced: the variety of language and reasoning. Four stories are told with other names and numbers, so results on
them say how the machinery works, not how good a model is at mathematics.

A question belongs to one split by a hash of its text, so the splits share none, whatever their seeds.
"""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

TEST_PROBLEMS, TRAIN_PROBLEMS = 1_319, 7_473

_TEST_BELOW = 38  # out of the 256 values of a byte: the share of the real test split
_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv}
_NAMES = "Ada Boris Clara David Elena Felix Grace Hugo Ines Jonas Kira Luis Maya Nikhil Olga Pedro Rosa Sam Tara Victor"
_THINGS = ("marbles", "stamps", "shells", "coins", "trading cards", "comic books", "buttons", "toy cars")


@dataclass(frozen=True)
class Story:
    """A question, and the lines of its solution, each a formula `result = left sign right` and a sentence about it.

    numbers: by the names that question and formulas use, the smallest and the largest value that is drawn, both
    included, or a formula. A result whose name ends in `$` is money. The sentence holds the calculation at `{}`.
    """

    question: str
    numbers: Mapping[str, tuple[int, int] | str]
    steps: Sequence[tuple[str, str]]


STORIES = (
    Story(
        "{who} is reading a novel for school. For {days} days {who} reads {daily} pages a day. Then, for another "
        "{weekend} days, {who} reads {extra} pages a day more than before. After that there are "
        "still {rest} pages left. How many pages does the whole book have?",
        {"days": (4, 9), "daily": (12, 40), "weekend": (2, 4), "extra": (5, 25), "rest": (20, 120)},
        [
            ("first = days * daily", "In the first days {who} reads {} pages."),
            ("faster = daily + extra", "After that {who} reads {} pages a day."),
            ("second = weekend * faster", "That makes {} pages in the other days."),
            ("read = first + second", "So far {who} has read {} pages."),
            ("pages = read + rest", "The whole book has {} pages."),
        ],
    ),
    Story(
        "{who} goes to the market with ${paid} to buy food for a birthday party. There {who} buys {bags} "
        "bags of apples at ${price} each, and {cakes} cakes at ${cost} each. How many dollars does {who} have left?",
        {"paid": (170, 300), "bags": (2, 9), "price": (2, 8), "cakes": (2, 6), "cost": (7, 15)},
        [
            ("apples$ = bags * price", "All the bags of apples together cost {who} {}."),
            ("sweets$ = cakes * cost", "For the cakes {who} has to pay {} more."),
            ("spent$ = apples$ + sweets$", "In all {who} spends {} at the market."),
            ("left$ = paid - spent$", "Of the money, {} is left in the end."),
        ],
    ),
    Story(
        "{who} and {friend} both collect {things}. {who} has been collecting for a year and has {count} {things}. "
        "{friend} has {factor} times as many {things} as {who} does. They want to put them "
        "into boxes that hold {size} {things} each. How many boxes do the two of them need?",
        {"size": (3, 12), "full": (2, 9), "count": "size * full", "factor": (2, 5)},
        [
            ("more = count * factor", "{friend} has {factor} times as many as {who}, which is {} {things}."),
            ("both = count + more", "Together {who} and {friend} have {} {things} that they want to put away."),
            ("boxes = both / size", "With {size} {things} in each box they need {} boxes in the end."),
        ],
    ),
    Story(
        "A water tank behind the house of {who} holds {start} liters of water. {who} opens a tap that lets in {inflow} "
        "liters of water every minute. Through a crack {leak} liters are lost every minute. How many "
        "liters are in the tank when {who} closes the tap after {minutes} minutes?",
        {"start": (20, 200), "inflow": (12, 40), "leak": (2, 9), "minutes": (10, 60)},
        [
            ("net = inflow - leak", "Every minute the water in the tank of {who} grows by {} liters."),
            ("added = net * minutes", "Until the tap is closed, the tank gets {} liters more in this way."),
            ("content = start + added", "With what was in it before, the tank then holds {} liters of water."),
        ],
    ),
)


def test_split(seed: int) -> bytes:
    """Generate the test split as JSON lines."""
    return _lines("test", TEST_PROBLEMS, seed)


def train_split(seed: int) -> bytes:
    """Generate the training split as JSON lines."""
    return _lines("train", TRAIN_PROBLEMS, seed)


def _lines(split: str, count: int, seed: int) -> bytes:
    rng = np.random.Generator(np.random.PCG64([seed, int(split == "test")]))
    answers: dict[str, str] = {}
    while len(answers) < count:
        question, answer = problem(STORIES[rng.integers(len(STORIES))], rng)
        if split_of(question) == split:
            answers.setdefault(question, answer)
    lines = (json.dumps({"question": question, "answer": answer}) for question, answer in answers.items())
    return ("\n".join(lines) + "\n").encode()


def split_of(question: str) -> str:
    """Return `test` or `train`, the split of a question, by its text alone."""
    return "test" if hashlib.sha256(question.encode()).digest()[0] < _TEST_BELOW else "train"


def problem(story: Story, rng: np.random.Generator) -> tuple[str, str]:
    """Generate a question and its answer. Only integers are drawn, so that a seed gives the same result on any
    machine."""
    who, friend = rng.permutation(_NAMES.split())[:2]
    given = {"who": who, "friend": friend, "things": _THINGS[rng.integers(len(_THINGS))]}
    values: dict[str, int] = {}
    for name, source in story.numbers.items():
        if isinstance(source, str):
            _, values[name] = _worked(source, values)
        else:
            values[name] = int(rng.integers(source[0], source[1] + 1))
    question = story.question.format(**given, **values)
    lines = []
    for step, sentence in story.steps:
        name, formula = step.split(" = ")
        shown, values[name] = _worked(formula, values)
        calculation = f"{shown} = {'$' * name.endswith('$')}<<{shown.replace(' ', '')}={values[name]}>>{values[name]}"
        lines.append(sentence.format(calculation, **given, **values))
    return question, "\n".join([*lines, f"#### {values[name]}"])


def _worked(formula: str, values: Mapping[str, int]) -> tuple[str, int]:
    """Substitute the numbers into a formula, `left sign right`, and compute its result."""
    left, sign, right = formula.split()
    return f"{values[left]} {sign} {values[right]}", _OPERATIONS[sign](values[left], values[right])
