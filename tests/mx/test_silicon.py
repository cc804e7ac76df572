"""The cost model of dot-product units: its counts, its order of formats, and its distance from published costs."""

from itertools import pairwise, product

import numpy as np
import pytest

from jouleproof.formats import FORMATS, MXFormat
from jouleproof.studies.mx import circuits
from jouleproof.studies.mx.accelerators import accelerators
from jouleproof.studies.mx.circuits import Cells
from jouleproof.studies.mx.config import MxConfig, SiliconConfig
from jouleproof.studies.mx.experiments.peak_rates import peak_rates
from jouleproof.studies.mx.experiments.silicon import silicon
from jouleproof.studies.mx.other_casts import nvfp4
from jouleproof.studies.mx.silicon_checks import CHECKS
from jouleproof.studies.mx.silicon_model import (
    CELLS,
    CONSTANTS,
    STAGES,
    UNITS,
    Draws,
    Unit,
    area,
    draw,
    stages,
    unit_cost,
    unit_of,
)
from tests.extension_example import formats as custom
from tests.formats.refusals import refusal

DRAWS = draw(64, seed=3)
MX_UNITS = {name: unit_of(fmt) for name, fmt in FORMATS.items()}


def middle_cost(unit, window=None):
    values = {name: np.full(1, (c.low + c.high) / 2) for name, c in CONSTANTS.items()}
    values["window"] = np.array([window or 24])
    return [cost.item() for cost in unit_cost(unit, Draws(values))]


# ------------------------------------------------------------------------------------------------- circuits by hand


@pytest.mark.parametrize(
    ("circuit", "cells"),
    [
        (circuits.multiplier(2, 2), Cells(and2=4, half_adder=2)),
        (circuits.multiplier(2, 3), Cells(and2=6, half_adder=2, full_adder=1)),
        (circuits.multiplier(3, 3), Cells(and2=9, half_adder=3, full_adder=3)),
        (circuits.multiplier(1, 5), Cells(and2=5)),
        (circuits.multiplier(5, 1), Cells(and2=5)),
        (circuits.adder_tree(4, 3), Cells(full_adder=2 * 3 + 4)),
        (circuits.adder_tree(3, 5), Cells(full_adder=5 + 6)),
        (circuits.left_shifter(2, 3), Cells(mux2=3 + 5)),
        (circuits.left_shifter(8, 0), Cells()),
    ],
)
def test_a_circuit_has_the_cells_that_a_drawing_has(circuit, cells):
    assert circuit == cells


def test_multipliers_have_the_adders_that_their_bits_need_and_the_same_turned_round():
    """A full adder turns three bits into two, a half adder two into two; rows * columns bits become rows + columns."""
    for rows, columns in product(range(2, 9), repeat=2):
        cells = circuits.multiplier(rows, columns)
        assert cells.and2 - cells.full_adder == rows + columns and cells == circuits.multiplier(columns, rows)


def test_an_mxfp4_unit_multiplies_two_bit_significands_in_plain_fixed_point():
    cells = stages(MX_UNITS["mxfp4"], 24)
    scales, signs, hidden, exponents = 8, 32, 64, 64
    assert cells["multiply"] == Cells(
        and2=32 * 4 + hidden, xor2=signs, half_adder=32 * 2, full_adder=exponents + scales
    )
    assert cells["align"] == Cells(xor2=32 * 8, mux2=32 * (5 + 7 + 8))
    assert cells["add"] == circuits.adder_tree(32, 9)
    assert cells["registers"] == Cells(flip_flop=2 * 32 * 4 + 2 * 8 + 32)


def test_an_integer_unit_without_scales_aligns_and_converts_nothing():
    cells = stages(UNITS["int8"], 24)
    assert cells["align"] == Cells()
    assert cells["accumulate"] == circuits.adder(32)


# ------------------------------------------------------------------------------------------------- order


def test_more_mantissa_bits_cost_more():
    wrong = []
    for window, exponent_bits in product((14, 20, 27), (0, 1, 2, 3, 4)):
        formats = [MXFormat("f", exponent_bits, bits, bias=1) for bits in range(1, 7 - exponent_bits)]
        costs = [middle_cost(unit_of(fmt), window) for fmt in formats if fmt.bits >= 3]
        if not all(before < after for few, more in pairwise(costs) for before, after in zip(few, more, strict=True)):
            wrong.append((window, exponent_bits))
    assert wrong == []


