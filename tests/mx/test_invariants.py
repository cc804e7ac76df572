"""Each invariant of a cast counts its violations, on casts that are broken on purpose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.formats import SCALE_RULES, MXFormat
from jouleproof.studies.mx import invariants
from jouleproof.studies.mx.invariants import INVARIANTS
from tests.formats.generated import REPEATABLE, any_blocks, finite_blocks, numbers

pytestmark = pytest.mark.usefixtures("one_thread")
FMT = MXFormat("e3m4", 3, 4, bias=3, block=32)
INTEGERS = MXFormat("int5", 0, 3)
X = numbers((4, 32))
FLOOR = SCALE_RULES["floor"]


any_rule = st.sampled_from(list(SCALE_RULES.values()))


@st.composite
def formats(draw):
    """Draw any valid description of a format."""
    exponent_bits = draw(st.integers(0, 5))
    mantissa_bits = draw(st.integers(1 if exponent_bits == 0 else 0, 6 if exponent_bits == 0 else 7 - exponent_bits))
    specials = draw(st.sampled_from(["none", "nan", "ieee"])) if exponent_bits else "none"
    try:
        return MXFormat("drawn", exponent_bits, mantissa_bits, draw(st.integers(-3, 18)), specials, 32)
    except ValueError:
        return FMT


def assert_no_violation(name, block, fmt, rule):
    with np.errstate(all="ignore"):
        assert INVARIANTS[name](block[None], fmt, rule) == (32, 0)


@pytest.mark.parametrize("name", ["order", "sign symmetry"])
def test_it_holds_for_every_format_on_every_float(name):
    @settings(REPEATABLE, max_examples=60)
    @given(any_blocks(), formats(), any_rule)
    def holds(block, fmt, rule):
        assert_no_violation(name, block, fmt, rule)

    holds()


# The packing of codes is compiled separately for every number of bits, of floats and of integers.
PACKED = [
    MXFormat("e4m3_negative_emax", 4, 3, bias=20, specials="nan"),
    MXFormat("e2m3_ieee", 2, 3, bias=1, specials="ieee"),
    MXFormat("e1m2", 1, 2, bias=1),
    MXFormat("int8", 0, 6),
]


@settings(REPEATABLE, max_examples=60)
@given(any_blocks(), st.sampled_from(PACKED), any_rule)
def test_kernels_give_the_bits_of_the_plain_reference_on_every_float(block, fmt, rule):
    assert_no_violation("plain reference", block, fmt, rule)


@pytest.mark.long  # a second of compiling for each number of bits
@settings(REPEATABLE, max_examples=100)
@given(any_blocks(), formats(), any_rule)
def test_kernels_of_every_format_give_the_bits_of_the_plain_reference(block, fmt, rule):
    assert_no_violation("plain reference", block, fmt, rule)


@settings(REPEATABLE, max_examples=60)
@given(finite_blocks(), formats(), any_rule)
def test_idempotence_holds_for_every_format_away_from_the_end_of_float32(block, fmt, rule):
    assert invariants.idempotence(block[None], fmt, rule) == (32, 0)


def assert_covariant(block, fmt, rule):
    with np.errstate(all="ignore"):
        spoken_of, violations = invariants.scale_covariance(block[None], fmt, rule)
    assert violations == 0 and spoken_of in (0, 32, 64)


@settings(REPEATABLE, max_examples=60)
@given(any_blocks(), st.sampled_from(PACKED), any_rule)
def test_scale_covariance_holds_on_every_float(block, fmt, rule):
    assert_covariant(block, fmt, rule)


@pytest.mark.long  # it asks for packed scales
@settings(REPEATABLE, max_examples=60)
@given(any_blocks(), formats(), any_rule)
def test_scale_covariance_holds_for_every_format_on_every_float(block, fmt, rule):
    assert_covariant(block, fmt, rule)


def test_they_all_speak_of_ordinary_blocks():
    counts = {name: count(X, FMT, FLOOR) for name, count in INVARIANTS.items()}
    assert counts == {
        **dict.fromkeys(INVARIANTS, (X.size, 0)),
        "scale covariance": (X.size * len(invariants.POWERS), 0),
    }


def broken(monkeypatch, change):
    """Replace the cast's result with change(result)."""
    cast = invariants.fake_quantize
    monkeypatch.setattr(invariants, "fake_quantize", lambda x, fmt, scale: change(cast(x, fmt, scale=scale)))


def counted(name, x=X, fmt=FMT):
    return INVARIANTS[name](x, fmt, FLOOR)[1]


def test_a_cast_that_shrinks_what_it_casts_is_not_idempotent(monkeypatch):
    broken(monkeypatch, lambda y: y / np.float32(2))
    assert counted("idempotence") > 100


def test_a_cast_that_exchanges_two_elements_does_not_keep_their_order(monkeypatch):
    broken(monkeypatch, lambda y: y[:, ::-1])
    assert counted("order", np.sort(X, axis=1)) > 60


def test_a_cast_that_shifts_its_values_treats_signs_differently(monkeypatch):
    broken(monkeypatch, lambda y: y + np.float32(1))
    assert counted("sign symmetry") == X.size


def test_the_sign_of_zero_counts_for_floats_alone(monkeypatch):
    x = np.zeros((1, 32), dtype=np.float32)
    assert counted("sign symmetry", x) == counted("sign symmetry", x, INTEGERS) == 0
    broken(monkeypatch, lambda y: y + np.float32(0))
    assert counted("sign symmetry", x) == 32 and counted("sign symmetry", x, INTEGERS) == 0


def test_a_scale_that_does_not_follow_its_block_is_not_covariant():
    def fixed(amax, fmt):
        return np.zeros(amax.shape, dtype=np.int32)

    assert invariants.scale_covariance(X, FMT, fixed)[1] > 50


def test_a_block_whose_scale_clamps_is_not_spoken_of():
    for size in (2.0**-140, 2.0**125, np.nan, np.inf):
        block = np.full((1, 32), size, dtype=np.float32)
        assert invariants.scale_covariance(block, FMT, FLOOR)[0] < 64


@pytest.mark.parametrize("change", [lambda y: -y, lambda y: y * np.float32(2)])
def test_a_kernel_that_differs_from_the_reference_is_counted(monkeypatch, change):
    broken(monkeypatch, change)
    assert counted("plain reference") > 100


def test_packed_codes_and_scales_are_compared_as_well(monkeypatch):
    packed = invariants.quantize

    def another(x, fmt, scale):
        result = packed(x, fmt, scale=scale)
        result.scales[0] += 1
        result.codes[1, 0, 0] ^= 1
        return result

    monkeypatch.setattr(invariants, "quantize", another)
    assert counted("plain reference") == 32 + 1
