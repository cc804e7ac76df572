"""What a cast clips and what it rounds: the two parts add up, and what they say about the scale rules."""

import numpy as np
import pytest

from jouleproof.formats import FORMATS, SCALE_RULES, fake_quantize, quantize
from jouleproof.studies.mx.cast_steps import PARTS, clip_only, largest_values, round_only, saturated
from tests.formats import oracle

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def x():
    """Rows whose last block is not full, magnitudes over many binades, and a block of zeros."""
    rng = np.random.default_rng(0)
    x = (rng.standard_t(3, size=(40, 200)) * 2.0 ** rng.integers(-20, 20, (40, 1))).astype(np.float32)
    x[3, :32] = 0
    return x


def plain_largest(row, fmt, rule):
    """(elements,): the largest value of each element's block, from exact rationals."""
    largest = []
    for start in range(0, len(row), fmt.block):
        block = row[start : start + fmt.block]
        _, code = oracle.quantize_block(block, fmt, rule, "even")
        largest += [float(oracle.magnitudes(fmt)[-1]) * 2.0 ** (code - 127)] * len(block)
    return np.array(largest)


def failing(holds, rules=SCALE_RULES):
    """(format, rule) for which holds(fmt, rule) does not hold."""
    return [(name, rule) for name, fmt in FORMATS.items() for rule in rules if not holds(fmt, rule)]


def test_the_largest_value_of_a_block_is_that_of_its_scale(x):
    def that(fmt, rule):
        expected = [plain_largest(row, fmt, rule) for row in x[:4]]
        return (largest_values(x[:4], fmt, SCALE_RULES[rule]) == expected).all()

    assert failing(that) == []


def errors(x, fmt, rule):
    """(clipped, rounded, of the whole cast)"""
    parts = (clip_only(x, fmt, SCALE_RULES[rule]), round_only(x, fmt, SCALE_RULES[rule]))
    return [cast.astype(np.float64) - x for cast in (*parts, fake_quantize(x, fmt, scale=rule))]


def test_clipping_and_rounding_add_up_to_the_error_of_the_cast(x):
    def add_up(fmt, rule):
        clipped, rounded, cast = errors(x, fmt, rule)
        return (clipped + rounded == cast).all()

    assert failing(add_up) == []


def test_no_element_is_both_clipped_and_rounded(x):
    def apart(fmt, rule):
        clipped, rounded, _ = errors(x, fmt, rule)
        return not ((clipped != 0) & (rounded != 0)).any()

    assert failing(apart) == []


def test_the_floor_rule_clips_and_rounds(x):
    def both(fmt, rule):
        beyond = saturated(x, fmt, SCALE_RULES[rule])
        changed = [(part(x, fmt, SCALE_RULES[rule]) != x).any() for part in (clip_only, round_only)]
        return beyond.any() and not beyond.all() and all(changed)

    assert failing(both, ["floor"]) == []


def test_nothing_saturates_under_a_rule_that_rounds_up(x):
    def nothing(fmt, rule):
        beyond = saturated(x, fmt, SCALE_RULES[rule])
        return not beyond.any() and (clip_only(x, fmt, SCALE_RULES[rule]) == x).all()

    assert failing(nothing, ["ceil", "rceil"]) == []


def test_rceil_is_floor_with_the_next_scale_in_the_blocks_that_saturate_and_no_others(x):
    def next_scale(fmt, rule):
        floor, rceil = (quantize(x, fmt, scale=each).scales.astype(int) for each in ("floor", rule))
        padded = np.pad(saturated(x, fmt, SCALE_RULES["floor"]), ((0, 0), (0, -x.shape[1] % fmt.block)))
        return (rceil - floor == padded.reshape(*floor.shape, -1).any(axis=-1)).all()

    assert failing(next_scale, ["rceil"]) == []


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
