"""Joules of one run, from a window of many."""

from types import SimpleNamespace

import pytest

from jouleproof.studies.slm_energy import timing


class Meter:
    """A meter that reports the same joules for every window. domains: by source, empty without a counter."""

    name = "made up"

    def __init__(self, domains, said):
        self.domains, self.said = domains, said

    def describe(self):
        return {"domains": self.domains}

    def begin(self):
        return SimpleNamespace(end=lambda: SimpleNamespace(joules=self.said))


@pytest.fixture(autouse=True)
def _a_run_takes_a_quarter_of_a_window(monkeypatch):
    monkeypatch.setattr(timing, "cpu_s", lambda run: run() or timing.METERED_S / 4)


def test_joules_of_a_window_are_shared_out_over_its_runs():
    runs = []
    counted = dict(timing.joules(Meter({"rapl": ["package"]}, {"rapl": 10.0}), lambda: runs.append(1)))
    assert counted == {"rapl": 2.5} and len(runs) == 1 + 4


def test_a_source_that_did_not_count_is_left_out():
    meter = Meter({"rapl": ["package"], "nvml": ["gpu"]}, {"rapl": None, "nvml": 8.0})
    assert dict(timing.joules(meter, lambda: None)) == {"nvml": 2.0}


def test_where_nothing_counts_nothing_runs():
    runs = []
    assert not list(timing.joules(Meter({}, {}), lambda: runs.append(1))) and not runs
