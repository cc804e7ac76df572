"""Stand-ins for the two splits of GSM8K: generated word problems in its format, with their worked solutions.

Reproduced: the format (JSON lines; every calculation annotated as <<a+b=c>>; a last line `#### number`), the number of
problems, about the length of questions and answers, two to six steps, whole results.
Not reproduced: the variety of language and reasoning. The problems come from twenty templates, so a model that has
seen some of them has seen the kind of all of them: results on them say how the machinery works, not how good a model
is at mathematics.

A question belongs to one split by a hash of its text, so the splits share none, whatever their seeds.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

from jouleproof.inputs.stand_in.gsm8k_counting import COUNTING
from jouleproof.inputs.stand_in.gsm8k_money import MONEY
from jouleproof.inputs.stand_in.wording import Pick

TEST_PROBLEMS, TRAIN_PROBLEMS = 1_319, 7_473

_TEST_BELOW = 38  # of the 256 values of a byte: the share of the real test split


def test_split(seed: int) -> bytes:
    """The test split as JSON lines."""
    return _lines("test", TEST_PROBLEMS, seed)


def train_split(seed: int) -> bytes:
    """The training split as JSON lines."""
    return _lines("train", TRAIN_PROBLEMS, seed)


def _lines(split: str, count: int, seed: int) -> bytes:
    pick = Pick(np.random.Generator(np.random.PCG64([seed, int(split == "test")])))
    answers: dict[str, str] = {}
    while len(answers) < count:
        question, answer = _problem(pick)
        if split_of(question) == split:
            answers.setdefault(question, answer)
    lines = (json.dumps({"question": question, "answer": answer}) for question, answer in answers.items())
    return ("\n".join(lines) + "\n").encode()


def split_of(question: str) -> str:
    """`test` or `train`: where a question belongs, by its text alone."""
    return "test" if hashlib.sha256(question.encode()).digest()[0] < _TEST_BELOW else "train"


def _problem(pick: Pick) -> tuple[str, str]:
    sentences, steps, final = pick.one(MONEY + COUNTING)(pick)
    return " ".join(sentences), "\n".join([*steps, f"#### {final.value}"])
