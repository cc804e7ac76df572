"""Profiles of a week: exact values, and what is refused."""

import numpy as np
import pytest

from jouleproof.errors import UserError
from jouleproof.power.controllers import Controller
from jouleproof.power.time_grid import DAY, WEEK
from jouleproof.studies.placement.policy import Policy
from jouleproof.studies.placement.predictors import PREDICTORS, wrong_by
from jouleproof.studies.placement.profiles import INFORMATION, by_slot, checked_watts
from jouleproof.studies.placement.releases import Release
from jouleproof.studies.placement.rules import RULES, Rule
from tests.placement.small import plain_fleet

RNG = np.random.default_rng(0)
READINGS = RNG.uniform(10, 90, (4, WEEK))
FLEET = plain_fleet(READINGS)


def test_slots_of_a_day_hold_all_days_and_slots_of_a_week_one_hour_each():
    by_hour, by_week = by_slot(READINGS, 24), by_slot(READINGS, 168)
    assert by_hour.shape == (4, 24, 84) and by_week.shape == (4, 168, 12)
    third_hours = READINGS[0].reshape(7, DAY)[:, 36:48]
    assert np.array_equal(np.sort(by_hour[0, 3]), np.sort(third_hours, axis=None))
    assert np.array_equal(by_week[1, 25], READINGS[1, 300:312])


@pytest.mark.parametrize("name", INFORMATION)
def test_information_lies_between_what_was_read_and_the_nameplate(name):
    profile = INFORMATION[name].of(READINGS, FLEET)
    assert profile.shape[0] == 4 and (profile >= READINGS.min()).all()
    assert (profile <= 100.0).all() or name == "spread24"


def test_exact_values():
    assert INFORMATION["mean"].of(READINGS, FLEET)[:, 0] == pytest.approx(READINGS.mean(axis=1))
    assert INFORMATION["p99"].of(READINGS, FLEET)[2, 0] == pytest.approx(np.percentile(READINGS[2], 99))
    assert INFORMATION["nameplate"].of(READINGS, FLEET).tolist() == [[100.0]] * 4
    assert INFORMATION["slots24"].of(READINGS, FLEET)[1, 5] == pytest.approx(
        np.percentile(READINGS[1].reshape(7, 24, 12)[:, 5], 95)
    )


def test_two_phases_are_told_apart():
    square = np.tile(np.where(np.arange(DAY) < DAY // 2, 20.0, 80.0), (1, 7))
    profile = INFORMATION["phases"].of(square, plain_fleet(square))
    assert profile[0, :12] == pytest.approx(20.0) and profile[0, 12:] == pytest.approx(80.0)


def test_a_trace_shorter_than_the_period_or_slots_that_do_not_divide_it_are_one_line():
    with pytest.raises(UserError, match="whole weeks of 2016 readings, got 2015"):
        by_slot(READINGS[:, 1:], 24)
    with pytest.raises(UserError, match="288 readings do not divide into 7 slots"):
        by_slot(READINGS, 7)


@pytest.mark.parametrize("name", PREDICTORS)
def test_predictors_leave_what_was_seen(name):
    profiles, seen = INFORMATION["slots24"].of(READINGS, FLEET), np.array([True, False, True, True])
    predicted = PREDICTORS[name](profiles, seen, FLEET)
    assert np.array_equal(predicted[seen], profiles[seen])


def test_tenants_stand_in_for_their_own_and_classes_for_new_tenants():
    fleet = plain_fleet(READINGS)
    fleet.tenant[:] = [0, 0, 1, 2]
    fleet.kind[:] = [0, 0, 0, 1]
    profiles, seen = np.arange(4.0)[:, None], np.array([True, False, True, False])
    predicted = PREDICTORS["tenant_mean"](profiles, seen, fleet)[:, 0]
    assert predicted.tolist() == [0.0, 0.0, 2.0, 1.0]  # the last one's class was never seen, so the fleet's mean
    assert PREDICTORS["class_mean"](profiles, seen, fleet)[1, 0] == 1.0
    assert PREDICTORS["nameplate"](profiles, seen, fleet)[3, 0] == 100.0


def test_a_profile_is_made_wrong_only_where_there_is_no_history():
    profiles, seen = np.tile(np.arange(24.0), (50, 1)), np.arange(50) % 2 == 0
    level, phase = wrong_by(profiles, seen, 0.2, 0.0, 0), wrong_by(profiles, seen, 0.0, 6.0, 0)
    assert np.array_equal(level[seen], profiles[seen]) and np.array_equal(phase[seen], profiles[seen])
    factors = level[~seen][:, 10] / 10.0
    assert (abs(factors - 1) <= 0.2).all() and factors.std() > 0.05
    assert all(sorted(row) == list(range(24)) for row in phase[~seen]) and not np.array_equal(phase, profiles)


@pytest.mark.parametrize(
    "watts",
    [
        *(None, [[1.0]], np.ones(3), np.ones((2, 4)), np.ones((3, 5)), np.full((3, 4), np.nan), -np.ones((3, 4))),
        *(np.ones((3, 4), dtype) for dtype in ("bool", "complex", "datetime64[s]", "timedelta64[s]", "str", "object")),
    ],
)
def test_what_a_users_function_gives_must_be_watts_by_workload_and_slot(watts):
    with pytest.raises(UserError, match=r"placement: predictor 'mine:largest' must return finite watts .*; got "):
        checked_watts("predictor 'mine:largest'", watts, 3, 4)


def test_watts_by_workload_and_slot_pass_as_they_are():
    watts = np.ones((3, 4))
    assert checked_watts("predictor", watts, 3, 4) is watts and checked_watts("information", watts, 3) is watts


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: Policy(RULES["spread"], INFORMATION["mean"], "swapped"),
            "information must be of class Information, got Rule",
        ),
        (lambda: Rule(above_mean="a"), "above_mean must be a finite number, got 'a'"),
        (lambda: Controller(first=-0.9), "expected 0 < first <= second, got -0.9"),
        (lambda: Controller(low=1.5), "must be above 0 and at most 1, got 1.5"),
        (lambda: Controller(first=0.8, release=0.9), "at least 0 and below first"),
        (lambda: Release(len, len, -1, "less than nothing"), "numbers must be a count of at least 0, got -1"),
        (lambda: Release(let_out=len, used=len, numbers=1, words="old"), "let_out is now called disclose"),
    ],
)
def test_an_object_that_cannot_be_meant_is_refused_when_it_is_made(make, words):
    with pytest.raises(UserError, match=words):
        make()
