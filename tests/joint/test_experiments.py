"""Both tables of the study, from small tables of the other studies."""

import numpy as np
import pytest
from pydantic import ValidationError

from jouleproof.studies.joint.config import AssumptionsConfig, JointConfig
from jouleproof.studies.joint.evidence import SOURCES
from jouleproof.studies.joint.experiments.levers import assumptions, levers
from jouleproof.studies.joint.savings import LEVERS, SUBSETS
from tests.joint.small_tables import tables

CONFIG = JointConfig(draws=100)


@pytest.fixture(scope="module")
def saved():
    return levers(CONFIG, **tables(tilt=0.3))


@pytest.fixture(scope="module")
def assumed():
    return assumptions(CONFIG, **tables(tilt=0.3))


def values(table, metric, subset, plain="together"):
    rows = table[(table["metric"] == metric) & (table["plain"] == plain)]
    return rows[rows["levers"] == "+".join(subset)].sort_values("repeat")["value"].to_numpy()


def test_every_set_of_levers_has_its_draws_from_each_plain_system(saved):
    ratios = saved[saved["metric"] == "joules_ratio"]
    assert (ratios.groupby(["plain", "levers"]).size() == 100).all()
    assert set(ratios["levers"]) == {"+".join(subset) for subset in SUBSETS[1:]}
    assert set(saved["tier"]) == {"simulated"}


def test_the_overlap_is_that_of_the_ratios(saved):
    product = np.prod([values(saved, "joules_ratio", [lever]) for lever in LEVERS], axis=0)
    assert values(saved, "joules_overlap", LEVERS) == pytest.approx(product / values(saved, "joules_ratio", LEVERS))


def test_a_plain_system_that_takes_a_tenth_more_says_so(saved):
    assert values(saved, "joules_over_plain", ["none"], "chunked") == pytest.approx(1.1)
    assert values(saved, "joules_over_plain", ["none"]) == pytest.approx(1.0)


def test_another_run_gives_the_same_table(saved):
    assert levers(CONFIG, **tables(tilt=0.3)).equals(saved)


def test_everything_that_is_drawn_is_listed_with_what_it_is_and_its_source(assumed):
    assert set(assumed["assumption"]) == {*AssumptionsConfig.model_fields, *SOURCES}
    assert (assumed["what"].str.len() > 10).all() and (assumed["source"].str.len() > 5).all()
    assert assumed.groupby("assumption")[["what", "source"]].nunique().max().max() == 1


def test_the_middle_is_the_same_whatever_assumption_is_moved(assumed):
    middle = assumed[assumed["metric"] == "joules_ratio"]["value"]
    assert np.ptp(middle) == pytest.approx(0, abs=1e-12)


def test_a_router_that_recognises_more_leaves_fewer_joules(assumed):
    table = assumed[assumed["assumption"] == "recognised"].set_index("metric")["value"]
    assert table["joules_ratio_high"] < table["joules_ratio"] < table["joules_ratio_low"]


def test_what_placement_does_to_power_leaves_joules_alone(assumed):
    table = assumed[assumed["assumption"] == "packed"].set_index("metric")["value"]
    assert table["joules_ratio_high"] == table["joules_ratio_low"]
    assert table["megawatts_ratio_high"] < table["megawatts_ratio_low"]


@pytest.mark.parametrize("span", [[0.5, 0.4], [-0.1, 0.4], [0.1], [0.1, 0.2, 0.3]])
def test_a_range_that_is_none_is_refused(span):
    with pytest.raises(ValidationError):
        AssumptionsConfig(recognised=span)