def test_every_mx_format_costs_less_than_bfloat16_in_every_draw():
    reference = unit_cost(UNITS["bfloat16"], DRAWS)[0]
    assert [name for name, unit in MX_UNITS.items() if not (unit_cost(unit, DRAWS)[0] < reference).all()] == []


@pytest.mark.parametrize("element", ["fp8_e4m3", "fp8_e5m2"])
def test_a_shared_scale_costs_a_unit_little(element):
    plain, scaled = unit_cost(UNITS[element], DRAWS)[0], unit_cost(MX_UNITS[f"mx{element}"], DRAWS)[0]
    assert (plain < scaled).all()
    assert (scaled < 1.03 * plain).all()


def test_smaller_blocks_cost_more():
    costs = [middle_cost(Unit("u", 4, 2, 2, 2, block=block, scale_exponent=8)) for block in (32, 16, 8)]
    assert costs[0] < costs[1] < costs[2]


def test_blocks_longer_than_the_unit_share_its_one_scale():
    one, long = (middle_cost(Unit("u", 4, 2, 2, 2, block=block, scale_exponent=8)) for block in (32, 128))
    assert one == long


# ------------------------------------------------------------------------------------------------- invariance


@pytest.mark.parametrize("factor", [0.25, 8.0])
def test_ratios_do_not_depend_on_the_size_of_a_gate(factor):
    scaled = Draws({name: DRAWS.values[name] * (factor if name in CELLS else 1) for name in DRAWS.values})
    for before, after in zip(
        *(np.divide(unit_cost(MX_UNITS["mxfp4"], d), unit_cost(UNITS["int8"], d)) for d in (DRAWS, scaled)), strict=True
    ):
        np.testing.assert_allclose(before, after, rtol=1e-12)


def test_the_area_of_a_unit_is_that_of_its_parts():
    window = int(DRAWS.values["window"][0])
    cells = stages(MX_UNITS["mxint8"], window)
    shares = {group: DRAWS.values["pipeline"][0] if group == "pipeline" else 1 for group in STAGES}
    whole = sum(shares[group] * area(cells[group], DRAWS)[0] for group in STAGES)
    assert unit_cost(MX_UNITS["mxint8"], DRAWS)[0][0] == pytest.approx(whole)


def test_draws_stay_within_their_ranges_and_reach_both_ends():
    many = draw(4_000, seed=1)
    for name, constant in CONSTANTS.items():
        assert constant.low <= many.values[name].min() <= many.values[name].max() <= constant.high
        spread = constant.high - constant.low
        assert many.values[name].min() <= constant.low + 0.05 * spread
        assert many.values[name].max() >= constant.high - 0.05 * spread


def test_every_constant_says_where_it_comes_from():
    assert {name for name, c in CONSTANTS.items() if not (c.source and c.unit and c.low <= c.high)} == set()


# ------------------------------------------------------------------------------------------------- published costs


def within(check, factor):
    """Return whether the middle of the modelled range lies within the factor of the published one."""
    middle = np.median(check.modelled(DRAWS))
    return min(check.published) / factor <= middle <= factor * max(check.published)


def test_published_ratios_are_met_within_a_factor_of_two_and_a_half():
    assert [f"{check.name}, {check.source}" for check in CHECKS if not within(check, 2.5)] == []


def test_one_circuit_at_two_widths_is_met_within_a_quarter():
    names = ["int32/int8 add", "int32/int8 multiply", "FP32/FP16 add", "FP64/FP32 add"]
    checks = [check for check in CHECKS if check.name in names]
    assert sorted(check.name for check in checks) == sorted(names)
    assert [check.name for check in checks if not within(check, 1.25)] == []


# ------------------------------------------------------------------------------------------------- experiment


@pytest.fixture(scope="module")
def table():
    config = SiliconConfig(draws=40, vectors=200, seeds=[0, 1])
    return silicon(MxConfig(formats=[*FORMATS, "tests.extension_example.formats:FORMAT"], silicon=config))


