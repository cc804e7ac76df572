"""Published ratios of costs that are no constants of the model, and what the model says of the same."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jouleproof.studies.mx.circuits import Cells, adder, float_adder, float_multiplier, multiplier
from jouleproof.studies.mx.silicon_model import UNITS, Draws, Unit, area, unit_cost

Ratio = Callable[[Draws], np.ndarray]


@dataclass(frozen=True)
class Check:
    """published: one ratio, or the ends of a range. modelled: (draws,) the same ratio."""

    name: str
    source: str
    published: tuple[float, ...]
    modelled: Ratio


def areas(over: Cells, under: Cells) -> Ratio:
    return lambda draws: area(over, draws) / area(under, draws)


def energies(over: Cells, part_over: str, under: Cells, part_under: str) -> Ratio:
    """Each circuit switches as that part of a unit does."""
    return lambda draws: areas(over, under)(draws) * draws.activity(part_over) / draws.activity(part_under)


def unit_areas(over: Unit, under: Unit) -> Ratio:
    return lambda draws: unit_cost(over, draws)[0] / unit_cost(under, draws)[0]


HOROWITZ = "Horowitz 2014, energy at 45 nm"  # pJ
ALADDIN = "Shao et al. 2014, area at 40 nm"  # um2; the floats hold pipeline registers
ADD_8, ADD_32, MULTIPLY_8, MULTIPLY_32 = adder(8), adder(32), multiplier(8, 8), multiplier(32, 32)
ADD_F16, ADD_F32, ADD_F64 = float_adder(5, 11), float_adder(8, 24), float_adder(11, 53)
MULTIPLY_F16, MULTIPLY_F32, MULTIPLY_F64 = float_multiplier(5, 11), float_multiplier(8, 24), float_multiplier(11, 53)
FP4 = Unit("mxfp4", 4, 2, 2, 2, block=32, scale_exponent=8)
CHECKS = (
    Check("int32/int8 add", HOROWITZ, (0.1 / 0.03,), energies(ADD_32, "add", ADD_8, "add")),
    Check("int32/int8 multiply", HOROWITZ, (3.1 / 0.2,), energies(MULTIPLY_32, "multiply", MULTIPLY_8, "multiply")),
    Check("FP32/FP16 add", HOROWITZ, (0.9 / 0.4,), energies(ADD_F32, "accumulate", ADD_F16, "accumulate")),
    Check("FP32/FP16 multiply", HOROWITZ, (3.7 / 1.1,), energies(MULTIPLY_F32, "multiply", MULTIPLY_F16, "multiply")),
    Check("int8 multiply/add", HOROWITZ, (0.2 / 0.03,), energies(MULTIPLY_8, "multiply", ADD_8, "add")),
    Check("int32 multiply/add", HOROWITZ, (3.1 / 0.1,), energies(MULTIPLY_32, "multiply", ADD_32, "add")),
    Check("FP32/int32 add", HOROWITZ, (0.9 / 0.1,), energies(ADD_F32, "accumulate", ADD_32, "add")),
    Check("FP32/int32 multiply", HOROWITZ, (3.7 / 3.1,), energies(MULTIPLY_F32, "multiply", MULTIPLY_32, "multiply")),
    Check("FP64/FP32 add", ALADDIN, (9_880 / 4_360,), areas(ADD_F64, ADD_F32)),
    Check("FP64/FP32 multiply", ALADDIN, (22_300 / 8_970,), areas(MULTIPLY_F64, MULTIPLY_F32)),
    Check("int32 multiply/add", ALADDIN, (6_350 / 278,), areas(MULTIPLY_32, ADD_32)),
    Check("FP32/int32 add", ALADDIN, (4_360 / 278,), areas(ADD_F32, ADD_32)),
    Check("FP32/int32 multiply", ALADDIN, (8_970 / 6_350,), areas(MULTIPLY_F32, MULTIPLY_32)),
    Check("FP8/INT8 unit", "van Baalen et al. 2023", (1.5, 2.8), unit_areas(UNITS["fp8_e4m3"], UNITS["int8"])),
    Check("NVFP4/MXFP4 unit", "Chhugani et al. 2026, area", (1 / (1 - 0.12),), unit_areas(UNITS["nvfp4"], FP4)),
)
