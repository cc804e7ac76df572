"""Generated grade school word problems and the marking of answers. A problem has a starting number and one to five
steps; its answer works out the result of each step.

A token is a word, a phrase or a whole number, so sums are facts to be learnt rather than digits to be carried. All
problems of k steps have texts of the same length: 5 + 3k tokens of question and 2 + 4k of answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count

import numpy as np

from jouleproof.errors import UserError

NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gia", "Hugo")
THINGS = ("apples", "books", "coins", "dates", "eggs", "figs", "pens", "stamps")
SENTENCES = (  # sign, its verbs, and the words after the number
    ("+", ("finds", "buys", "is given"), "more"),
    ("-", ("loses", "sells", "gives away"), "of them"),
    ("*", ("soon has",), "times as many"),
)
HAS, QUESTION, GIVES, END = "has", "How many now?", "->", "end"
LARGEST_FACTOR = 3
SPLIT_SEED = 20_240_926
TEST_SEED = 7  # seed of the test problems, which all models share
DRAWN_TOGETHER = 50  # batches per draw
TRIES = 1000


@dataclass(frozen=True)
class Range:
    """The range of the numbers in a problem.

    largest: upper bound of the starting number and of numbers added or subtracted. most: upper bound of every result.
    held_out: share of the operand tuples that are reserved for test problems.
    """

    largest: int
    most: int
    held_out: float


@dataclass(frozen=True)
class WordProblems:
    """The problems that models are trained on: a number range and the numbers of steps.

    tests: held-out problems per number of steps.
    """

    range: Range
    steps: tuple[int, ...]
    tests: int

    @property
    def length(self) -> int:
        """Tokens of the longest text."""
        return prompt_length(max(self.steps)) + answer_length(max(self.steps))


@dataclass(frozen=True)
class Vocabulary:
    """Words and their tokens. Numbers come first: the token of a whole number is the number."""

    words: tuple[str, ...]
    ids: Mapping[str, int]

    @property
    def end(self) -> int:
        return self.ids[END]

    def text(self, tokens: Sequence[int]) -> str:
        """Join the words of the tokens with spaces."""
        return " ".join(self.words[token] for token in tokens)


@cache
def vocabulary(numbers: Range) -> Vocabulary:
    """Build the vocabulary of all words that problems of a range can contain."""
    verbs = [verb for _, some, _ in SENTENCES for verb in some]
    ends, signs = [end for *_, end in SENTENCES], [sign for sign, *_ in SENTENCES]
    whole = map(str, range(max(numbers.most, numbers.largest, LARGEST_FACTOR) + 1))
    words = (*whole, *NAMES, HAS, *THINGS, *verbs, *ends, QUESTION, *signs, GIVES, END)
    return Vocabulary(words, {word: number for number, word in enumerate(words)})


@dataclass(frozen=True)
class Problems:
    """Problems with the same number of steps, as arrays.

    start: (problems,). signs: (problems, steps), indices into SENTENCES. operands: (problems, steps). results:
    (problems, steps), after each step. words: (problems, 2 + steps) random draws that pick name, thing and verbs.
    """

    start: np.ndarray
    signs: np.ndarray
    operands: np.ndarray
    results: np.ndarray
    words: np.ndarray

    @property
    def tuples(self) -> np.ndarray:
        """All numbers in the question of a problem, (problems, 1 + steps), in ascending order."""
        return np.sort(np.column_stack([self.start, self.operands]), axis=1)

    def some(self, chosen: np.ndarray) -> "Problems":
        """Select problems by a mask or by indices."""
        return Problems(*(part[chosen] for part in (self.start, self.signs, self.operands, self.results, self.words)))


def is_held_out(tuples: np.ndarray, share: float) -> np.ndarray:
    """Return (problems,) bool, whether a tuple of operands belongs to the test problems. A hash of the numbers decides;
    their order, their signs and the words around them do not matter.

    tuples: (problems, operands), each in ascending order.
    """
    mixed = np.full(len(tuples), SPLIT_SEED + tuples.shape[1], np.uint64)
    for column in tuples.T:
        mixed = _mixed(mixed ^ (column.astype(np.uint64) + np.uint64(1)))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53 < share


def _mixed(bits: np.ndarray) -> np.ndarray:
    """Apply a step of SplitMix64 (Steele, Lea and Flood 2014): every input bit changes half of the output bits."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def draw_problems(numbers: Range, steps: int, count: int, held_out: bool, rng: np.random.Generator) -> Problems:
    """Draw `count` problems of `steps` steps, from the held-out operand tuples or from all others.

    Raises UserError if the range has almost no such tuples.
    """
    kept: list[Problems] = []
    for _ in range(TRIES):
        either = _any(numbers, steps, 2 * count + 16, rng)
        kept.append(either.some(is_held_out(either.tuples, numbers.held_out) == held_out))
        if sum(len(problems.start) for problems in kept) >= count:
            columns = [[getattr(problems, name) for problems in kept] for name in Problems.__dataclass_fields__]
            return Problems(*(np.concatenate(column)[:count] for column in columns))
    kind = "held-out" if held_out else "training"
    raise UserError(f"config: ladder.numbers: too few {kind} problems of {steps} steps in {numbers}")


