"""Transfers of caches: the time that a slow link adds, and the case without a row."""

import pytest

from jouleproof.inputs import read_trace
from jouleproof.inputs.resolve import COMMITTED
from jouleproof.serving.config import LoadConfig
from jouleproof.studies.phase_split.config import PhaseSplitConfig, TransferConfig
from jouleproof.studies.phase_split.experiments.transfer import transfer


@pytest.fixture(scope="module")
def table():
    config = PhaseSplitConfig(
        load=LoadConfig(seconds=60.0, warm_up=2.0, drain=1.0, hour_s=30.0),
        transfer=TransferConfig(rates={"code": 100.0}, gbit_per_s=[20.0, 1600.0], seeds=[1, 2]),
    )
    traces = {name: read_trace(COMMITTED / f"{name}.parquet") for name in ("azure_conv", "azure_code")}
    return transfer(config, **traces)


def test_a_run_whose_requests_wait_for_ever_has_no_row(table):
    corrected = table[(table["way"] == "layers") & (table["version"] == "corrected")]
    assert set(corrected["gbit_per_s"]) == {0.0, 1600.0}


def test_faster_links_add_less(table):
    means = table.groupby(["version", "way", "gbit_per_s"])["value"].mean()
    assert means["published", "whole", 20.0] > means["published", "whole", 1600.0] > 0
