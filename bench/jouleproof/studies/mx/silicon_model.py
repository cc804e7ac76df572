"""Area and energy of a dot-product unit, from a count of its cells, following the framework of arXiv 2302.08007.

A unit takes two vectors of PRODUCTS elements at a time. The stages of its datapath are:

    multiply    significands are multiplied and exponents added; the scales of each block likewise
    align       products of floats become fixed point: all their bits if these fit the window, otherwise the window
                below the largest exponent; the sums of several blocks are aligned in the same way
    add         a tree of adders for each block, and one over the blocks
    accumulate  the sum is added to a float32 register (integers without scales: to an int32)
    registers   flip-flops that hold the operands, the scales and the result
    pipeline    optional flip-flops after the alignment

Area is in gate equivalents of the cells alone, without wiring. Energy is dynamic energy: area times the switchings of
an operation, without leakage and wiring. Only ratios of areas or energies are meaningful. Memory, where the gain is the
size of a format alone, is not modelled. Nothing is fitted: if sources differ, or if a designer has a choice, a constant
is a range, and results are computed over joint draws from all ranges. silicon_checks.py compares the model with
published ratios.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from functools import cache

import numpy as np

from jouleproof.formats import FORMATS, MXFormat
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
LOGIC = ("multiply", "align", "add", "accumulate")
STAGES = (*LOGIC, "registers", "pipeline")
CELLS = tuple(field.name for field in fields(Cells))


@dataclass(frozen=True)
class Constant:
    """A constant of the model, drawn uniformly between low and high; an integer if `whole`."""

    low: float
    high: float
    unit: str
    source: str
    whole: bool = False


LIBRARIES = "cell area over that of NAND2: NangateOpenCellLibrary (45 nm, X1 cells), sky130_fd_sc_hd (130 nm, _1 cells)"
NAND2_AREAS = (0.57, 1.38)  # by library, in each library's unit
CELL_AREAS = {
    "and2": (0.76, 2.30),
    "xor2": (1.14, 3.22),
    "mux2": (1.33, 4.14),
    "half_adder": (1.90, 4.60),
    "full_adder": (3.04, 7.36),
    "flip_flop": (3.23, 7.36),
}


def _cell(areas: tuple[float, float]) -> Constant:
    ratios = [area / nand2 for area, nand2 in zip(areas, NAND2_AREAS, strict=True)]
    return Constant(low=min(ratios), high=max(ratios), unit="gate equivalents", source=LIBRARIES)


GLITCHES = Constant(
    low=0.2,
    high=0.7,
    unit="share of switchings",
    source="20 % to 70 % of dynamic power is glitches, a range often quoted for CMOS logic; drawn stage by stage",
)
CONSTANTS: Mapping[str, Constant] = {
    **{name: _cell(areas) for name, areas in CELL_AREAS.items()},
    "window": Constant(
        low=14,
        high=27,
        unit="bits",
        source="14: FP8 path of H100 (arXiv 2412.19437); 27: float32's significand with guard, round and sticky bits",
        whole=True,
    ),
    "pipeline": Constant(
        low=0,
        high=1,
        unit="registers",
        source="assumption: no register after alignment, up to one per aligned bit",
    ),
    **{f"glitch_{stage}": GLITCHES for stage in LOGIC},
    "clocked": Constant(
        low=8 / 24,
        high=12 / 24,
        unit="share of a flip-flop",
        source="transmission-gate flip-flop of 24 transistors, 8 to 12 of them clocked",
    ),
}


@dataclass(frozen=True)
class Unit:
    """A dot-product unit for one format, described by widths in bits.

    significand: bits that are multiplied, including the hidden bit, or the whole two's complement integer.
    exponent: exponent bits of an element, 0 for integers. exponent_span: its largest minus its smallest exponent.
    block: elements under one scale, 0 without scales. scale_exponent, scale_significand: bits of a scale.
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

    @property
    def blocks(self) -> int:
        """Number of blocks whose products are summed at a time."""
        return max(1, -(-PRODUCTS // self.block)) if self.block else 1


def unit_of(fmt: MXFormat) -> Unit:
    """Return the unit of a block format with power-of-two scales."""
    return Unit(
        name=fmt.name,
        bits=fmt.bits,
        significand=fmt.bits if fmt.is_integer else fmt.mantissa_bits + 1,
        exponent=fmt.exponent_bits,
        exponent_span=0 if fmt.is_integer else fmt.emax - fmt.emin,
        block=fmt.block,
        scale_exponent=8,
    )


E4M3, E5M2, INT8, FP4 = (unit_of(FORMATS[name]) for name in ("mxfp8_e4m3", "mxfp8_e5m2", "mxint8", "mxfp4"))
UNITS: Mapping[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("float32", bits=32, significand=24, exponent=8, exponent_span=253),
        Unit("bfloat16", bits=16, significand=8, exponent=8, exponent_span=253),
        Unit("float16", bits=16, significand=11, exponent=5, exponent_span=29),
        replace(E4M3, name="fp8_e4m3", block=0, scale_exponent=0),
        replace(E5M2, name="fp8_e5m2", block=0, scale_exponent=0),
        replace(INT8, name="int8", block=0, scale_exponent=0),
        replace(FP4, name="nvfp4", block=16, scale_exponent=4, scale_significand=4),
    )
}


@cache
def stages(unit: Unit, window: int) -> Mapping[str, Cells]:
    """Return the cells of each stage, from the widths of its signals. `pipeline` has one register per aligned bit.

    window: bits of an aligned product whose whole span does not fit.
    """
    blocks, length = unit.blocks, PRODUCTS // unit.blocks
    product = 2 * unit.significand
    aligned = min(product + 2 * unit.exponent_span, max(product, window))
    addend = aligned if unit.is_integer else aligned + 1  # with a sign
    block_sum = sum_width(length, addend)
    scaled_sum = block_sum + (2 * unit.scale_significand if unit.scale_significand > 1 else 0)
    aligned_sum = max(scaled_sum, window) if blocks > 1 else scaled_sum
    total = sum_width(blocks, aligned_sum)
    accumulate = to_float(total) + adder(10) + float_adder(8, 24)
    scales = 2 * blocks * (unit.scale_exponent + unit.scale_significand - 1) if unit.block else 0
    return {
        "multiply": PRODUCTS * _element_multiplier(unit) + blocks * _scale_multiplier(unit, block_sum),
        "align": _product_alignment(unit, aligned) + _block_alignment(unit, aligned_sum),
        "add": blocks * adder_tree(length, addend) + adder_tree(blocks, aligned_sum),
        "accumulate": adder(32) if unit.is_integer and not unit.block else accumulate,
        "registers": Cells(flip_flop=2 * PRODUCTS * unit.bits + scales + 32),
        "pipeline": Cells(flip_flop=PRODUCTS * addend),
    }


def _element_multiplier(unit: Unit) -> Cells:
    """Count the cells for the product of significands, the sum of exponents, and the sign and hidden bits of floats."""
    sign_and_hidden = Cells() if unit.is_integer else Cells(xor2=1, and2=2 * (unit.exponent - 1))
    return multiplier(unit.significand, unit.significand) + adder(unit.exponent) + sign_and_hidden


def _scale_multiplier(unit: Unit, block_sum: int) -> Cells:
    """Count the cells that add the exponents of a block's two scales, and multiply their significands and its sum."""
    if unit.scale_significand == 1:
        return adder(unit.scale_exponent)
    significands = multiplier(unit.scale_significand, unit.scale_significand)
    return adder(unit.scale_exponent) + significands + multiplier(2 * unit.scale_significand, block_sum)


def _product_alignment(unit: Unit, aligned: int) -> Cells:
    """Count the cells that negate the products, and shift each to the position given by its exponent."""
    if unit.is_integer:
        return Cells()
    product, span = 2 * unit.significand, 2 * unit.exponent_span
    complement = PRODUCTS * Cells(xor2=aligned)  # the added one enters the tree as a carry
    if product + span > aligned:
        return complement + _to_the_largest_exponent(PRODUCTS, unit.exponent + 1, aligned)
    return complement + PRODUCTS * left_shifter(product, span)


def _block_alignment(unit: Unit, aligned: int) -> Cells:
    if unit.blocks == 1:
        return Cells()
    return _to_the_largest_exponent(unit.blocks, unit.scale_exponent + 1, aligned)


def _to_the_largest_exponent(inputs: int, exponent: int, width: int) -> Cells:
    """Count the cells that find the largest exponent, and shift each input right by the difference to its exponent."""
    return maximum(inputs, exponent) + inputs * (adder(exponent) + right_shifter(width))


@dataclass(frozen=True)
class Draws:
    """Draws of all constants: (draws,) arrays by name."""

    values: Mapping[str, np.ndarray]

    @property
    def cell_areas(self) -> np.ndarray:
        """Areas of the cells, (draws, cells), in the order of CELLS."""
        return np.stack([self.values[name] for name in CELLS], axis=1)

    def activity(self, stage: str) -> np.ndarray:
        """Return (draws,): how often the gates of a stage switch in one operation, on average."""
        if stage in LOGIC:
            return SETTLED / (1 - self.values[f"glitch_{stage}"])
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
    """Return the area of the cells, (draws,), in gate equivalents."""
    return draws.cell_areas @ np.array(astuple(cells), dtype=np.float64)


def unit_cost(unit: Unit, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Return (draws,) area in gate equivalents, and (draws,) energy per operation in switchings of gate equivalents."""
    windows = draws.values["window"]
    areas = np.zeros((len(STAGES), len(windows)))
    for window in np.unique(windows):
        chosen = windows == window
        cells = stages(unit, int(window))
        for row, stage in zip(areas, STAGES, strict=True):
            row[chosen] = area(cells[stage], draws)[chosen]
    areas[STAGES.index("pipeline")] *= draws.values["pipeline"]
    activity = np.stack([draws.activity(stage) for stage in STAGES])
    return areas.sum(axis=0), (areas * activity).sum(axis=0)
