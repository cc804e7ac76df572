"""Every built-in format, scale rule and rounding gives the bits of exact arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings

from jouleproof.formats import FORMATS, SCALE_RULES, MXFormat, fake_quantize, quantize
from tests.formats import oracle
from tests.formats.drawn import REPEATABLE, adversarial, any_blocks, same_bits

every_format = pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
every_rule = pytest.mark.parametrize("rule", SCALE_RULES)
every_rounding = pytest.mark.parametrize("rounding", ["even", "away"])

OWN = [
    MXFormat("e3m4", 3, 4, bias=3, block=16),
    MXFormat("e5m2_all_finite", 5, 2, bias=15),
    MXFormat("e3m0", 3, 0, bias=3),
    MXFormat("e2m2_with_nan", 2, 2, bias=1, specials="nan", block=8),
    MXFormat("e2m1_ieee", 2, 1, bias=1, specials="ieee", block=64),
    MXFormat("e1m2", 1, 2, bias=1),
    MXFormat("e4m3_negative_emax", 4, 3, bias=20, specials="nan"),
    MXFormat("int4", 0, 2, block=16),
    MXFormat("int2", 0, 0, block=8),
]


def assert_exact(x: np.ndarray, fmt: MXFormat, rule: str, rounding: str) -> None:
    values, scales = oracle.quantize_blocks(x, fmt, rule, rounding)
    with np.errstate(over="ignore"):
        packed = quantize(x, fmt, scale=rule, rounding=rounding)
        read, fake = packed.dequantize(), fake_quantize(x, fmt, scale=rule, rounding=rounding)
    assert packed.scales[:, 0].tolist() == scales.tolist()
    for ours in (read, fake):
        wrong = (ours.view(np.int32) != values.view(np.int32)) & ~(np.isnan(ours) & np.isnan(values))
        assert not wrong.any(), f"{x[wrong][:5]} became {ours[wrong][:5]}, not {values[wrong][:5]}"


@every_format
@every_rule
@every_rounding
def test_adversarial_blocks_are_quantised_as_exact_arithmetic_does(fmt, rule, rounding):
    assert_exact(adversarial(fmt), fmt, rule, rounding)


@every_format
@every_rule
@every_rounding
def test_drawn_blocks_are_quantised_as_exact_arithmetic_does(fmt, rule, rounding):
    @settings(REPEATABLE, max_examples=10)
    @given(any_blocks(fmt.block))
    def exact(block):
        assert_exact(block[None], fmt, rule, rounding)

    exact()


@pytest.mark.parametrize("fmt", OWN, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize(("rule", "rounding"), [("floor", "even"), ("rceil", "away"), ("even", "even")])
def test_a_format_of_the_users_own_is_quantised_as_exact_arithmetic_does(fmt, rule, rounding):
    assert_exact(adversarial(fmt), fmt, rule, rounding)


@every_format
def test_a_block_that_holds_nan_or_inf_reads_back_as_all_nan(fmt):
    x = np.ones((3, fmt.block), dtype=np.float32)
    x[0, 5], x[1, 0], x[2, -1] = np.nan, np.inf, -np.inf
    assert np.isnan(fake_quantize(x, fmt)).all()


@every_format
def test_only_the_block_that_holds_nan_is_lost(fmt):
    x = np.ones((2, fmt.block), dtype=np.float32)
    x[0, 0] = np.nan
    assert same_bits(fake_quantize(x, fmt)[1], x[1])


def test_int8_has_no_negative_zero_and_never_its_most_negative_code():
    x = np.full((1, 32), -2.0 + 2**-20, dtype=np.float32)
    x[0, 1:8], x[0, 8:16] = -0.0, -1e-3
    codes = quantize(x, "mxint8").codes.reshape(-1)
    assert (codes[0], set(codes[1:16].tolist())) == (0x81, {0})


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "mxint8"])
def test_an_element_that_underflows_keeps_its_sign(name):
    x = np.zeros((1, 32), dtype=np.float32)
    x[0, :3] = 1.0, -1e-30, -0.0
    assert np.signbit(fake_quantize(x, name)[0, :4]).tolist() == [False, True, True, False]


def test_a_block_with_one_huge_element_flushes_the_rest_to_zero():
    x = np.full((1, 32), 1.0, dtype=np.float32)
    x[0, 0] = 2.0**20
    assert fake_quantize(x, "mxfp4")[0].tolist() == [2.0**20] + [0.0] * 31


def test_the_floor_rule_saturates_the_largest_element_and_rceil_does_not():
    x = np.full((1, 32), 7.9, dtype=np.float32)
    assert (fake_quantize(x, "mxfp4")[0, 0], fake_quantize(x, "mxfp4", scale="rceil")[0, 0]) == (6.0, 8.0)


@every_format
def test_the_floor_rule_keeps_every_finite_block_finite(fmt):
    x = np.full((1, fmt.block), np.finfo(np.float32).max)
    assert np.isfinite(fake_quantize(x, fmt)).all()
