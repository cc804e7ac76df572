"""Every built-in format, scale rule and rounding gives the bits of exact arithmetic."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from jouleproof.formats import FORMATS, SCALE_RULES, MXFormat, fake_quantize, quantize
from jouleproof.formats.blocks import ROUNDINGS, decode, encode
from tests.formats import custom_formats, oracle
from tests.formats.generated import REPEATABLE, adversarial, any_blocks, same_bits

pytestmark = pytest.mark.usefixtures("one_thread")
every_format = pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
EVERY_CAST = [*product(SCALE_RULES, ROUNDINGS)]
SOME_CASTS = [("floor", "even"), ("rceil", "away"), ("even", "even")]


def by_kernels(x: np.ndarray, fmt: MXFormat, rule: str, rounding: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the scale codes, and the values that both casts give."""
    packed = quantize(x, fmt, scale=rule, rounding=rounding)
    return packed.scales[:, 0], [packed.dequantize(), fake_quantize(x, fmt, scale=rule, rounding=rounding)]


def by_the_plain_quantizer(x: np.ndarray, fmt: MXFormat, rule: str, rounding: str):
    codes, scales = encode(x, fmt, SCALE_RULES[rule], ROUNDINGS[rounding])
    read = np.empty_like(x)
    decode(codes, scales, fmt, read)
    return scales, [read]


def inexact(x: np.ndarray, fmt: MXFormat, casts: list[tuple[str, str]], cast=by_kernels) -> list[str]:
    """Return a line for each cast (rule, rounding) whose bits differ from exact arithmetic."""
    differences = []
    for rule, rounding in casts:
        values, scales = oracle.quantize_blocks(x, fmt, rule, rounding)
        with np.errstate(over="ignore"):
            our_scales, read = cast(x, fmt, rule, rounding)
        if our_scales.tolist() != scales.tolist():
            given, expected = our_scales.tolist(), scales.tolist()
            differences.append(f"{fmt.name}, {rule}, {rounding}: scales are {given}, not {expected}")
        for ours in read:
            wrong = (ours.view(np.int32) != values.view(np.int32)) & ~(np.isnan(ours) & np.isnan(values))
            if wrong.any():
                became = f"{x[wrong][:5]} became {ours[wrong][:5]}, not {values[wrong][:5]}"
                differences.append(f"{fmt.name}, {rule}, {rounding}: {became}")
    return differences


@every_format
def test_adversarial_blocks_are_quantized_as_exact_arithmetic_does(fmt):
    assert inexact(adversarial(fmt), fmt, EVERY_CAST) == []


@every_format
def test_drawn_blocks_are_quantized_as_exact_arithmetic_does(fmt):
    @settings(REPEATABLE, max_examples=20)
    @given(any_blocks(fmt.block))
    def exact(block):
        assert inexact(block[None], fmt, EVERY_CAST) == []

    exact()


@pytest.mark.parametrize("fmt", custom_formats.COMPILED, ids=lambda fmt: fmt.name)
def test_a_format_of_the_users_own_is_quantized_as_exact_arithmetic_does(fmt):
    assert inexact(adversarial(fmt), fmt, SOME_CASTS) == []


def test_the_plain_quantizer_reads_every_format_as_exact_arithmetic_does():
    wrong = []
    for fmt in custom_formats.ODD:
        wrong += inexact(adversarial(fmt), fmt, SOME_CASTS, by_the_plain_quantizer)
    assert wrong == []


@pytest.mark.long
def test_every_format_of_the_users_own_is_compiled_to_what_exact_arithmetic_gives():
    wrong = []
    for fmt in custom_formats.ODD:
        wrong += inexact(adversarial(fmt), fmt, SOME_CASTS)
    assert wrong == []


def not_all_nan(fmt):
    x = np.ones((3, fmt.block), dtype=np.float32)
    x[0, 5], x[1, 0], x[2, -1] = np.nan, np.inf, -np.inf
    return not np.isnan(fake_quantize(x, fmt)).all()


def test_a_block_that_holds_nan_or_inf_reads_back_as_all_nan():
    assert [name for name, fmt in FORMATS.items() if not_all_nan(fmt)] == []


def changed_beside_nan(fmt):
    x = np.ones((2, fmt.block), dtype=np.float32)
    x[0, 0] = np.nan
    return not same_bits(fake_quantize(x, fmt)[1], x[1])


def test_only_the_block_that_holds_nan_is_lost():
    assert [name for name, fmt in FORMATS.items() if changed_beside_nan(fmt)] == []


def test_int8_has_no_negative_zero_and_never_its_most_negative_code():
    x = np.full((1, 32), -2.0 + 2**-20, dtype=np.float32)
    x[0, 1:8], x[0, 8:16] = -0.0, -1e-3
    codes = quantize(x, "mxint8").codes.reshape(-1)
    assert (codes[0], set(codes[1:16].tolist())) == (0x81, {0})


def test_an_element_that_underflows_keeps_its_sign():
    x = np.zeros((1, 32), dtype=np.float32)
    x[0, :3] = 1.0, -1e-30, -0.0
    signs = {name: np.signbit(fake_quantize(x, name)[0, :4]).tolist() for name in FORMATS if name != "mxint8"}
    assert {name: negative for name, negative in signs.items() if negative != [False, True, True, False]} == {}


def test_a_block_with_one_huge_element_flushes_the_rest_to_zero():
    x = np.full((1, 32), 1.0, dtype=np.float32)
    x[0, 0] = 2.0**20
    assert fake_quantize(x, "mxfp4")[0].tolist() == [2.0**20] + [0.0] * 31


def test_the_floor_rule_saturates_the_largest_element_and_rceil_does_not():
    x = np.full((1, 32), 7.9, dtype=np.float32)
    assert (fake_quantize(x, "mxfp4")[0, 0], fake_quantize(x, "mxfp4", scale="rceil")[0, 0]) == (6.0, 8.0)


def test_the_floor_rule_keeps_every_finite_block_finite():
    largest = {name: np.full((1, fmt.block), np.finfo(np.float32).max) for name, fmt in FORMATS.items()}
    assert [name for name, x in largest.items() if not np.isfinite(fake_quantize(x, name)).all()] == []
