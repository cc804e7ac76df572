"""Attackers learn nothing from nothing and everything from the answer, and noise has the required scale."""

import numpy as np
import pytest

from jouleproof.power.time_grid import WEEK
from jouleproof.studies.placement.releases import RELEASES
from tests.placement.small import plain_fleet

RNG = np.random.default_rng(0)
TRUTH, TENANT = np.arange(60) % 3, np.arange(60) // 4
ANSWER = TRUTH[:, None] + 0.01 * RNG.standard_normal((60, 1))


@pytest.fixture(scope="module")
def attackers():
    """Return the module, which imports scikit-learn."""
    from jouleproof.studies.placement import attackers

    return attackers


def test_nothing_released_is_nothing_learned(attackers):
    nothing = np.zeros((60, 1))
    assert attackers.gain(nothing, TRUTH, TENANT, 0) <= 0.0
    assert attackers.gain_elsewhere(nothing, TRUTH, nothing, TRUTH, 0) <= 0.0
    assert attackers.identified(nothing, nothing) == pytest.approx(0.0)


def test_the_answer_released_is_all_learned(attackers):
    assert attackers.gain(ANSWER, TRUTH, TENANT, 0) == pytest.approx(2 / 3, abs=0.02)
    assert attackers.gain_elsewhere(ANSWER, TRUTH, ANSWER[::-1], TRUTH[::-1], 0) == pytest.approx(2 / 3, abs=0.02)
    alike = RNG.standard_normal((60, 5))
    assert attackers.identified(alike, alike + 1e-6) == pytest.approx(59 / 60)


def test_who_was_seen_is_never_asked_about(attackers):
    """A release that names the tenant is useless for tenants that were never seen."""
    truth = RNG.integers(0, 2, 15)[TENANT]
    assert attackers.gain(TENANT[:, None].astype(float), truth, TENANT, 0) < 0.25


@pytest.mark.parametrize("name", RELEASES)
def test_every_release_can_be_used(name):
    readings = RNG.uniform(10, 100, (5, WEEK))
    fleet = plain_fleet(readings)
    release = RELEASES[name]
    out = release.disclose(readings, fleet, np.random.default_rng(0))
    used = release.used(out, fleet)
    assert used.shape[0] == 5 and np.isfinite(used).all() and (used >= 0).all() and (used <= 1000.0).all()


@pytest.mark.parametrize(("name", "scale"), [("private1_e1", 90.0), ("private1_e8", 11.25), ("private6_e8", 67.5)])
def test_noise_is_as_large_as_the_budget_of_privacy_asks_for(name, scale):
    readings = np.full((4000, WEEK), 50.0, np.float32)
    out = RELEASES[name].disclose(readings, plain_fleet(readings), np.random.default_rng(0))
    assert np.abs(out - 50.0).mean() == pytest.approx(scale, rel=0.05)


def test_sums_are_the_same_for_all():
    readings = RNG.uniform(10, 100, (5, WEEK))
    out = RELEASES["sums"].disclose(readings, plain_fleet(readings), np.random.default_rng(0))
    assert (out == out[0]).all()


def test_what_is_all_noise_is_not_believed_and_what_is_none_is():
    readings = np.repeat(RNG.uniform(20, 90, (200, 1)), WEEK, axis=1)
    fleet = plain_fleet(readings)
    for name, spread in (("private1_e05", 0.0), ("private1_e8", readings[:, 0].std())):
        release = RELEASES[name]
        used = release.used(release.disclose(readings, fleet, np.random.default_rng(0)), fleet)
        assert used.std() == pytest.approx(spread, rel=0.5, abs=1e-9)


def test_an_attacker_that_has_seen_one_answer_alone_and_one_tenant_leaves_nobody_unseen(attackers):
    released, truth = np.arange(8.0)[:, None], np.repeat([0, 1], 4)
    assert attackers.gain(released, truth, truth, 0) == -0.5  # for each tenant, the other's answer is guessed
    assert attackers.gain(released, truth, np.zeros(8, int), 0) == 0.0
