"""What the templates of word problems are written with: drawn names and numbers, and arithmetic that shows its work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

T = TypeVar("T")

_SHE = "Ada Beth Clara Dina Elena Farah Grace Hana Ines Julia Kira Leila Maya Nora Olga Priya Rosa Sofia Tara Wendy"
_HE = (
    "Adam Boris Carlos David Emil Felix George Hugo Ivan Jonas Karim Luis Marco Nikhil Oscar Pedro Ravi Sam Tom Victor"
)


@dataclass(frozen=True)
class Person:
    """A name and its pronouns."""

    name: str
    they: str
    their: str
    themself: str

    def __str__(self) -> str:
        return self.name


PEOPLE = (
    *(Person(name, "she", "her", "herself") for name in _SHE.split()),
    *(Person(name, "he", "his", "himself") for name in _HE.split()),
)


@dataclass(frozen=True)
class Worked:
    """A calculation and its result. Prints as `3 * 4 = <<3*4=12>>12`; with the format `$`, as money."""

    expression: str
    value: int

    def __format__(self, currency: str) -> str:
        compact = self.expression.replace(" ", "")
        return f"{self.expression} = {currency}<<{compact}={self.value}>>{self.value}"


Number: TypeAlias = int | Worked

Story: TypeAlias = tuple[list[str], list[str], Worked]
"""A word problem: parts of the question, lines of the solution, and the result that is asked for."""


def plus(*terms: Number) -> Worked:
    """The sum."""
    return Worked(_joined(" + ", terms), sum(map(value_of, terms)))


def minus(first: Number, *others: Number) -> Worked:
    """The first less all others."""
    return Worked(_joined(" - ", (first, *others)), value_of(first) - sum(map(value_of, others)))


def times(*factors: Number) -> Worked:
    """The product."""
    return Worked(_joined(" * ", factors), math.prod(map(value_of, factors)))


def over(dividend: Number, divisor: Number) -> Worked:
    """The quotient. Raises ValueError where it is not whole: a template must not draw such numbers."""
    quotient, rest = divmod(value_of(dividend), value_of(divisor))
    if rest:
        raise ValueError(f"{value_of(dividend)} / {value_of(divisor)} is not whole")
    return Worked(_joined(" / ", (dividend, divisor)), quotient)


def percent(share: int, whole: Number) -> Worked:
    """That many percent of the whole. Raises ValueError where it is not whole."""
    quotient, rest = divmod(share * value_of(whole), 100)
    if rest:
        raise ValueError(f"{share} % of {value_of(whole)} is not whole")
    return Worked(f"{value_of(whole)} * {share} / 100", quotient)


def value_of(number: Number) -> int:
    """The number itself, or the result of the calculation."""
    return number.value if isinstance(number, Worked) else number


@dataclass(frozen=True)
class Pick:
    """Draws what a problem is made of; integers only, so that a seed means the same on any machine."""

    rng: np.random.Generator

    def number(self, low: int, high: int, step: int = 1) -> int:
        """One of low, low + step, … up to high, all as likely."""
        return low + step * int(self.rng.integers(0, (high - low) // step + 1))

    def one(self, options: Sequence[T]) -> T:
        """One of the options, all as likely."""
        return options[self.number(0, len(options) - 1)]

    def person(self) -> Person:
        """Somebody."""
        return self.one(PEOPLE)

    def two(self, options: Sequence[T]) -> tuple[T, T]:
        """Two different options, in drawn order."""
        first = self.number(0, len(options) - 1)
        second = (first + self.number(1, len(options) - 1)) % len(options)
        return options[first], options[second]


def _joined(sign: str, numbers: Sequence[Number]) -> str:
    return sign.join(str(value_of(number)) for number in numbers)
