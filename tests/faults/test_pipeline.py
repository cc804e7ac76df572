"""The small campaign of disturbed runs: nothing is half-written, and the end has the bytes of an undisturbed run."""

import pytest

from tests.faults.pipeline import BAD, FAULTS, SAME, may_mount

pytestmark = pytest.mark.pipeline
TIMES = {"killed": 2, "full": 1, "changed": 1, "hangs": 1}


def disturb(folder, name, times, seed):
    if FAULTS[name].mounts and not may_mount():
        pytest.skip("this user may not mount a file system")
    *_, outcomes = FAULTS[name].run(folder, times, seed)
    assert not set(outcomes) & set(BAD), dict(outcomes)
    assert sum(outcomes.values()) == times
    assert any(SAME in outcome for outcome in outcomes) or name == "two"


@pytest.mark.parametrize(("name", "seed"), [("killed", 10), ("two", 1)])
def test_a_run_that_is_killed_in_its_middle_and_two_at_once_cost_nothing_but_time(tmp_path, name, seed):
    disturb(tmp_path, name, 1, seed)


@pytest.mark.long
@pytest.mark.parametrize("name", TIMES)
def test_what_happens_to_a_run_costs_nothing_but_time(tmp_path, name):
    disturb(tmp_path, name, TIMES[name], seed=1)
