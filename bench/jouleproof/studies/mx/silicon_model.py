"""Area and energy of a dot-product unit, from a count of its cells, after the framework of arXiv 2302.08007.

A unit takes two vectors of PRODUCTS elements at a time. Float: significands are multiplied, exponents added; products
are aligned, in plain fixed point where their whole span fits the window, else to the largest exponent among them; they
are summed in a tree of adders. Each block then adds the exponents of its two scales (and multiplies their significands,
where a scale has one), and the sum is added to a float32 register. Integers without scales are summed in int32.

Area is in gate equivalents: of the cells alone, without wiring. Energy is dynamic: area times how often it switches in
an operation; leakage and wiring are left out. Only ratios of either mean something. Memory, which gains by the size of
a format alone, is not in it. Nothing is fitted: where sources differ, or where a designer has the choice, a constant is
a range, and a result is computed over draws from all ranges at once. bench/mx/silicon_checks.py holds the model against
what others published.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from functools import cache

import numpy as np

from jouleproof.formats import MXFormat
from jouleproof.studies.mx.circuits import (
    Cells,
    adder,
    adder_tree,
    float_adder,
    left_shifter,
    maximum,
    multiplier,
    right_shifter,
    sum_width,
    to_float,
)

PRODUCTS = 32
SETTLED = 0.5  # switchings of a node in an operation on random operands, before glitches


@dataclass(frozen=True)
class Constant:
    """Drawn evenly between low and high, in whole numbers where `whole`."""

    low: float
    high: float
    unit: str
    source: str
    whole: bool = False


_LIBRARIES = (
    "cell area over that of NAND2: NangateOpenCellLibrary (45 nm, X1 cells), sky130_fd_sc_hd (130 nm, _1 cells)"
)
_GLITCH = (
    "20 % to 70 % of dynamic power is glitches, a range often quoted for CMOS logic; drawn for each part by itself"
)

CONSTANTS: Mapping[str, Constant] = {
    "and2": Constant(0.76 / 0.57, 2.30 / 1.38, "gate equivalents", _LIBRARIES),
    "xor2": Constant(1.14 / 0.57, 3.22 / 1.38, "gate equivalents", _LIBRARIES),
    "mux2": Constant(1.33 / 0.57, 4.14 / 1.38, "gate equivalents", _LIBRARIES),
    "half_adder": Constant(1.90 / 0.57, 4.60 / 1.38, "gate equivalents", _LIBRARIES),
    "full_adder": Constant(3.04 / 0.57, 7.36 / 1.38, "gate equivalents", _LIBRARIES),
    "flip_flop": Constant(7.36 / 1.38, 3.23 / 0.57, "gate equivalents", _LIBRARIES),
    "window": Constant(
        14,
        27,
        "bits",
        "14: the FP8 path of H100 (arXiv 2412.19437); 27: float32's significand with guard, round and sticky bits",
        whole=True,
    ),
    "pipeline": Constant(0, 1, "registers", "assumption: no register after alignment, up to one per aligned bit"),
    "glitch_multiply": Constant(0.2, 0.7, "share of switchings", _GLITCH),
    "glitch_align": Constant(0.2, 0.7, "share of switchings", _GLITCH),
    "glitch_add": Constant(0.2, 0.7, "share of switchings", _GLITCH),
    "glitch_accumulate": Constant(0.2, 0.7, "share of switchings", _GLITCH),
    "clocked": Constant(
        8 / 24,
        12 / 24,
        "share of a flip-flop",
        "transmission-gate flip-flop of 24 transistors, 8 to 12 of them clocked",
    ),
}
CELLS = tuple(field.name for field in fields(Cells))
LOGIC = ("multiply", "align", "add", "accumulate")
GROUPS = (*LOGIC, "registers", "pipeline")


@dataclass(frozen=True)
class Unit:
    """A dot-product unit's format.

    significand: bits that are multiplied: with the hidden bit, or the whole two's complement integer.
    exponent_span: largest less smallest exponent of an element; exponent: its bits, 0 for integers.
    block: elements under one scale, 0 where there are no scales. scale_exponent, scale_significand: bits of a scale.
    """

    name: str
    bits: int
    significand: int
    exponent: int = 0
    exponent_span: int = 0
    block: int = 0
    scale_exponent: int = 0
    scale_significand: int = 1

    @property
    def is_integer(self) -> bool:
        return self.exponent == 0


FP4, E4M3, E5M2 = (4, 2, 2, 2), (8, 4, 4, 14), (8, 3, 5, 29)
UNITS: Mapping[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("float32", 32, 24, 8, 253),
        Unit("bfloat16", 16, 8, 8, 253),
        Unit("float16", 16, 11, 5, 29),
        Unit("fp8_e4m3", *E4M3),
        Unit("fp8_e5m2", *E5M2),
        Unit("int8", 8, 8),
        Unit("nvfp4", *FP4, block=16, scale_exponent=4, scale_significand=4),
    )
}


def unit_of(fmt: MXFormat) -> Unit:
    """The unit of a block format with power-of-two scales."""
    significand = fmt.bits if fmt.is_integer else fmt.mantissa_bits + 1
    span = 0 if fmt.is_integer else fmt.emax - fmt.emin
    return Unit(fmt.name, fmt.bits, significand, fmt.exponent_bits, span, fmt.block, scale_exponent=8)


@cache
def parts(unit: Unit, window: int) -> Mapping[str, Cells]:
    """Cells of each group; window: bits of an aligned product where its whole span does not fit. `pipeline` is one
    register on every aligned bit."""
    product = 2 * unit.significand
    exact = product + 2 * unit.exponent_span
    width = exact if exact <= window else max(product, window)
    signed = width if unit.is_integer else width + 1
    blocks = max(1, -(-PRODUCTS // unit.block)) if unit.block else 1
    each = PRODUCTS // blocks

    multiply = PRODUCTS * (multiplier(unit.significand, unit.significand) + adder(unit.exponent))
    align = Cells()
    if not unit.is_integer:
        multiply += PRODUCTS * Cells(xor2=1, and2=2 * (unit.exponent - 1))
        align += PRODUCTS * Cells(xor2=width)  # two's complement; the added one enters the tree as a carry
    if exact > max(product, window):
        align += maximum(PRODUCTS, unit.exponent + 1) + PRODUCTS * (adder(unit.exponent + 1) + right_shifter(width))
    elif unit.exponent_span:
        align += PRODUCTS * left_shifter(product, 2 * unit.exponent_span)

    add = blocks * adder_tree(each, signed)
    total = sum_width(each, signed)
    if unit.block:
        scale = 2 * unit.scale_significand if unit.scale_significand > 1 else 0
        multiply += blocks * adder(unit.scale_exponent)
        if scale:
            multiply += blocks * (multiplier(unit.scale_significand, unit.scale_significand) + multiplier(scale, total))
        total += scale
        if blocks > 1:
            aligned = max(total, window)
            align += maximum(blocks, unit.scale_exponent + 1)
            align += blocks * (adder(unit.scale_exponent + 1) + right_shifter(aligned))
            add += adder_tree(blocks, aligned)
            total = sum_width(blocks, aligned)
    whole = unit.is_integer and not unit.block
    scales = 2 * blocks * (unit.scale_exponent + unit.scale_significand - 1) if unit.block else 0
    return {
        "multiply": multiply,
        "align": align,
        "add": add,
        "accumulate": adder(32) if whole else to_float(total) + adder(10) + float_adder(8, 24),
        "registers": Cells(flip_flop=2 * PRODUCTS * unit.bits + scales + 32),
        "pipeline": Cells(flip_flop=PRODUCTS * signed),
    }


@dataclass(frozen=True)
class Draws:
    """Every constant at once: (draws,) arrays by name."""

    values: Mapping[str, np.ndarray]

    @property
    def cell_areas(self) -> np.ndarray:
        """(draws, cells), in the order of CELLS."""
        return np.stack([self.values[name] for name in CELLS], axis=1)

    def activity(self, group: str) -> np.ndarray:
        """(draws,) switchings of a group's area in one operation."""
        if group in LOGIC:
            return SETTLED / (1 - self.values[f"glitch_{group}"])
        clocked = self.values["clocked"]
        return SETTLED * (1 - clocked) + 2 * clocked


def draw(count: int, seed: int) -> Draws:
    rng = np.random.default_rng(seed)
    values = {
        name: rng.integers(int(c.low), int(c.high) + 1, count) if c.whole else rng.uniform(c.low, c.high, count)
        for name, c in CONSTANTS.items()
    }
    return Draws(values)


def area(cells: Cells, draws: Draws) -> np.ndarray:
    """(draws,) gate equivalents."""
    return draws.cell_areas @ np.array(astuple(cells), dtype=np.float64)


def unit_cost(unit: Unit, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """(draws,) area in gate equivalents, and (draws,) energy of one operation in switchings of a gate equivalent."""
    windows = draws.values["window"]
    areas = np.zeros((len(GROUPS), len(windows)))
    for window in np.unique(windows):
        chosen = windows == window
        found = parts(unit, int(window))
        for row, group in zip(areas, GROUPS, strict=True):
            row[chosen] = area(found[group], draws)[chosen]
    areas[GROUPS.index("pipeline")] *= draws.values["pipeline"]
    activity = np.stack([draws.activity(group) for group in GROUPS])
    return areas.sum(axis=0), (areas * activity).sum(axis=0)
