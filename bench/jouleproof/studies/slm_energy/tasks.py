"""Tasks for a language model, and their scores: some on which a small model clearly beats chance, and one on which it
does not.

A task supplies its texts; it asks a model only for tokens, likelihoods and continuations.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import nn

from jouleproof.errors import UserError
from jouleproof.inputs import Problem
from jouleproof.models.likelihood import Likelihood
from jouleproof.models.pieces import tokens_of_pieces

SHOTS = 4
MOST_NEW_TOKENS = 160
OPTIONS = 4
_CALCULATION = re.compile(r"<<[^<>=]*=([^<>]*)>>")
_NUMBER = re.compile(r"-?\d[\d,]*")
_LAST_LINE = re.compile(r"#### (-?\d[\d,]*)")


class Model(Protocol):
    """The interface of a language model that tasks use; jouleproof.models.smollm2 and .hugging implement it.

    A model whose texts have an end also has `ends`, a collection of the tokens that end a text.
    """

    @property
    def name(self) -> str: ...

    @property
    def body(self) -> nn.Module:
        """The model's layers without the head; a cast of weights applies to these."""

    @property
    def rounded(self) -> str | None:
        """The format that its weights were already rounded to, or None."""

    @property
    def context(self) -> int:
        """Tokens of the longest text that the model reads."""

    def tokens(self, text: str) -> list[int]:
        """Encode a text; a text in pieces is encoded by jouleproof.models.pieces."""

    def likelihoods(self, texts: Sequence[Sequence[int]], firsts: Sequence[int]) -> list[Likelihood]:
        """Score the tokens of each text from its position in `firsts`, at least 1, to its end."""

    def continued(
        self, prefix: Sequence[int], prompts: Sequence[Sequence[int]], most: int, done: Callable[[Sequence[int]], bool]
    ) -> list[list[int]]:
        """Continue greedily, as jouleproof.models.continuation does; an end token is the last that is returned."""

    def text(self, tokens: Sequence[int]) -> str:
        """Decode tokens to exactly the text that they encode."""


@dataclass(frozen=True)
class Score:
    """One score of one item. weight: of the item in a mean. prompt, output: tokens read and written for it."""

    metric: str
    unit: str
    value: float
    weight: float = 1.0
    prompt: int = 0
    output: int = 0


@dataclass(frozen=True)
class Task:
    """A task: its items and how a model's work on them is scored.

    items: makes items from the test and training problems, a count and a seed. score: yields pairs of an item's number
    and a score. chance: expected score of a guess, 0 if guessing is hopeless. every_format: whether weights in every
    format are tested, or only float32.
    """

    name: str
    items: Callable[[Sequence[Problem], Sequence[Problem], int, int], Sequence[Any]]
    score: Callable[[Model, Sequence[Any]], Iterator[tuple[int, Score]]]
    chance: float = 0.0
    every_format: bool = True


@dataclass(frozen=True)
class Choice:
    """A question with options. options: the right one comes first; the model does not see the order."""

    question: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Shots:
    """A problem with solved problems before it in the prompt."""

    prefix: str
    question: str
    final: int


def some(test: Sequence[Problem], _: Sequence[Problem], count: int, seed: int) -> Sequence[Problem]:
    """Draw `count` problems of the test split without replacement, or all if there are fewer."""
    order = np.random.default_rng(seed).permutation(len(test))[:count]
    return [test[number] for number in order]


def read_solutions(model: Model, problems: Sequence[Problem]) -> Iterator[tuple[int, Score]]:
    """Score how well a model predicts worked solutions.

    bits_per_byte: of each solution given its question, weighted by bytes. calculator_step: 1 if all tokens of the right
    side of a solution's `<<48/2=24>>` are the most likely ones, given the solution up to there.
    """
    pieces = [_pieces(f" {problem.answer}") for problem in problems]
    tokens_of = [
        tokens_of_pieces(model, [_prompt(problem.question), *(text for text, _ in solution)])
        for problem, solution in zip(problems, pieces, strict=True)
    ]
    texts = [[token for piece in text for token in piece] for text in tokens_of]
    _check_lengths(model, texts)
    likelihoods = model.likelihoods(texts, [len(question) for question, *_ in tokens_of])
    for number, likelihood in enumerate(likelihoods):
        size = sum(len(text.encode()) for text, _ in pieces[number])
        bits = -float(likelihood.nats.double().sum()) / math.log(2)
        yield number, Score("bits_per_byte", "bits/byte", bits / size, size, prompt=len(texts[number]))
        start, read = 0, len(tokens_of[number][0])
        for (_, is_result), tokens in zip(pieces[number], tokens_of[number][1:], strict=True):
            end = start + len(tokens)
            if is_result:
                right = float(bool(likelihood.likeliest[start:end].all()))
                yield number, Score("calculator_step", "share", right, prompt=read + start, output=len(tokens))
            start = end


