"""The adversarial groups have the properties that their docstrings state."""

from itertools import product

import numpy as np
import pytest

from jouleproof.formats import FORMATS, fake_quantize, quantize
from jouleproof.studies.mx.adversarial import GROUPS

pytestmark = pytest.mark.usefixtures("one_thread")
BLOCKS = 48
FLOAT32 = np.finfo(np.float32)


def group(make, fmt):
    return make(fmt, BLOCKS, np.random.default_rng(0))


def amax(x):
    return np.abs(x).max(axis=1)


def elements(x, fmt):
    """Return the magnitudes of x over the scale of the floor rule, before rounding."""
    return np.abs(x.astype(np.float64)) / np.exp2(quantize(x, fmt).scales.astype(np.float64) - 127)


def test_a_group_is_float32_blocks_of_the_format_that_depend_on_nothing_but_its_generator():
    for (name, make), fmt in product(GROUPS.items(), FORMATS.values()):
        x = group(make, fmt)
        assert (x.shape, x.dtype) == ((BLOCKS, fmt.block), np.float32), (name, fmt.name)
        assert group(make, fmt).tobytes() == x.tobytes(), (name, fmt.name)
        assert np.isfinite(x).all() or name in ("NaN", "Inf"), (name, fmt.name)


def has_zeros_of_both_signs_alone_and_among_numbers(x, fmt):
    alone, among = x[: BLOCKS // 2], x[BLOCKS // 2 :]
    signs = [set(np.signbit(part[part == 0]).tolist()) for part in (alone, among)]
    return not alone.any() and among.any(axis=1).all() and signs == [{False, True}] * 2


def has_subnormals_and_scales_that_clamp(x, fmt):
    return (amax(x) < FLOAT32.tiny).any() and (quantize(x, fmt).scales == 0).any()


def lies_around_the_smallest_step(x, fmt):
    small = elements(x, fmt)[:, 1:]
    near = (small <= 2 ** (fmt.mantissa_bits + 1) * fmt.min_step).all()
    return near and (small < fmt.min_step).any() and (small > fmt.min_step).any()


def is_midpoints_and_their_neighbours(x, fmt):
    values = np.unique(np.abs(fmt.values[np.isfinite(fmt.values)])).astype(np.float64)
    middle = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    near = [middle, *(np.nextafter(middle, np.float32(side)) for side in (0, np.inf))]
    magnitudes = set(np.abs(x[:, 1:]).ravel().tolist())
    kinds = [set(part.tolist()) for part in near]
    return magnitudes <= set.union(*kinds) and all(magnitudes & part for part in kinds)


def is_rounded_differently_by_the_two_roundings(x, fmt):
    return (fake_quantize(x, fmt) != fake_quantize(x, fmt, rounding="away")).any()


def has_elements_that_the_floor_rule_clamps(x, fmt):
    magnitude = np.abs(x).astype(np.float64)
    inside = (magnitude > 0.89 * fmt.max_normal).all() and (magnitude <= 2.0 ** (fmt.emax + 1)).all()
    return inside and (elements(np.abs(x), fmt) > fmt.max_normal).any()


def has_one_element_far_above_the_others(x, fmt):
    ordered = np.sort(np.abs(x), axis=1)
    return np.median(ordered[:, -1] / ordered[:, -2]) > 2**8


def has_a_largest_element_one_float_below_a_power_of_two(x, fmt):
    fraction, _ = np.frexp(np.nextafter(amax(x), np.float32(np.inf)))
    return (fraction == 0.5).all()


def has_a_largest_element_within_a_factor_of_two_of_the_largest_float(x, fmt):
    return (amax(x) >= FLOAT32.max / 2).all()


def has_one_nan_in_every_block_among_numbers(x, fmt):
    return (np.isnan(x).sum(axis=1) == 1).all() and not np.isinf(x).any()


def has_one_infinity_in_every_block_among_numbers(x, fmt):
    signs = {-np.inf, np.inf} <= set(x.ravel().tolist())
    return signs and (np.isinf(x).sum(axis=1) == 1).all() and not np.isnan(x).any()


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("zeros", has_zeros_of_both_signs_alone_and_among_numbers),
        ("subnormal inputs", has_subnormals_and_scales_that_clamp),
        ("subnormal elements", lies_around_the_smallest_step),
        ("ties and neighbours", is_midpoints_and_their_neighbours),
        ("ties and neighbours", is_rounded_differently_by_the_two_roundings),
        ("saturation band", has_elements_that_the_floor_rule_clamps),
        ("one huge element", has_one_element_far_above_the_others),
        ("amax below power of two", has_a_largest_element_one_float_below_a_power_of_two),
        ("near largest float", has_a_largest_element_within_a_factor_of_two_of_the_largest_float),
        ("NaN", has_one_nan_in_every_block_among_numbers),
        ("Inf", has_one_infinity_in_every_block_among_numbers),
    ],
)
def test_a_group_is_what_its_name_says_in_every_format(name, holds):
    assert [fmt.name for fmt in FORMATS.values() if not holds(group(GROUPS[name], fmt), fmt)] == []
