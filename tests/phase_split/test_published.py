"""Results of the published simulator's own runs: latencies, and counters that distinguish its rules."""

import csv

import numpy as np
import pytest

from jouleproof.serving.simulator.machines import read_design
from jouleproof.serving.simulator.simulate import PUBLISHED, simulate
from jouleproof.serving.simulator.workload import read_requests
from tests.phase_split import REFERENCE

EXPECTED = list(csv.DictReader((REFERENCE / "expected.csv").open(encoding="utf-8")))
COUNTERS = {  # number of executed events and time of the last in the published runs
    ("code_100rps_60s.csv", "code|baseline_a100"): (15282, 102.71134631072667),
    ("code_100rps_60s.csv", "code|splitwise_hh"): (24533, 87.85449826607353),
    ("conv_40rps_60s.csv", "small|s_conv40_aa_5_3"): (6439, 199.07442198689384),
    ("conv_40rps_60s.csv", "small|s_conv40_ba_12"): (6429, 145.51569297967487),
}


def run_of(row):
    return simulate(
        read_design(REFERENCE / "clusters.json", row["design"]), read_requests(REFERENCE / row["trace"]), PUBLISHED
    )


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: f"{row['design']} on {row['trace']}")
def test_latencies_are_those_of_the_published_simulator(row):
    run = run_of(row)
    published_tbt = (run.e2e_s - run.ttft_s) / run.output
    for name, values in (("ttft", run.ttft_s), ("tbt", published_tbt), ("e2e", run.e2e_s)):
        for percent in (50, 90, 99):
            assert np.percentile(values, percent) == pytest.approx(float(row[f"{name}_p{percent}"]), rel=1e-9)


@pytest.mark.parametrize(("case", "counters"), COUNTERS.items())
def test_as_many_events_happen_and_the_last_at_the_same_time(case, counters):
    run = run_of({"trace": case[0], "design": case[1]})
    assert (run.events, run.end_s) == (counters[0], pytest.approx(counters[1], rel=1e-12))
