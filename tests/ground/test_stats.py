"""The bootstrap: compared with a plain one, on known distributions, and on samples without spread."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import t as student_t

from jouleproof.evidence import intervals
from jouleproof.evidence.intervals import Estimate, draws_interval, mean_interval

EXACT = settings(derandomize=True, deadline=None, max_examples=30)
SAMPLES = arrays(np.float64, st.integers(2, 12), elements=st.floats(-100, 100))
MANY = arrays(np.float64, st.integers(intervals.FEW_UNITS, 12), elements=st.floats(-100, 100))


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(intervals, "RESAMPLES", 499)


def plain_bootstrap(samples, weights, resamples=20_000):
    """Compute the 2.5th and 97.5th percentiles of the smallest of k weighted means. samples: (k, units), resampled
    together."""
    chosen = np.random.default_rng(1).integers(0, len(weights), (resamples, len(weights)))
    means = [np.average(row[chosen], weights=weights[chosen], axis=1) for row in samples]
    return np.percentile(np.minimum.reduce(means), [2.5, 97.5])


@EXACT
@given(st.floats(-1e6, 1e6), st.integers(1, 20))
def test_the_interval_of_a_constant_is_that_constant(constant, units):
    interval = mean_interval(np.full(units, constant))
    assert interval.low == interval.value == interval.high == pytest.approx(constant, rel=1e-12)


def test_a_single_unit_has_no_spread():
    assert mean_interval(np.array([3.5])) == Estimate(3.5, 3.5, 3.5)


def test_constants_that_differ_between_levels_have_no_spread():
    assert mean_interval([np.full(5, 2.0), np.full(5, 1.0)]) == Estimate(1.0, 1.0, 1.0)


@EXACT
@given(st.data())
def test_the_estimate_is_the_weighted_mean(data):
    values = data.draw(SAMPLES)
    weights = data.draw(arrays(np.float64, values.shape, elements=st.floats(0.1, 10)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 20)
        assert mean_interval(values, weights).value == pytest.approx(np.average(values, weights=weights), abs=1e-9)


@EXACT
@given(MANY)
def test_the_bootstrap_interval_lies_within_the_sample(values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 100)
        interval = mean_interval(values)
    assert values.min() - 1e-9 <= interval.low <= interval.high <= values.max() + 1e-9


def test_equal_weights_are_no_weights():
    values = np.random.default_rng(0).normal(size=20)
    assert mean_interval(values, np.full(20, 3.0)).low == pytest.approx(mean_interval(values).low, rel=1e-12)


def test_the_interval_agrees_with_a_plain_bootstrap():
    rng = np.random.default_rng(2)
    values, weights = rng.exponential(size=30), rng.integers(10, 100, 30).astype(float)
    interval = mean_interval(values, weights)
    low, high = plain_bootstrap([values], weights)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.05 * (high - low))


def test_weights_are_resampled_with_their_samples():
    values, weights = np.array([0.0] * 9 + [1.0]), np.array([1.0] * 9 + [91.0])
    interval = mean_interval(values, weights)
    assert (interval.low, interval.high) == (0.0, pytest.approx(plain_bootstrap([values], weights)[1], abs=0.02))


def test_the_best_of_several_is_the_smallest_mean():
    a, b = np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 3.0])
    assert mean_interval([a, b]).value == pytest.approx(min(a.mean(), b.mean()))


def test_the_largest_can_be_asked_for():
    a, b = np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 3.0])
    assert mean_interval([a, b], combine=np.max).value == pytest.approx(max(a.mean(), b.mean()))


def test_the_best_of_one_is_that_one():
    values = np.random.default_rng(3).normal(size=15)
    assert mean_interval([values]) == mean_interval(values)


def test_the_interval_of_the_best_pairs_its_units():
    """The mean of two samples that mirror each other is fixed, and the smaller mean lies below it in every resample."""
    values = np.random.default_rng(4).normal(size=40)
    interval = mean_interval([values, -values])
    low, high = plain_bootstrap([values, -values], np.ones(40))
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.05 * (high - low))
    assert interval.high <= 0


def test_the_choice_of_the_best_is_repeated_in_every_resample():
    """If the choice is open, the best of two can end lower than either sample that was chosen once and for all."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=30), rng.normal(size=30)
    a, b = a - a.mean(), b - b.mean()
    assert mean_interval([a, b]).low < min(mean_interval(a).low, mean_interval(b).low)


def test_the_same_sample_gives_the_same_interval():
    values = np.random.default_rng(6).normal(size=25)
    assert mean_interval(values) == mean_interval(values.copy())


def test_the_state_of_numpys_global_generator_has_no_part(monkeypatch, few_resamples):
    values = np.random.default_rng(7).normal(size=25)
    before = mean_interval(values)
    np.random.seed(1)
    assert mean_interval(values) == before


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_the_interval_covers_a_known_mean_in_about_95_of_100_samples(few_resamples, draw):
    rng = np.random.default_rng(8)
    mean = {"normal": 0.0, "uniform": 0.5}[draw]
    intervals = [mean_interval(getattr(rng, draw)(size=60)) for _ in range(400)]
    covered = np.mean([interval.low <= mean <= interval.high for interval in intervals])
    assert 0.91 <= covered <= 0.98  # three standard errors of a share of 400, and the method's bias


def test_more_units_make_a_narrower_interval(few_resamples):
    rng = np.random.default_rng(9)
    few, many = (mean_interval(rng.normal(size=units)) for units in (20, 2000))
    assert many.high - many.low < 0.3 * (few.high - few.low)


def test_the_best_of_many_tied_levels_lies_in_its_own_interval():
    levels = np.random.default_rng(3).normal(size=(12, 20))
    tied = levels - levels.mean(axis=1, keepdims=True)
    interval = mean_interval(tied)
    assert interval.low <= interval.value <= interval.high


def test_few_units_get_the_interval_of_students_t():
    samples = np.array([1.0, 2.0, 4.0])
    interval = mean_interval(samples)
    expected = student_t.interval(0.95, 2, loc=samples.mean(), scale=samples.std(ddof=1) / np.sqrt(3))
    assert (interval.low, interval.high) == pytest.approx(expected)


def test_students_t_with_weights_that_are_alike_is_that_without():
    samples = np.array([1.0, 2.0, 4.0, 8.0])
    assert mean_interval(samples, np.full(4, 7.0)) == mean_interval(samples)


def test_students_interval_of_the_best_of_two_is_wider_than_of_either_alone():
    one, other = np.array([1.0, 2.0, 3.0]), np.array([1.1, 2.1, 3.1])
    best = mean_interval([one, other])
    assert best.low < mean_interval(one).low and best.high > mean_interval(one).high - 0.1


def test_draws_give_their_median_and_the_range_of_nineteen_in_twenty():
    interval = draws_interval(np.arange(1001.0))
    assert (interval.value, interval.low, interval.high) == pytest.approx((500, 25, 975))


def test_more_draws_make_the_range_no_narrower():
    draws = np.random.default_rng(0).standard_normal(100_000)
    assert draws_interval(draws).high == pytest.approx(1.96, abs=0.03)
    assert draws_interval(draws[:1000]).high == pytest.approx(1.96, abs=0.2)


def test_the_best_of_paired_draws_is_taken_draw_by_draw():
    assert draws_interval([np.array([1.0, 5.0, 3.0]), np.array([4.0, 2.0, 3.0])], np.min).value == 2
