"""Both tables of the study, from made-up tables of the others."""

import numpy as np
import pytest
from pydantic import ValidationError

from jouleproof.studies.joint.config import AssumptionsConfig, JointConfig
from jouleproof.studies.joint.experiments.levers import assumptions, levers
from jouleproof.studies.joint.levers import FROM_TABLES, LEVERS, SUBSETS
from tests.joint.made import tables

CONFIG = JointConfig(draws=100)
LEVERS_TABLE = levers(CONFIG, tables(tilt=0.3))
ASSUMPTIONS_TABLE = assumptions(CONFIG, tables(tilt=0.3))


def values(metric, subset, plain="together"):
    rows = LEVERS_TABLE[(LEVERS_TABLE["metric"] == metric) & (LEVERS_TABLE["plain"] == plain)]
    return rows[rows["levers"] == "+".join(subset)].sort_values("repeat")["value"].to_numpy()


def test_every_set_of_levers_has_its_draws_from_each_plain_system():
    ratios = LEVERS_TABLE[LEVERS_TABLE["metric"] == "joules_ratio"]
    assert (ratios.groupby(["plain", "levers"]).size() == 100).all()
    assert set(ratios["levers"]) == {"+".join(subset) for subset in SUBSETS[1:]}
    assert set(LEVERS_TABLE["tier"]) == {"simulated"}


def test_the_overlap_is_that_of_the_ratios():
    product = np.prod([values("joules_ratio", [lever]) for lever in LEVERS], axis=0)
    assert values("joules_overlap", LEVERS) == pytest.approx(product / values("joules_ratio", LEVERS))


def test_a_plain_system_that_takes_a_tenth_more_says_so():
    assert values("joules_over_plain", ["none"], "chunked") == pytest.approx(1.1)
    assert values("joules_over_plain", ["none"]) == pytest.approx(1.0)


def test_another_run_gives_the_same_table():
    assert levers(CONFIG, tables(tilt=0.3)).equals(LEVERS_TABLE)


def test_everything_that_is_drawn_is_listed_with_what_it_is_and_its_source():
    assert set(ASSUMPTIONS_TABLE["assumption"]) == {*AssumptionsConfig.model_fields, *FROM_TABLES}
    assert (ASSUMPTIONS_TABLE["what"].str.len() > 10).all() and (ASSUMPTIONS_TABLE["source"].str.len() > 5).all()
    assert ASSUMPTIONS_TABLE.groupby("assumption")[["what", "source"]].nunique().max().max() == 1


def test_the_middle_is_the_same_whatever_assumption_is_moved():
    middle = ASSUMPTIONS_TABLE[ASSUMPTIONS_TABLE["metric"] == "joules_ratio"]["value"]
    assert np.ptp(middle) == pytest.approx(0, abs=1e-12)


def test_a_router_that_recognises_more_leaves_fewer_joules():
    table = ASSUMPTIONS_TABLE[ASSUMPTIONS_TABLE["assumption"] == "recognised"].set_index("metric")["value"]
    assert table["joules_ratio_high"] < table["joules_ratio"] < table["joules_ratio_low"]


def test_what_placement_does_to_power_leaves_joules_alone():
    table = ASSUMPTIONS_TABLE[ASSUMPTIONS_TABLE["assumption"] == "packed"].set_index("metric")["value"]
    assert table["joules_ratio_high"] == table["joules_ratio_low"]
    assert table["megawatts_ratio_high"] < table["megawatts_ratio_low"]


@pytest.mark.parametrize("span", [[0.5, 0.4], [-0.1, 0.4], [0.1], [0.1, 0.2, 0.3]])
def test_a_range_that_is_none_is_refused(span):
    with pytest.raises(ValidationError):
        AssumptionsConfig(recognised=span)
