"""A design of a user's own, by name: found, served, and refused where it is something else."""

import pytest

from bench.errors import UserError
from bench.phase_split.named import designs
from bench.phase_split.performance import performance
from bench.phase_split.simulator import simulate
from tests.phase_split import own
from tests.phase_split.test_simulator import crowd


def test_it_stands_beside_the_built_in_ones():
    found = designs(["splitwise_hh", "tests.phase_split.own:DESIGN"], "conv")
    assert list(found) == ["splitwise_hh", "h100_h20"]
    assert found["h100_h20"] is own.DESIGN and found["splitwise_hh"].prompt == ("dgx-h100", 25)


def test_its_machines_take_the_times_of_the_profile_by_their_rates():
    h100, h20 = (performance(machine, "bloom-176b", True) for machine, _ in own.DESIGN.pools)
    assert h20.decode_s * 4.0 / 3.352 == pytest.approx(h100.decode_s)
    assert h20.prompt_s * 148 / 989 == pytest.approx(h100.prompt_s)


def test_it_serves():
    assert simulate(own.DESIGN, crowd(200)).unfinished == 0


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["splitwise_xx"], "design 'splitwise_xx' is not known; built in: baseline_a100"),
        (["tests.phase_split.own:H20"], "is a Machine, not a bench.phase_split.machines.Design"),
        (["splitwise_hh", "splitwise_hh"], "two designs are called splitwise_hh"),
        (["tests.phase_split.own:NOTHING"], "cannot be loaded"),
    ],
)
def test_what_is_no_design_is_one_line(names, complaint):
    with pytest.raises(UserError) as caught:
        designs(names, "conv")
    assert complaint in str(caught.value) and "\n" not in str(caught.value)
