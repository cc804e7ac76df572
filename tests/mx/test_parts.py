"""The two parts of a cast, clipping and rounding, add up, and explain the scale rules."""

from itertools import product

import numpy as np
import pytest

from jouleproof.formats import FORMATS, SCALE_RULES, fake_quantize, quantize
from jouleproof.studies.mx.cast_steps import PARTS, clip_only, largest_values, round_only, saturated
from tests.formats import oracle

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def x():
    """Rows with a partial last block, magnitudes over many binades, and a block of zeros."""
    rng = np.random.default_rng(0)
    x = (rng.standard_t(3, size=(40, 200)) * 2.0 ** rng.integers(-20, 20, (40, 1))).astype(np.float32)
    x[3, :32] = 0
    return x


def plain_largest(row, fmt, rule):
    """Return the largest value of each element's block, (elements,), from exact rationals."""
    largest = []
    for start in range(0, len(row), fmt.block):
        block = row[start : start + fmt.block]
        _, code = oracle.quantize_block(block, fmt, rule, "even")
        largest += [float(oracle.magnitudes(fmt)[-1]) * 2.0 ** (code - 127)] * len(block)
    return np.array(largest)


def test_the_largest_value_of_a_block_is_that_of_its_scale(x):
    for fmt, rule in product(FORMATS.values(), SCALE_RULES):
        expected = [plain_largest(row, fmt, rule) for row in x[:4]]
        assert (largest_values(x[:4], fmt, SCALE_RULES[rule]) == expected).all(), (fmt.name, rule)


def test_every_elements_error_is_that_of_clipping_or_of_rounding(x):
    for fmt, (name, rule) in product(FORMATS.values(), SCALE_RULES.items()):
        casts = clip_only(x, fmt, rule), round_only(x, fmt, rule), fake_quantize(x, fmt, scale=rule)
        clipped, rounded, error = (cast.astype(np.float64) - x for cast in casts)
        assert (clipped + rounded == error).all(), (fmt.name, name)
        assert not ((clipped != 0) & (rounded != 0)).any(), (fmt.name, name)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_the_floor_rule_clips_and_rounds_and_a_rule_that_rounds_up_clips_nothing(x, fmt):
    clipped = saturated(x, fmt, SCALE_RULES["floor"])
    assert clipped.any() and not clipped.all()
    assert all((part(x, fmt, SCALE_RULES["floor"]) != x).any() for part in (clip_only, round_only))
    for rule in (SCALE_RULES["ceil"], SCALE_RULES["rceil"]):
        assert not saturated(x, fmt, rule).any() and (clip_only(x, fmt, rule) == x).all()


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_rceil_is_floor_with_the_next_scale_in_the_blocks_that_saturate_and_no_others(x, fmt):
    floor, rceil = (quantize(x, fmt, scale=rule).scales.astype(int) for rule in ("floor", "rceil"))
    padded = np.pad(saturated(x, fmt, SCALE_RULES["floor"]), ((0, 0), (0, -x.shape[1] % fmt.block)))
    assert (rceil - floor == padded.reshape(*floor.shape, -1).any(axis=-1)).all()


def test_an_element_at_the_largest_value_does_not_saturate_and_the_next_above_does():
    fmt = FORMATS["mxfp8_e4m3"]
    x = np.zeros((2, 32), dtype=np.float32)
    x[0, 5], x[1, 5] = 448, np.nextafter(np.float32(448), np.float32(500))
    assert saturated(x, fmt, SCALE_RULES["floor"]).sum(axis=1).tolist() == [0, 1]


def test_a_block_that_is_not_finite_has_no_largest_value():
    x = np.ones((1, 64), dtype=np.float32)
    x[0, 40] = np.inf
    largest = largest_values(x, FORMATS["mxfp4"], SCALE_RULES["floor"])
    assert (largest[0, :32] == 1.5).all() and np.isnan(largest[0, 32:]).all()
    assert not saturated(x, FORMATS["mxfp4"], SCALE_RULES["floor"]).any()


def test_the_parts_that_a_config_names_are_those_of_the_floor_rule(x):
    fmt = FORMATS["mxfp8_e4m3"]
    given = {name: part(x, fmt, rule) for name, (part, rule) in PARTS.items()}
    assert (given["floor_clip_only"] == clip_only(x, fmt, SCALE_RULES["floor"])).all()
    assert (given["floor_round_only"] == round_only(x, fmt, SCALE_RULES["floor"])).all()
