"""Generated fleets: reproducible from the seed, of the requested mix, and as predictable as requested."""

import numpy as np
import pytest

from jouleproof.power.time_grid import WEEK
from jouleproof.power.workloads import KINDS, Rhythm, fleet, stays
from jouleproof.studies.placement.experiments.reality import _repeats

FLEET = fleet(300, 2, 0)


def test_the_same_seed_makes_the_same_fleet_and_another_another():
    again, other = fleet(300, 2, 0), fleet(300, 2, 1)
    assert np.array_equal(again.watts, FLEET.watts) and np.array_equal(again.tenant, FLEET.tenant)
    assert not np.array_equal(other.watts, FLEET.watts)


def test_power_lies_between_idle_and_the_most_that_a_server_draws():
    assert FLEET.watts.min() >= FLEET.idle_w - 1e-3 and FLEET.watts.max() <= 0.85 * FLEET.nameplate_w + 1e-3
    assert 0.3 < FLEET.watts.mean() / FLEET.nameplate_w < 0.55


def test_a_tenant_has_one_class_one_model_and_one_length_of_prompts():
    for field in (FLEET.kind, FLEET.model, FLEET.length):
        assert all(len(np.unique(field[FLEET.tenant == tenant])) == 1 for tenant in np.unique(FLEET.tenant))


def test_office_hours_are_busy_by_day_and_calm_on_free_days():
    office = fleet(60, 1, 0, kinds={"office": KINDS["office"]}).watts.reshape(60, 7, 288)
    by_day = office.mean(axis=(0, 2)) - FLEET.idle_w
    assert np.sort(by_day)[:2].max() < 0.8 * np.sort(by_day)[2:].min()


def test_a_mix_has_more_of_what_it_is_named_after():
    def share(mix, name):
        fleets = [fleet(600, 1, seed, Rhythm(mix)) for seed in range(3)]
        return np.mean([sample.kind == sample.kinds.index(name) for sample in fleets])

    assert share("train_heavy", "training") > 1.5 * share("same", "training")
    assert share("office_hours", "office") > 1.5 * share("same", "office")


def test_weeks_repeat_as_far_as_was_asked_for():
    def median(predictable):
        watts = fleet(200, 2, 0, Rhythm(predictable=predictable)).watts.astype(float)
        return next(row["value"] for row in _repeats("", watts, "simulated") if row["percent"] == 50.0)

    assert median(1.0) > 0.9 > median(0.5) > median(0.0)


@pytest.mark.parametrize("grouped", [False, True])
def test_workloads_come_and_go_within_the_week(grouped):
    times = stays(FLEET, 100, 3.0, grouped, 0)
    assert (times.first == 0).sum() == 100 and (times.last > times.first).all() and times.last.max() <= WEEK
    assert 0.3 < np.mean((times.last - times.first)[times.first == 0] > 3 * 288) < 0.7
    order = FLEET.tenant[np.argsort(times.first, kind="stable")]
    changes = np.mean(np.diff(order[100:]) != 0)
    assert changes < 0.3 if grouped else changes > 0.8
