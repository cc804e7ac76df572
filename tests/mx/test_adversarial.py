"""The adversarial groups are what their docstrings say."""

import numpy as np
import pytest

from jouleproof.formats import FORMATS, fake_quantize, quantize
from jouleproof.studies.mx import adversarial
from jouleproof.studies.mx.adversarial import GROUPS

BLOCKS = 48
FLOAT32 = np.finfo(np.float32)
every_format = pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)


def group(make, fmt):
    return make(fmt, BLOCKS, np.random.default_rng(0))


def amax(x):
    return np.abs(x).max(axis=1)


def elements(x, fmt):
    """Before rounding: x under the floor rule's scale."""
    return np.abs(x.astype(np.float64)) / np.exp2(quantize(x, fmt).scales.astype(np.float64) - 127)


@every_format
@pytest.mark.parametrize("name", GROUPS)
def test_a_group_is_float32_blocks_of_the_format(name, fmt):
    x = group(GROUPS[name], fmt)
    assert (x.shape, x.dtype) == ((BLOCKS, fmt.block), np.float32)


@every_format
@pytest.mark.parametrize("name", GROUPS)
def test_a_group_depends_on_nothing_but_its_generator(name, fmt):
    assert group(GROUPS[name], fmt).tobytes() == group(GROUPS[name], fmt).tobytes()


@every_format
@pytest.mark.parametrize("name", sorted(set(GROUPS) - {"NaN", "Inf"}))
def test_only_the_groups_named_so_hold_what_is_no_number(name, fmt):
    assert np.isfinite(group(GROUPS[name], fmt)).all()


@every_format
def test_zeros_have_both_signs_alone_and_among_numbers(fmt):
    x = group(adversarial.zeros, fmt)
    alone, among = x[: BLOCKS // 2], x[BLOCKS // 2 :]
    assert not alone.any() and among.any(axis=1).all()
    for part in (alone, among):
        assert set(np.signbit(part[part == 0]).tolist()) == {False, True}


@every_format
def test_subnormal_inputs_have_subnormals_and_scales_that_clamp(fmt):
    x = group(adversarial.subnormal_inputs, fmt)
    assert (amax(x) < FLOAT32.tiny).any()
    assert (quantize(x, fmt).scales == 0).any()


@every_format
def test_subnormal_elements_lie_around_the_smallest_step(fmt):
    small = elements(group(adversarial.subnormal_elements, fmt), fmt)[:, 1:]
    assert (small < fmt.min_step).any() and (small > fmt.min_step).any()
    assert (small <= 2 ** (fmt.mantissa_bits + 1) * fmt.min_step).all()


@every_format
def test_ties_are_midpoints_and_their_neighbours(fmt):
    x = group(adversarial.ties, fmt)
    values = np.unique(np.abs(fmt.values[np.isfinite(fmt.values)])).astype(np.float64)
    middle = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    near = {side: np.nextafter(middle, np.float32(side)) for side in (0, np.inf)}
    drawn = set(np.abs(x[:, 1:]).ravel().tolist())
    assert drawn <= {float(value) for part in (middle, *near.values()) for value in part}
    assert all(drawn & set(part.tolist()) for part in (middle, *near.values()))


@every_format
def test_ties_are_rounded_differently_by_the_two_roundings(fmt):
    x = group(adversarial.ties, fmt)
    assert (fake_quantize(x, fmt) != fake_quantize(x, fmt, rounding="away")).any()


@every_format
def test_the_saturation_band_has_elements_that_the_floor_rule_clamps(fmt):
    x = np.abs(group(adversarial.saturation, fmt)).astype(np.float64)
    assert (elements(x.astype(np.float32), fmt) > fmt.max_normal).any()
    assert (x > 0.89 * fmt.max_normal).all() and (x <= 2.0 ** (fmt.emax + 1)).all()


@every_format
def test_one_huge_element_is_far_above_the_others(fmt):
    x = np.sort(np.abs(group(adversarial.one_huge, fmt)), axis=1)
    assert np.median(x[:, -1] / x[:, -2]) > 2**8


@every_format
def test_the_largest_element_is_one_float_below_a_power_of_two(fmt):
    top = amax(group(adversarial.below_power_of_two, fmt))
    fraction, _ = np.frexp(np.nextafter(top, np.float32(np.inf)))
    assert (fraction == 0.5).all()


@every_format
def test_the_largest_element_is_within_a_factor_of_two_of_the_largest_float(fmt):
    assert (amax(group(adversarial.near_largest_float, fmt)) >= FLOAT32.max / 2).all()


@every_format
def test_every_nan_block_holds_one_nan_among_numbers(fmt):
    x = group(adversarial.nan, fmt)
    assert (np.isnan(x).sum(axis=1) == 1).all() and not np.isinf(x).any()


@every_format
def test_every_inf_block_holds_one_infinity_among_numbers(fmt):
    x = group(adversarial.inf, fmt)
    assert (np.isinf(x).sum(axis=1) == 1).all() and not np.isnan(x).any()
    assert {-np.inf, np.inf} <= set(x.ravel().tolist())
