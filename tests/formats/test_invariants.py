"""Invariants of the casts that hold for every block, whatever its numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.formats import FORMATS, SCALE_RULES, fake_quantize, quantize
from jouleproof.formats.description import scale_values
from tests.formats import custom_formats
from tests.formats.generated import REPEATABLE, any_blocks, finite_blocks, normal_blocks, numbers, same_bits

pytestmark = pytest.mark.usefixtures("one_thread")
EXAMPLES = settings(REPEATABLE, max_examples=35)
formats = st.sampled_from(list(FORMATS.values()))
rules = st.sampled_from(list(SCALE_RULES))
roundings = st.sampled_from(["even", "away"])


@EXAMPLES
@given(any_blocks(), formats, rules, roundings)
def test_dequantized_codes_are_what_fake_quantize_gives(block, fmt, rule, rounding):
    with np.errstate(over="ignore"):
        packed = quantize(block, fmt, scale=rule, rounding=rounding).dequantize()
        fake = fake_quantize(block, fmt, scale=rule, rounding=rounding)
    assert same_bits(packed, fake)


@pytest.mark.parametrize("rule", SCALE_RULES)
def test_a_second_cast_changes_nothing(rule):
    """Casts are idempotent under all four rules. Under floor and even the largest element keeps its exponent, so the
    scale stays the same. Under ceil and rceil the largest may be rounded down to half the top of the range, and then
    the scale halves; but every element is then at most half the top, and twice such a value is a value of the format.

    A cast is not idempotent if a value was rounded up to 2**128, and so to Inf; the blocks here end below that.
    """

    @EXAMPLES
    @given(finite_blocks(), formats, roundings)
    def idempotent(block, fmt, rounding):
        once = fake_quantize(block, fmt, scale=rule, rounding=rounding)
        assert same_bits(fake_quantize(once, fmt, scale=rule, rounding=rounding), once)

    idempotent()


@EXAMPLES
@given(finite_blocks(), formats, rules, roundings)
def test_larger_elements_of_a_block_never_become_the_smaller_ones(block, fmt, rule, rounding):
    assert (np.diff(fake_quantize(np.sort(block), fmt, scale=rule, rounding=rounding)) >= 0).all()


@EXAMPLES
@given(finite_blocks(), st.sampled_from([fmt for fmt in FORMATS.values() if not fmt.is_integer]), rules, roundings)
def test_floats_treat_both_signs_alike(block, fmt, rule, rounding):
    negated = fake_quantize(-block, fmt, scale=rule, rounding=rounding)
    assert same_bits(negated, -fake_quantize(block, fmt, scale=rule, rounding=rounding))


@EXAMPLES
@given(finite_blocks(), rules, roundings)
def test_integers_treat_both_signs_alike_but_for_the_sign_of_zero(block, rule, rounding):
    negated = fake_quantize(-block, "mxint8", scale=rule, rounding=rounding)
    assert (negated == -fake_quantize(block, "mxint8", scale=rule, rounding=rounding)).all()


@EXAMPLES
@given(normal_blocks(), st.integers(-40, 40), formats, rules, roundings)
def test_a_power_of_two_in_front_goes_into_the_scale(block, power, fmt, rule, rounding):
    factor = np.float32(2.0**power)
    scaled = fake_quantize(block * factor, fmt, scale=rule, rounding=rounding)
    assert same_bits(scaled, fake_quantize(block, fmt, scale=rule, rounding=rounding) * factor)


@EXAMPLES
@given(normal_blocks(), formats, rules, roundings)
def test_an_element_in_range_is_off_by_half_a_step_at_most(block, fmt, rule, rounding):
    packed = quantize(block, fmt, scale=rule, rounding=rounding)
    scale = scale_values()[packed.scales].astype(np.float64)
    element = np.abs(block / scale)
    exponent = np.full(element.shape, fmt.emin)
    if not fmt.is_integer:
        exponent = np.maximum(np.frexp(element)[1] - 1, fmt.emin)
    half_a_step = np.exp2(exponent - fmt.mantissa_bits - 1.0)
    error = np.abs(packed.dequantize() - block) / scale
    assert (error <= half_a_step)[element <= fmt.max_normal].all()


@EXAMPLES
@given(normal_blocks(), formats, roundings)
def test_an_element_out_of_range_becomes_the_largest_normal(block, fmt, rounding):
    packed = quantize(block, fmt, rounding=rounding)
    element = packed.dequantize() / scale_values()[packed.scales]
    beyond = np.abs(block / scale_values()[packed.scales]) > fmt.max_normal
    assert (np.abs(element[beyond]) == fmt.max_normal).all()


@pytest.mark.parametrize("rule", ["ceil", "rceil"])
def test_nothing_saturates_under_the_rules_that_round_up(rule):
    @EXAMPLES
    @given(normal_blocks(), formats)
    def fits(block, fmt):
        scale = scale_values()[quantize(block, fmt, scale=rule).scales]
        assert (np.abs(block) / scale).max() <= fmt.max_normal

    fits()


@EXAMPLES
@given(st.lists(normal_blocks(), min_size=2, max_size=4), formats, rules)
def test_a_block_does_not_depend_on_its_neighbours(several, fmt, rule):
    together = fake_quantize(np.concatenate(several), fmt, scale=rule)
    assert same_bits(together, np.concatenate([fake_quantize(block, fmt, scale=rule) for block in several]))


def test_blocks_beyond_the_first_pass_are_cast_like_the_first(every_thread):
    """A thread takes 1024 blocks at a time."""
    x = numbers((2_500, 32))
    parts = [fake_quantize(x[first : first + 100], "mxfp4") for first in range(0, len(x), 100)]
    assert same_bits(fake_quantize(x, "mxfp4"), np.concatenate(parts))


def same_as_floor(amax, fmt):
    return np.frexp(amax)[1] - 1 - fmt.emax


def differs_from_floor(fmt, blocks):
    """Return the parts of a cast that differ between floor and a custom rule that computes the same."""
    x = numbers((blocks, fmt.block))
    x[::7] *= np.float32(2.0**40)
    custom, built_in = quantize(x, fmt, scale=same_as_floor), quantize(x, fmt)
    same = {
        "values": same_bits(fake_quantize(x, fmt, scale=same_as_floor), fake_quantize(x, fmt)),
        "codes": (custom.codes == built_in.codes).all(),
        "scales": (custom.scales == built_in.scales).all(),
    }
    return [f"{fmt.name}: {part}" for part, alike in same.items() if not alike]


def test_a_rule_of_the_users_own_is_followed_in_every_block_of_a_long_array(every_thread):
    """The rule gets 16384 blocks at a time; the array is two and a half times as long."""
    assert [part for fmt in custom_formats.COMPILED for part in differs_from_floor(fmt, 40_000)] == []


@pytest.mark.long  # a second of compiling for each
def test_a_rule_of_the_users_own_is_followed_in_long_arrays_of_every_width(every_thread):
    assert [part for fmt in custom_formats.ODD for part in differs_from_floor(fmt, 40_000)] == []
