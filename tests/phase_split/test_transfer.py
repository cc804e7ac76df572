"""Transfers of caches: the time that a slow link adds, and where there is no row."""

import pytest

from jouleproof.inputs import read_trace
from jouleproof.inputs.stand_in import azure
from jouleproof.serving.config import LoadConfig
from jouleproof.studies.phase_split.config import PhaseSplitConfig, TransferConfig
from jouleproof.studies.phase_split.experiments.transfer import transfer


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traces")
    config = PhaseSplitConfig(
        load=LoadConfig(seconds=60.0, warm_up=2.0, drain=1.0, hour_s=30.0),
        transfer=TransferConfig(rates={"code": 100.0}, gbit_per_s=[20.0, 1600.0], seeds=[1, 2]),
    )
    traces = {}
    for name, content in (("conv", azure.conv_trace(0)), ("code", azure.code_trace(0))):
        (folder / name).write_bytes(content)
        traces[name] = read_trace(folder / name)
    return transfer(config, azure_conv=traces["conv"], azure_code=traces["code"])


def test_a_run_whose_requests_wait_for_ever_has_no_row(table):
    corrected = table[(table["way"] == "layers") & (table["version"] == "corrected")]
    assert set(corrected["gbit_per_s"]) == {0.0, 1600.0}


def test_faster_links_add_less(table):
    means = table.groupby(["version", "way", "gbit_per_s"])["value"].mean()
    assert means["published", "whole", 20.0] > means["published", "whole", 1600.0] > 0
