"""Counts of the standard cells in textbook arithmetic circuits.

The circuits are the smallest of their kind: ripple adders, array multipliers, logarithmic shifters. Faster circuits are
larger, both in narrow and in wide units. Widths are in bits.
"""

from dataclasses import astuple, dataclass
from math import ceil, log2


@dataclass(frozen=True)
class Cells:
    """Numbers of standard cells in one circuit; an OR counts as an AND, a comparator's bit as a full adder."""

    and2: float = 0
    xor2: float = 0
    mux2: float = 0
    half_adder: float = 0
    full_adder: float = 0
    flip_flop: float = 0

    def __add__(self, other: "Cells") -> "Cells":
        return Cells(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __rmul__(self, times: float) -> "Cells":
        return Cells(*(times * count for count in astuple(self)))


def adder(width: int) -> Cells:
    return Cells(full_adder=width)


def multiplier(rows: int, columns: int) -> Cells:
    """Count the cells of an array multiplier: an AND per bit product, rows - 1 rows of adders.

    Half adders take the places where carries start.
    Two's complement operands (Baugh-Wooley) take the same array.
    """
    rows, columns = min(rows, columns), max(rows, columns)
    if rows == 1:
        return Cells(and2=columns)
    return Cells(and2=rows * columns, half_adder=rows, full_adder=rows * columns - rows - columns)


def left_shifter(width: int, span: int) -> Cells:
    """Count the cells of a left shifter by 0 to `span` bits; each stage is wide enough for every input to it."""
    stages = span.bit_length()
    return Cells(mux2=sum(min(width + span, width + 2 ** (stage + 1) - 1) for stage in range(stages)))


def right_shifter(width: int) -> Cells:
    """Count the cells of a right shifter by 0 to `width` bits."""
    return Cells(mux2=width * width.bit_length())


def leading_zeros(width: int) -> Cells:
    """Count the cells of a leading-zero counter, a tree that merges pairs: one OR and about one multiplexer per bit."""
    return Cells(and2=width - 1, mux2=width - 1)


def maximum(inputs: int, width: int) -> Cells:
    """Count the cells of a tree of comparators and multiplexers that finds the maximum."""
    return (inputs - 1) * Cells(full_adder=width, mux2=width)


def adder_tree(inputs: int, width: int) -> Cells:
    """Count the cells of a tree that sums signed numbers; each level is one bit wider than the level before it."""
    total, level = Cells(), 0
    while inputs > 1:
        pairs = inputs // 2
        total += pairs * adder(width + level)
        inputs, level = inputs - pairs, level + 1
    return total


def sum_width(inputs: int, width: int) -> int:
    """Return the width of the sum of `inputs` signed numbers of `width` bits."""
    return width + ceil(log2(inputs))


def float_multiplier(exponent: int, significand: int) -> Cells:
    """Count the cells of a float multiplier that rounds to nearest even, without exceptions.

    significand: bits including the hidden one.
    """
    return (
        multiplier(significand, significand)
        + 2 * adder(exponent)
        + Cells(xor2=1, mux2=significand, half_adder=significand)
    )


def float_adder(exponent: int, significand: int) -> Cells:
    """Count a float adder: compare and swap, align, add, normalise, round with guard and sticky bits; no exceptions."""
    inner = significand + 3
    return (
        2 * adder(exponent)
        + Cells(mux2=2 * significand + exponent, and2=significand)
        + right_shifter(inner)
        + Cells(xor2=inner)
        + adder(inner + 1)
        + leading_zeros(inner)
        + right_shifter(inner)
        + Cells(half_adder=significand)
    )


def to_float(width: int) -> Cells:
    """Count the cells of a converter of two's complement to a sign, 8 exponent bits, and a normalised significand."""
    return Cells(xor2=width, half_adder=width) + leading_zeros(width) + right_shifter(width) + adder(8)
