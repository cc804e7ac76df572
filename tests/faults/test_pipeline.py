"""Disturbed runs in small: nothing half-written, and the bytes of an undisturbed run in the end."""

import pytest

from tests.faults.pipeline import BAD, FAULTS, SAME, may_mount


@pytest.mark.parametrize(("name", "times"), [("killed", 2), ("full", 1), ("two", 1), ("changed", 1), ("hangs", 1)])
def test_what_happens_to_a_run_costs_nothing_but_time(tmp_path, name, times):
    if FAULTS[name].mounts and not may_mount():
        pytest.skip("this user may not mount a file system")
    *_, outcomes = FAULTS[name].run(tmp_path, times, 1)
    assert not set(outcomes) & set(BAD), dict(outcomes)
    assert sum(outcomes.values()) == times
    assert any(SAME in outcome for outcome in outcomes) or name == "two"
