"""Joules modelled after a run: ranges, ratios in which watts cancel, and the probability of an order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jouleproof.studies.slm_energy.config import Bounds, PowerConfig
from jouleproof.studies.slm_energy.power import (
    constants,
    modelled_interval,
    modelled_joules,
    order_probability,
    prior_draws,
    ratio,
)

DRAWS = prior_draws(PowerConfig())
work = st.tuples(st.floats(1e-3, 1e3), st.floats(0, 1e12))


@pytest.mark.parametrize("shape", ["lognormal", "uniform"])
def test_the_prior_holds_95_percent_between_low_and_high_or_all_of_it(shape):
    config = PowerConfig(shape=shape, draws=20_000)
    inside = {
        name: np.mean((config_draws(config, name) >= bounds.low) & (config_draws(config, name) <= bounds.high))
        for name, bounds in constants(config).items()
    }
    assert inside == pytest.approx(dict.fromkeys(inside, 1.0 if shape == "uniform" else 0.95), abs=0.01)


def config_draws(config, name):
    """Return a constant's draws in the config's unit."""
    draws = prior_draws(config)
    return {
        "core_w": draws.core_w,
        "dram_pj_per_bit": draws.dram_j_per_byte / 8e-12,
        "idle_w": draws.idle_w,
    }[name]


def test_the_median_of_the_lognormal_prior_is_the_middle():
    assert np.median(config_draws(PowerConfig(draws=20_000), "core_w")) == pytest.approx(3.75, rel=0.01)


def test_the_same_seed_gives_the_same_draws_and_one_constant_leaves_the_others_alone():
    again = prior_draws(PowerConfig())
    other = prior_draws(PowerConfig(idle_w=Bounds(low=0.1, middle=0.2, high=0.3, source="mine")))
    assert (again.core_w == DRAWS.core_w).all() and (other.core_w == DRAWS.core_w).all()
    assert not (other.idle_w == DRAWS.idle_w).any()


@given(work, work)
def test_joules_are_linear_in_work(a, b):
    both = modelled_joules(a[0] + b[0], a[1] + b[1], DRAWS)
    apart = modelled_joules(*a, DRAWS) + modelled_joules(*b, DRAWS)
    np.testing.assert_allclose(both, apart, rtol=1e-6, atol=1e-12)


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_between_cpu_seconds_alone_the_watts_cancel(a, b):
    ratios = ratio((a, 0.0), (b, 0.0), DRAWS)
    np.testing.assert_allclose(ratios, np.full(len(ratios), a / b), rtol=1e-6, atol=1e-12)


@given(work, work)
def test_one_of_two_takes_less(a, b):
    assert order_probability(a, b, DRAWS) + order_probability(b, a, DRAWS) == pytest.approx(1.0)


def test_less_of_everything_is_less_for_sure_and_a_tie_is_half():
    assert order_probability((1.0, 1e9), (1.1, 2e9), DRAWS) == 1.0
    assert order_probability((1.0, 1e9), (1.0, 1e9), DRAWS) == 0.5


def test_more_bytes_against_more_cpu_seconds_is_unsure():
    assert 0.05 < order_probability((1.0, 1e10), (1.4, 0.0), DRAWS) < 0.95


def test_uncertain_seconds_are_paired_with_the_draws():
    seconds = np.linspace(1.0, 3.0, len(DRAWS.core_w))
    assert order_probability((seconds, 0.0), (2.0, 0.0), DRAWS) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("bad", [(-1.0, 0.0), (0.0, -1.0), (float("nan"), 0.0), (1.0, float("inf"))])
def test_what_is_no_amount_of_work_is_refused(bad):
    with pytest.raises(ValueError, match="must be finite and at least 0, got"):
        modelled_joules(*bad, DRAWS)


def test_a_ratio_to_nothing_is_refused():
    with pytest.raises(ValueError, match="b must take more than 0 J, got"):
        ratio((1.0, 0.0), (0.0, 0.0), DRAWS)


def test_the_band_is_as_wide_as_what_is_not_known():
    interval = modelled_interval(1.0, 0.0, DRAWS)
    assert 1.5 < interval.high / interval.low < 4


def test_bounds_out_of_order_are_refused():
    with pytest.raises(ValidationError, match="must be in ascending order"):
        Bounds(low=2.0, middle=1.0, high=3.0, source="mine")


def test_what_is_assumed_says_so():
    assert [
        name
        for name, value in constants(PowerConfig()).items()
        if not value.verified and "assumption" not in value.source
    ] == []