def _pieces(answer: str) -> list[tuple[str, bool]]:
    """Cut an answer around the right sides of its calculations, so that no token spans a cut; true marks a right
    side."""
    pieces, start = [], 0
    for match in _CALCULATION.finditer(answer):
        pieces += [(answer[start : match.start(1)], False), (match[1], True)]
        start = match.end(1)
    return [piece for piece in [*pieces, (answer[start:], False)] if piece[0]]


def sums(_: Sequence[Problem], __: Sequence[Problem], count: int, seed: int) -> Sequence[Choice]:
    """Make sums, differences and products of small numbers, each with three wrong results of as many digits."""
    rng = np.random.default_rng(seed)
    return [_choice(rng, "+-*"[number % 3]) for number in range(count)]


def _choice(rng: np.random.Generator, sign: str) -> Choice:
    left, right = (int(operand) for operand in rng.integers(2, 13 if sign == "*" else 50, 2))
    left, right = max(left, right), min(left, right)
    result = {"+": left + right, "-": left - right, "*": left * right}[sign]
    digits = len(str(result))
    near = [
        candidate
        for candidate in range(max(result - 10, 0), result + 11)
        if candidate != result and len(str(candidate)) == digits
    ]
    wrong = rng.choice(near, OPTIONS - 1, replace=False)
    return Choice(f"{left} {sign} {right} =", tuple(f" {value}" for value in (result, *wrong)))


def choose(model: Model, choices: Sequence[Choice]) -> Iterator[tuple[int, Score]]:
    """Score 1 if the right option is more probable after the question than every other option, else 0."""
    asked = [tokens_of_pieces(model, [choice.question, option]) for choice in choices for option in choice.options]
    texts = [[*question, *option] for question, option in asked]
    firsts = [len(question) for question, _ in asked]
    likelihoods = [float(likelihood.nats.double().sum()) for likelihood in model.likelihoods(texts, firsts)]
    for number in range(len(choices)):
        scores = likelihoods[number * OPTIONS : (number + 1) * OPTIONS]
        read = sum(len(text) for text in texts[number * OPTIONS : (number + 1) * OPTIONS])
        right = float(scores[0] > max(scores[1:]))
        yield number, Score("choice", "share", right, prompt=read)


def with_shots(test: Sequence[Problem], train: Sequence[Problem], count: int, seed: int) -> Sequence[Shots]:
    """Draw problems of the test split, and prefix them with the four shortest solved problems of the training split."""
    shown = sorted(train, key=lambda problem: (len(problem.question + problem.answer), problem.question))[:SHOTS]
    prefix = "".join(f"Question: {problem.question}\nAnswer: {problem.answer}\n\n" for problem in shown)
    return [Shots(prefix, problem.question, problem.final) for problem in some(test, train, count, seed)]


def answer(model: Model, asked: Sequence[Shots]) -> Iterator[tuple[int, Score]]:
    """Score written answers. exact_match: 1 if the number after `####` is right. flexible_match: 1 if the last number
    is right.

    An end token costs a step, so it counts as output; it is not part of the answer's text, nor is anything after it.
    """
    ends = frozenset(getattr(model, "ends", ()))

    def done(tokens: Sequence[int]) -> bool:
        text = model.text(tokens)
        return bool(re.search(r"#### [^\n]*\n", text)) or "\n\n" in text

    pieces = [tokens_of_pieces(model, [asked[0].prefix, _prompt(problem.question)]) for problem in asked]
    prefix, prompts = pieces[0][0], [prompt for _, prompt in pieces]
    _check_lengths(model, [[*prefix, *prompt] for prompt in prompts], MOST_NEW_TOKENS)
    for number, tokens in enumerate(model.continued(prefix, prompts, MOST_NEW_TOKENS, done)):
        size = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
        text = model.text(tokens[:size])
        cost = {"prompt": len(prefix) + len(prompts[number]), "output": min(size + 1, len(tokens))}
        strict, numbers = _LAST_LINE.search(text), _NUMBER.findall(text)
        yield number, Score("exact_match", "share", _is(strict and strict[1], asked[number].final), **cost)
        yield number, Score("flexible_match", "share", _is(numbers and numbers[-1], asked[number].final), **cost)


def _prompt(question: str) -> str:
    return f"Question: {question}\nAnswer:"


def _check_lengths(model: Model, texts: Sequence[Sequence[int]], more: int = 0) -> None:
    longest = max(map(len, texts)) + more
    if longest > model.context:
        raise UserError(f"task: a text has {longest} tokens, but {model.name} reads at most {model.context}")


def _is(text: str | list[str] | None, wanted: int) -> float:
    return float(isinstance(text, str) and text.replace(",", "") == str(wanted))


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("solutions", some, read_solutions),
        Task("sums", sums, choose, chance=1 / OPTIONS, every_format=False),
        Task("problems", with_shots, answer, every_format=False),
    )
}
