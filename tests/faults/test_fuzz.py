"""The small campaign of damaged inputs: each is refused in one line or read as it is. `snakemake faults` runs the large
one."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.fuzz import BAD, fuzz, try_one
from tests.faults.targets import TARGETS

SEEDED = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_input_is_refused_in_one_line_or_read_as_it_is(tmp_path, name):
    tally = fuzz(name, range(1_000_000, 1_000_120), tmp_path)
    assert not tally.examples
    assert len(tally.outcomes) > 1, "nothing was read, so nothing was compared"


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
@settings(SEEDED, max_examples=300)
@given(number=st.integers(0, 2**63))
def test_hypothesis_finds_no_damage_that_is_misread(tmp_path, name, number):
    assert not fuzz(name, range(number, number + 1), tmp_path).examples


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "settings"])
@settings(SEEDED, max_examples=30)
@given(content=st.binary(max_size=300))
def test_bytes_of_any_kind_in_place_of_a_file_are_refused(tmp_path, name, content):
    target = TARGETS[name]
    files = dict.fromkeys(target.draw(random.Random(0)), content)
    outcome, words = try_one(target, files, tmp_path)
    assert outcome not in BAD, words