def test_every_metric_has_one_tier(table):
    assert (table.groupby("metric")["tier"].nunique() == 1).all()
    assert set(table.loc[table["metric"] == "qsnr", "tier"]) == {"measured"}
    assert set(table.loc[table["metric"].str.startswith(("relative", "saved")), "tier"]) == {"simulated"}


def test_bfloat16_is_the_measure_of_all(table):
    rows = table[(table["format"] == "bfloat16") & table["metric"].str.startswith(("relative", "saved"))]
    np.testing.assert_allclose(rows["value"], 1)


def test_what_is_saved_is_the_inverse_of_the_cost_draw_by_draw(table):
    rows = table[table["format"] == "mxfp6_e3m2"]
    costs = rows[rows["metric"] == "relative_area_energy"].sort_values("repeat")["value"]
    saved = rows[rows["metric"] == "saved_area_energy"].sort_values("repeat")["value"]
    np.testing.assert_allclose(saved, 1 / costs)


def test_a_format_of_the_users_own_gets_its_cost_and_its_qsnr(table):
    rows = table[table["format"] == custom.FORMAT.name]
    assert {"relative_area", "relative_energy", "relative_area_energy", "qsnr"} <= set(rows["metric"])


def test_the_same_config_gives_the_same_table(table):
    small = MxConfig(silicon=SiliconConfig(draws=5, vectors=20, seeds=[0]))
    assert silicon(small).equals(silicon(small))


def test_nvfp4_keeps_what_it_can_hold():
    x = np.array([[0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.5, -1, -1.5, -2, -3, -4, -6, 0]], dtype=np.float32)
    np.testing.assert_array_equal(nvfp4(x), x)


def test_nvfp4_keeps_blocks_of_zeros():
    x = np.concatenate([np.zeros(16), np.full(16, 3)]).astype(np.float32).reshape(1, 32)
    np.testing.assert_array_equal(nvfp4(x), x)


# ------------------------------------------------------------------------------------------------- published rates

ENTRY = """
[chip]
name = "Chip"
block_scaled = true
publication = "Datasheet"
year = 2024
read_at = "https://example.org"
verified = {verified}
rates = {rates}
{more}
"""


def read(tmp_path, rates="{ bf16 = 1, fp4 = 4 }", verified="true", more=""):
    path = tmp_path / "accelerators.toml"
    path.write_text(ENTRY.format(rates=rates, verified=verified, more=more), encoding="utf-8")
    return accelerators(path)


def test_an_entry_is_read(tmp_path):
    (chip,) = read(tmp_path)
    assert (chip.name, chip.block_scaled, dict(chip.rates)) == ("Chip", True, {"bf16": 1.0, "fp4": 4.0})


def test_what_is_not_verified_is_not_used(tmp_path):
    assert read(tmp_path, verified="false") == []


def test_an_entry_that_does_not_fit_is_refused_by_its_name(tmp_path):
    wrong = [
        {"rates": "{ fp4 = 4 }"},
        {"rates": "{ bf16 = 1, fp5 = 4 }"},
        {"rates": "{ bf16 = 0 }"},
        {"rates": "{ bf16 = inf }"},
        {"rates": "{ bf16 = true }"},
        {"rates": '{ bf16 = "1" }'},
        {"verified": '"yes"'},
        {"more": "sparse = true"},
    ]
    messages = {str(entry): refusal(ValueError, read, tmp_path, longest=1000, **entry) for entry in wrong}
    assert {entry: message for entry, message in messages.items() if "chip" not in message} == {}


def test_every_published_rate_is_cited_and_set_against_the_chips_own_16_bit_rate():
    rates = peak_rates()
    assert set(rates["tier"]) == {"cited"}
    cells = rates.set_index(["accelerator", "format", "metric"])["value"]
    for chip in accelerators():
        assert cells[chip.name, "bf16", "over_16_bit"] == 1
        for name, rate in chip.rates.items():
            assert cells[chip.name, name, "over_16_bit"] == pytest.approx(rate / chip.rates["bf16"])
