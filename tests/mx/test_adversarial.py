"""The adversarial groups are what their docstrings say."""

import numpy as np
import pytest

from jouleproof.formats import FORMATS, fake_quantize, quantize
from jouleproof.studies.mx import adversarial
from jouleproof.studies.mx.adversarial import GROUPS

pytestmark = pytest.mark.usefixtures("one_thread")
BLOCKS = 48
FLOAT32 = np.finfo(np.float32)


def group(make, fmt):
    return make(fmt, BLOCKS, np.random.default_rng(0))


def amax(x):
    return np.abs(x).max(axis=1)


def elements(x, fmt):
    """Before rounding: x under the floor rule's scale."""
    return np.abs(x.astype(np.float64)) / np.exp2(quantize(x, fmt).scales.astype(np.float64) - 127)


def failing(make, holds):
    """The formats of whose group holds(x, fmt) does not hold."""
    return [name for name, fmt in FORMATS.items() if not holds(group(make, fmt), fmt)]


def failing_groups(holds, names=GROUPS):
    """(group, format) where holds(x, fmt) does not hold."""
    return [(name, fmt) for name in names for fmt in failing(GROUPS[name], holds)]


def test_a_group_is_float32_blocks_of_the_format():
    assert failing_groups(lambda x, fmt: (x.shape, x.dtype) == ((BLOCKS, fmt.block), np.float32)) == []


def test_a_group_depends_on_nothing_but_its_generator():
    again = {(name, fmt): group(make, fmt).tobytes() for name, make in GROUPS.items() for fmt in FORMATS.values()}
    assert [key for key, octets in again.items() if group(GROUPS[key[0]], key[1]).tobytes() != octets] == []


def test_only_the_groups_named_so_hold_what_is_no_number():
    assert failing_groups(lambda x, fmt: np.isfinite(x).all(), sorted(set(GROUPS) - {"NaN", "Inf"})) == []


def test_zeros_have_both_signs_alone_and_among_numbers():
    def both(x, fmt):
        alone, among = x[: BLOCKS // 2], x[BLOCKS // 2 :]
        signs = [set(np.signbit(part[part == 0]).tolist()) for part in (alone, among)]
        return not alone.any() and among.any(axis=1).all() and signs == [{False, True}] * 2

    assert failing(adversarial.zeros, both) == []


def test_subnormal_inputs_have_subnormals_and_scales_that_clamp():
    def clamp(x, fmt):
        return (amax(x) < FLOAT32.tiny).any() and (quantize(x, fmt).scales == 0).any()

    assert failing(adversarial.subnormal_inputs, clamp) == []


def test_subnormal_elements_lie_around_the_smallest_step():
    def around(x, fmt):
        small = elements(x, fmt)[:, 1:]
        near = (small <= 2 ** (fmt.mantissa_bits + 1) * fmt.min_step).all()
        return near and (small < fmt.min_step).any() and (small > fmt.min_step).any()

    assert failing(adversarial.subnormal_elements, around) == []


def test_ties_are_midpoints_and_their_neighbours():
    def midpoints(x, fmt):
        values = np.unique(np.abs(fmt.values[np.isfinite(fmt.values)])).astype(np.float64)
        middle = ((values[1:] + values[:-1]) / 2).astype(np.float32)
        near = [middle, *(np.nextafter(middle, np.float32(side)) for side in (0, np.inf))]
        drawn = set(np.abs(x[:, 1:]).ravel().tolist())
        known = [set(part.tolist()) for part in near]
        return drawn <= set.union(*known) and all(drawn & part for part in known)

    assert failing(adversarial.ties, midpoints) == []


def test_ties_are_rounded_differently_by_the_two_roundings():
    def differently(x, fmt):
        return (fake_quantize(x, fmt) != fake_quantize(x, fmt, rounding="away")).any()

    assert failing(adversarial.ties, differently) == []


def test_the_saturation_band_has_elements_that_the_floor_rule_clamps():
    def clamped(x, fmt):
        magnitude = np.abs(x).astype(np.float64)
        inside = (magnitude > 0.89 * fmt.max_normal).all() and (magnitude <= 2.0 ** (fmt.emax + 1)).all()
        return inside and (elements(np.abs(x), fmt) > fmt.max_normal).any()

    assert failing(adversarial.saturation, clamped) == []


def test_one_huge_element_is_far_above_the_others():
    def above(x, fmt):
        ordered = np.sort(np.abs(x), axis=1)
        return np.median(ordered[:, -1] / ordered[:, -2]) > 2**8

    assert failing(adversarial.one_huge, above) == []


def test_the_largest_element_is_one_float_below_a_power_of_two():
    def below(x, fmt):
        fraction, _ = np.frexp(np.nextafter(amax(x), np.float32(np.inf)))
        return (fraction == 0.5).all()

    assert failing(adversarial.below_power_of_two, below) == []


def test_the_largest_element_is_within_a_factor_of_two_of_the_largest_float():
    assert failing(adversarial.near_largest_float, lambda x, fmt: (amax(x) >= FLOAT32.max / 2).all()) == []


def test_every_nan_block_holds_one_nan_among_numbers():
    def one(x, fmt):
        return (np.isnan(x).sum(axis=1) == 1).all() and not np.isinf(x).any()

    assert failing(adversarial.nan, one) == []


def test_every_inf_block_holds_one_infinity_among_numbers():
    def one(x, fmt):
        signs = {-np.inf, np.inf} <= set(x.ravel().tolist())
        return signs and (np.isinf(x).sum(axis=1) == 1).all() and not np.isnan(x).any()

    assert failing(adversarial.inf, one) == []