def _any(numbers: Range, steps: int, count: int, rng: np.random.Generator) -> Problems:
    """Draw problems, whether held out or not. Every result lies between 0 and `most`; a step multiplies with
    probability 1/4 if the product stays within these bounds."""
    start = rng.integers(1, numbers.largest + 1, count)
    value, signs, operands, results = start, [], [], []
    for _ in range(steps):
        factor = rng.integers(2, LARGEST_FACTOR + 1, count)
        wants, adds = rng.random((2, count)) < [[0.25], [0.5]]
        times = wants & (value * factor <= numbers.most) & (value > 0)
        up = ~times & ((adds & (value < numbers.most)) | (value == 0))
        margin = np.where(up, numbers.most - value, value)
        term = 1 + (rng.random(count) * np.minimum(margin, numbers.largest)).astype(np.int64)
        operand = np.where(times, factor, term)
        value = np.where(times, value * operand, np.where(up, value + operand, value - operand))
        signs.append(np.where(times, 2, np.where(up, 0, 1)))
        operands.append(operand)
        results.append(value)
    words = rng.integers(0, 2**31, (count, 2 + steps))
    return Problems(
        start=start,
        signs=np.stack(signs, axis=1),
        operands=np.stack(operands, axis=1),
        results=np.stack(results, axis=1),
        words=words,
    )


def prompt_length(steps: int) -> int:
    """Count the tokens of the question."""
    return 5 + 3 * steps


def answer_length(steps: int) -> int:
    """Count the tokens of the worked steps, including the end token."""
    return 2 + 4 * steps


def texts(problems: Problems, vocab: Vocabulary) -> np.ndarray:
    """Write the problems as (problems, prompt + answer) int64 tokens."""
    ids, count = vocab.ids, len(problems.start)

    def word(choices: Sequence[str], draws: np.ndarray) -> np.ndarray:
        return np.array([ids[choice] for choice in choices])[draws % len(choices)]

    def same(what: str) -> np.ndarray:
        return np.full(count, ids[what])

    verbs = [[ids[verb] for verb in some] for _, some, _ in SENTENCES]
    most = max(map(len, verbs))
    table = np.array([some + [0] * (most - len(some)) for some in verbs])
    choices, ends = np.array([len(some) for some in verbs]), np.array([ids[end] for *_, end in SENTENCES])
    written = np.array([ids[sign] for sign, *_ in SENTENCES])
    asked = [word(NAMES, problems.words[:, 0]), same(HAS), problems.start, word(THINGS, problems.words[:, 1])]
    answered = [problems.start]
    for step, sign in enumerate(problems.signs.T):
        asked += [table[sign, problems.words[:, 2 + step] % choices[sign]], problems.operands[:, step], ends[sign]]
        answered += [written[sign], problems.operands[:, step], same(GIVES), problems.results[:, step]]
    return np.stack([*asked, same(QUESTION), *answered, same(END)], axis=1).astype(np.int64)


def final_answer(tokens: Sequence[int], vocab: Vocabulary) -> int | None:
    """Return the final answer: the number before the first end token if it follows `->`, whatever the steps before it.

    tokens: of an answer; without an end token it has no final answer.
    """
    end = vocab.ids[END]
    written = list(tokens)
    if end not in written:
        return None
    before = written[: written.index(end)]
    arrow, numbers = vocab.ids[GIVES], vocab.ids[NAMES[0]]
    return before[-1] if len(before) > 1 and before[-2] == arrow and before[-1] < numbers else None


def is_right(answers: np.ndarray, problems: Problems, vocab: Vocabulary) -> np.ndarray:
    """Return (problems,) bool, whether the final answer is exactly the problem's. answers: (problems, tokens)."""
    pairs = zip(answers.tolist(), problems.results[:, -1].tolist(), strict=True)
    return np.array([final_answer(row, vocab) == wanted for row, wanted in pairs], bool)


def batches(task: WordProblems, problems: int, seeds: Sequence[int], first: int) -> Iterator[list[np.ndarray]]:
    """Yield the texts of training step `first` and of all later steps, drawn separately for each seed.

    problems: in a batch, for each number of steps. A batch is a list of int64 arrays (seeds, problems, tokens), one
    array for each number of steps.
    """
    words = vocabulary(task.range)
    for block in count(first // DRAWN_TOGETHER):
        drawn_together = [
            np.stack(
                [
                    texts(draw_problems(task.range, steps, problems * DRAWN_TOGETHER, False, rng), words)
                    for rng in (np.random.default_rng([seed, block, steps]) for seed in seeds)
                ]
            )
            for steps in task.steps
        ]
        start = first % DRAWN_TOGETHER if block == first // DRAWN_TOGETHER else 0
        for place in range(start, DRAWN_TOGETHER):
            yield [tokens[:, problems * place : problems * (place + 1)] for tokens in drawn_together]


@cache
def held_out_problems(task: WordProblems) -> Mapping[int, Problems]:
    """Return the test problems by number of steps; they are the same for all models."""
    return {
        steps: draw_problems(task.range, steps, task.tests, True, np.random.default_rng([TEST_SEED, steps]))
        for steps in task.steps
    }


@cache
def held_out_prompts(task: WordProblems) -> Mapping[int, np.ndarray]:
    """Return the questions of the test problems, (problems, tokens), by number of steps."""
    words = vocabulary(task.range)
    return {
        steps: texts(problems, words)[:, : prompt_length(steps)] for steps, problems in held_out_problems(task).items()
    }


def share_right(task: WordProblems, steps: int, answers: np.ndarray) -> list[float]:
    """Return each model's share of right answers to the test problems of a number of steps.

    answers: (models, problems, tokens).
    """
    problems, words = held_out_problems(task)[steps], vocabulary(task.range)
    return [float(is_right(of_model, problems, words).mean()) for of_model in answers]
