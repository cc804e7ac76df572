"""Energy of one service by format, way of serving and share of requests that are answered elsewhere."""

import numpy as np
import pandas as pd
import pytest

from jouleproof.serving.config import LoadConfig
from jouleproof.serving.simulator.clusters import FAMILIES
from jouleproof.serving.simulator.simulate import simulate
from jouleproof.serving.simulator.workload import poisson_requests
from jouleproof.studies.phase_split.config import PhaseSplitConfig, ServiceEnergyConfig
from jouleproof.studies.phase_split.experiments import service_energy as experiment

RNG = np.random.default_rng(3)
TRACE = pd.DataFrame(
    {
        "arrival_s": np.sort(RNG.uniform(0, 600, 3000)),
        "prompt_tokens": RNG.integers(50, 2000, 3000),
        "output_tokens": RNG.integers(2, 400, 3000),
    }
)
DESIGN = FAMILIES["splitwise_hh"].design(2, 3)


@pytest.fixture(scope="module")
def served():
    return simulate(DESIGN, poisson_requests(TRACE, 4.0, 30.0, 0), model="llama2-70b", power_bin_s=experiment.BIN_S)


def test_the_parts_of_the_joules_are_all_of_them(served):
    assert sum(experiment.joules_by_part(served, DESIGN).values()) == pytest.approx(served.energy_all_j)


def test_hosts_draw_their_watts_from_the_first_to_the_last_event(served):
    assert experiment.joules_by_part(served, DESIGN)["host_j"] == pytest.approx(5 * 1000 * served.end_s)


def test_those_with_the_shortest_answers_go_first():
    left = experiment.without_the_short(TRACE, 0.4)
    assert len(left) == 1800
    gone = TRACE.drop(left.index)
    assert gone["output_tokens"].max() <= left["output_tokens"].min()
    assert left["arrival_s"].is_monotonic_increasing


def test_the_busiest_two_minutes_over_the_mean():
    at = [*np.arange(0, 120, 1.0), *np.arange(120, 240, 0.5), *np.arange(240, 300, 1.0)]
    assert experiment.peak_over_mean(pd.DataFrame({"arrival_s": at})) == pytest.approx(240 / 180)
    assert experiment.peak_over_mean(pd.DataFrame({"arrival_s": [0.0, 1.0]})) == 1.0


def test_rows_of_one_pool_need_more_where_pools_draw_unlike_powers():
    watts = np.repeat([6000.0, 3000.0], 10)[:, None] * np.ones(50)
    alike, mixed = [np.arange(10), np.arange(10, 20)], [np.arange(0, 20, 2), np.arange(1, 20, 2)]
    assert experiment._needed(watts, alike) == 6000.0 and experiment._needed(watts, mixed) == 4500.0


@pytest.fixture(scope="module")
def table():
    load = LoadConfig(seconds=20.0, warm_up=4.0, drain=2.0, hour_s=60.0)
    settings = ServiceEnergyConfig(rate=4.0, formats=["mxfp8_e4m3", "mxfp4"], precision=0.2)
    none = TRACE[:0]  # the other service has no requests
    return experiment.service_energy(PhaseSplitConfig(load=load, service_energy=settings), TRACE, none)


def test_every_case_is_served_in_every_way_at_every_level(table):
    cases = table[table["metric"] == "token_j"].groupby(["stored_as", "way", "taken", "which"])["level"].apply(set)
    assert len(cases) == 3 * 3 * 3 and all(levels == {0.5, 1.0} for levels in cases)


def test_fewer_bits_leave_fewer_joules_to_decoding(table):
    token_j = table[(table["metric"] == "token_j") & (table["level"] == 1.0) & (table["taken"] == 0.0)]
    by_form = token_j[token_j["way"] == "together"].set_index("stored_as")["value"]
    assert by_form["mxfp4"] < by_form["mxfp8_e4m3"] < by_form["16 bits"]
