"""Published cost ratios that are not constants of the model, and the ratios that the model gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jouleproof.studies.mx.circuits import Cells, adder, float_adder, float_multiplier, multiplier
from jouleproof.studies.mx.silicon_model import FP4, UNITS, Draws, Unit, area, unit_cost

Ratio = Callable[[Draws], np.ndarray]


@dataclass(frozen=True)
class Check:
    """A check against the literature. published: a ratio, or the ends of a range. modelled: returns (draws,) ratios."""

    name: str
    source: str
    published: tuple[float, ...]
    modelled: Ratio


@dataclass(frozen=True)
class Circuit:
    """A circuit, the stage of a unit with the same switching activity, and its published costs, if any.

    energy_pj: Horowitz 2014, at 45 nm. area_um2: Shao et al. 2014 (Aladdin), at 40 nm; its float circuits include
    pipeline registers.
    """

    cells: Cells
    stage: str
    energy_pj: float | None = None
    area_um2: float | None = None


CIRCUITS: Mapping[str, Circuit] = {
    "int8 add": Circuit(adder(8), "add", energy_pj=0.03),
    "int32 add": Circuit(adder(32), "add", energy_pj=0.1, area_um2=278),
    "int8 multiply": Circuit(multiplier(8, 8), "multiply", energy_pj=0.2),
    "int32 multiply": Circuit(multiplier(32, 32), "multiply", energy_pj=3.1, area_um2=6_350),
    "FP16 add": Circuit(float_adder(5, 11), "accumulate", energy_pj=0.4),
    "FP32 add": Circuit(float_adder(8, 24), "accumulate", energy_pj=0.9, area_um2=4_360),
    "FP64 add": Circuit(float_adder(11, 53), "accumulate", area_um2=9_880),
    "FP16 multiply": Circuit(float_multiplier(5, 11), "multiply", energy_pj=1.1),
    "FP32 multiply": Circuit(float_multiplier(8, 24), "multiply", energy_pj=3.7, area_um2=8_970),
    "FP64 multiply": Circuit(float_multiplier(11, 53), "multiply", area_um2=22_300),
}


SOURCES = {"energy_pj": "Horowitz 2014, energy at 45 nm", "area_um2": "Shao et al. 2014, area at 40 nm"}
PAIRS = {
    "energy_pj": (
        ("int32 add", "int8 add"),
        ("int32 multiply", "int8 multiply"),
        ("FP32 add", "FP16 add"),
        ("FP32 multiply", "FP16 multiply"),
        ("int8 multiply", "int8 add"),
        ("int32 multiply", "int32 add"),
        ("FP32 add", "int32 add"),
        ("FP32 multiply", "int32 multiply"),
    ),
    "area_um2": (
        ("FP64 add", "FP32 add"),
        ("FP64 multiply", "FP32 multiply"),
        ("int32 multiply", "int32 add"),
        ("FP32 add", "int32 add"),
        ("FP32 multiply", "int32 multiply"),
    ),
}


def circuit_check(cost: str, over: str, under: str) -> Check:
    """Return the check of a cost ratio. cost: energy_pj or area_um2, which both circuits must have."""
    top, bottom = CIRCUITS[over], CIRCUITS[under]

    def modelled(draws: Draws) -> np.ndarray:
        areas = area(top.cells, draws) / area(bottom.cells, draws)
        return areas * draws.activity(top.stage) / draws.activity(bottom.stage) if cost == "energy_pj" else areas

    published = getattr(top, cost) / getattr(bottom, cost)
    return Check(_ratio_name(over, under), SOURCES[cost], (published,), modelled)


def unit_areas(over: Unit, under: Unit) -> Ratio:
    return lambda draws: unit_cost(over, draws)[0] / unit_cost(under, draws)[0]


def _ratio_name(over: str, under: str) -> str:
    """Name a ratio: `int32/int8 add` for two widths, `int32 multiply/add` for two operations."""
    (number, operation), (other_number, other_operation) = over.split(), under.split()
    if operation == other_operation:
        return f"{number}/{other_number} {operation}"
    return f"{number} {operation}/{other_operation}"


CHECKS = (
    *(circuit_check(cost, *pair) for cost, pairs in PAIRS.items() for pair in pairs),
    Check("FP8/INT8 unit", "van Baalen et al. 2023", (1.5, 2.8), unit_areas(UNITS["fp8_e4m3"], UNITS["int8"])),
    Check("NVFP4/MXFP4 unit", "Chhugani et al. 2026, area", (1 / (1 - 0.12),), unit_areas(UNITS["nvfp4"], FP4)),
)
