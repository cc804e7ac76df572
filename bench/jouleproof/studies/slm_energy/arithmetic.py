"""Grade school word problems, generated: a start and one to five steps, each with its result worked out.

A token is a word, a phrase or a whole number, so that sums are facts to be learnt and not digits to be carried.
The text of a problem of k steps is as long as that of any other: 5 + 3k tokens are asked, 2 + 4k answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jouleproof.errors import UserError

NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gia", "Hugo")
THINGS = ("apples", "books", "coins", "dates", "eggs", "figs", "pens", "stamps")
SENTENCES = (  # by sign: verbs, and what follows the number
    ("+", ("finds", "buys", "is given"), "more"),
    ("-", ("loses", "sells", "gives away"), "of them"),
    ("*", ("soon has",), "times as many"),
)
HAS, QUESTION, GIVES, END = "has", "How many now?", "->", "end"
LARGEST_FACTOR = 3
SPLIT_SEED = 20_240_926
TRIES = 1000


@dataclass(frozen=True)
class Range:
    """largest: of what a problem begins with and of what is added or taken away. most: of every result.
    held_out: share of the operand tuples that only test problems have."""

    largest: int
    most: int
    held_out: float


@dataclass(frozen=True)
class Vocabulary:
    """Numbers come first: the token of a whole number is the number."""

    words: tuple[str, ...]
    ids: Mapping[str, int]

    @property
    def end(self) -> int:
        return self.ids[END]

    def text(self, tokens: Sequence[int]) -> str:
        """Of some tokens."""
        return " ".join(self.words[token] for token in tokens)


def vocabulary(range: Range) -> Vocabulary:
    """All that problems of a range can hold."""
    verbs = [verb for _, some, _ in SENTENCES for verb in some]
    ends, signs = [end for *_, end in SENTENCES], [sign for sign, *_ in SENTENCES]
    numbers = map(str, np.arange(max(range.most, range.largest, LARGEST_FACTOR) + 1))
    words = (*numbers, *NAMES, HAS, *THINGS, *verbs, *ends, QUESTION, *signs, GIVES, END)
    return Vocabulary(words, {word: number for number, word in enumerate(words)})


@dataclass(frozen=True)
class Problems:
    """Some problems of as many steps each, as arrays.

    start: (problems,). signs: (problems, steps), places in SENTENCES. operands: (problems, steps).
    results: (problems, steps), after each step. words: (problems, 2 + steps) draws that pick name, thing and verbs.
    """

    start: np.ndarray
    signs: np.ndarray
    operands: np.ndarray
    results: np.ndarray
    words: np.ndarray

    @property
    def tuples(self) -> np.ndarray:
        """(problems, 1 + steps): all numbers that the text of a problem gives, in rising order."""
        return np.sort(np.column_stack([self.start, self.operands]), axis=1)

    def some(self, chosen: np.ndarray) -> "Problems":
        """Those that a mask or places choose."""
        return Problems(*(part[chosen] for part in (self.start, self.signs, self.operands, self.results, self.words)))


def is_held_out(tuples: np.ndarray, share: float) -> np.ndarray:
    """(problems,) whether a tuple of operands belongs to the test problems: by a hash of its numbers, whatever their
    order, their signs and the words around them.

    tuples: (problems, operands), each in rising order.
    """
    mixed = np.full(len(tuples), SPLIT_SEED + tuples.shape[1], np.uint64)
    for column in tuples.T:
        mixed = _mixed(mixed ^ (column.astype(np.uint64) + np.uint64(1)))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53 < share


def _mixed(bits: np.ndarray) -> np.ndarray:
    """SplitMix64's step (Steele, Lea and Flood 2014): every bit of the input moves half of the output's."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def drawn(range: Range, steps: int, count: int, held_out: bool, rng: np.random.Generator) -> Problems:
    """`count` problems of `steps` steps, of the test tuples or of all others.

    Raises UserError where the range has next to no such tuples.
    """
    found: list[Problems] = []
    have = 0
    for _ in np.arange(TRIES):
        some = _any(range, steps, 2 * count + 16, rng)
        kept = some.some(is_held_out(some.tuples, range.held_out) == held_out)
        found.append(kept)
        have += len(kept.start)
        if have >= count:
            parts = [[getattr(each, name) for each in found] for name in Problems.__dataclass_fields__]
            return Problems(*(np.concatenate(part)[:count] for part in parts))
    raise UserError(f"config: ladder.numbers: {range} has too few problems of {steps} steps, held out: {held_out}")


def _any(range: Range, steps: int, count: int, rng: np.random.Generator) -> Problems:
    """No result is negative or above the most; a product is taken one time in four where it stays below."""
    start = rng.integers(1, range.largest + 1, count)
    value, signs, operands, results = start, [], [], []
    for _ in np.arange(steps):
        factor = rng.integers(2, LARGEST_FACTOR + 1, count)
        wants, adds = rng.random((2, count)) < [[0.25], [0.5]]
        times = wants & (value * factor <= range.most) & (value > 0)
        up = ~times & ((adds & (value < range.most)) | (value == 0))
        room = np.where(up, range.most - value, value)
        term = 1 + (rng.random(count) * np.minimum(room, range.largest)).astype(np.int64)
        operand = np.where(times, factor, term)
        value = np.where(times, value * operand, np.where(up, value + operand, value - operand))
        signs.append(np.where(times, 2, np.where(up, 0, 1)))
        operands.append(operand)
        results.append(value)
    words = rng.integers(0, 2**31, (count, 2 + steps))
    by_step = [np.stack(part, axis=1) for part in (signs, operands, results)]
    return Problems(start, by_step[0], by_step[1], by_step[2], words)


def prompt_length(steps: int) -> int:
    """Tokens of the question."""
    return 5 + 3 * steps


def answer_length(steps: int) -> int:
    """Tokens of the worked steps, the end included."""
    return 2 + 4 * steps


def texts(problems: Problems, known: Vocabulary) -> np.ndarray:
    """(problems, prompt + answer) int64 tokens."""
    ids, count = known.ids, len(problems.start)

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


def final_answer(tokens: Sequence[int], known: Vocabulary) -> int | None:
    """The number before the first end, if a result stands there: what an answer says, whatever its steps.

    tokens: of an answer, as far as it went.
    """
    end = known.ids[END]
    written = list(tokens)
    if end not in written:
        return None
    before = written[: written.index(end)]
    arrow, numbers = known.ids[GIVES], known.ids[NAMES[0]]
    return before[-1] if len(before) > 1 and before[-2] == arrow and before[-1] < numbers else None


def is_right(answers: np.ndarray, problems: Problems, known: Vocabulary) -> np.ndarray:
    """(problems,) whether the final answer is exactly that of the problem. answers: (problems, tokens)."""
    return np.array(
        [final_answer(row, known) == wanted
         for row, wanted in zip(answers.tolist(), problems.results[:, -1].tolist(), strict=True)], bool
    )  # fmt: skip
