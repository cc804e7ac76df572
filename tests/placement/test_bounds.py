"""The exact optimum against every possible division."""

from itertools import product

import numpy as np
import pytest

from jouleproof.power.workloads import KINDS, fleet
from jouleproof.studies.placement.bounds import least_peak, peak_of
from jouleproof.studies.placement.hardware_selection import (
    NEW,
    OLD,
    STORAGE,
    chosen_processors,
    chosen_storage,
    loads,
    needs,
    power,
)
from jouleproof.studies.placement.kernels import NOWHERE


@pytest.mark.parametrize("seed", range(3))
def test_the_least_peak_is_that_of_the_best_of_all_divisions(seed):
    watts = np.random.default_rng(seed).uniform(1, 9, (6, 4))
    peak, gap = least_peak(watts, 2, 30.0)
    best = min(peak_of(watts, np.array(homes), 2) for homes in product((0, 1), repeat=6))
    assert peak == pytest.approx(best, rel=2e-3) and gap <= 1e-3


def test_all_have_to_be_somewhere():
    with pytest.raises(ValueError, match="must have a row"):
        peak_of(np.ones((2, 2)), np.array([0, NOWHERE]), 1)


def test_a_workload_goes_to_the_processor_that_draws_less_as_long_as_there_is_room():
    workloads = fleet(40, 1, 0, kinds={"always": KINDS["always"]})
    seen = loads(workloads, workloads.watts)
    chosen = chosen_processors(seen, workloads, (40, 80), by_profile=True)
    speed = OLD.speeds(workloads)
    many = np.ceil(np.percentile(seen, 99, axis=1) / speed)
    new, old = power(seen.mean(axis=1), np.ones(40), np.ones(40), NEW), power(seen.mean(axis=1), many, speed, OLD)
    assert np.array_equal(chosen == 1, old < new)
    assert (chosen_processors(seen, workloads, (40, 1), by_profile=True) == 1).sum() <= 1


def test_storage_is_the_most_frugal_that_is_fast_enough_and_has_room():
    wants = needs(200, 0)
    frugal, fast = chosen_storage(wants, True), chosen_storage(wants, False)
    for chosen in (frugal, fast):
        kept = np.bincount(chosen, weights=wants.tb, minlength=len(STORAGE))
        assert (kept <= [storage.tb * wants.tb.sum() + 1e-6 for storage in STORAGE]).all()
        slow = [one for one in range(200) if wants.gb_per_s[one] > STORAGE[chosen[one]].gb_per_s]
        assert len(slow) < 20  # where all that is fast enough is full
    watts = np.array([storage.watts_per_tb for storage in STORAGE])
    assert (watts[frugal] * wants.tb).sum() < (watts[fast] * wants.tb).sum()
