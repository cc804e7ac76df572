"""The table of throughputs, from a real run of pytest-benchmark with few elements."""

import numpy as np
import pytest
import torch

from jouleproof.errors import UserError
from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.studies.mx.config import MxConfig, ThroughputConfig
from jouleproof.studies.mx.experiments import throughput as experiment
from jouleproof.studies.mx.peers import quantizers
from tests.extension_example import formats as custom

CONFIG = ThroughputConfig(elements=8192, slow_elements=4096, threads=[1], passes=2, peer_passes=1)


@pytest.fixture(scope="module")
def table():
    return experiment.throughput(
        MxConfig(formats=["mxfp4", "tests.extension_example.formats:FORMAT"], throughput=CONFIG)
    )


def test_every_case_is_timed_once_per_pass(table):
    rates = table[table["metric"] == "throughput"]
    counts = rates.groupby(["operation", "library", "format", "out"]).size()
    assert counts["copy", "torch", "-", "given"] == counts["quantize", "jouleproof", "mxfp4", "new"] == 2
    assert counts["fake_quantize", "torchao", "mxfp4", "new"] == counts["fake_quantize", "gfloat", "mxfp4", "new"] == 1
    assert (rates["value"] > 0).all()


def test_a_format_of_the_users_own_is_timed_and_has_no_peers(table):
    rows = table[table["format"] == custom.FORMAT.name]
    assert set(rows["library"]) == {"jouleproof"}


def test_ratios_are_those_of_the_same_pass(table):
    keys = ["library", "operation", "format", "out", "repeat"]
    rates = table[table["metric"] == "throughput"].set_index(keys)["value"]
    for row in table[table["metric"] == "of_copy"].to_dict("records"):
        copy = rates["torch", "copy", "-", row["out"], row["repeat"]]
        assert row["value"] == pytest.approx(rates[tuple(row[key] for key in keys)] / copy, rel=1e-6)


def test_the_ratios_that_are_printed_are_medians_over_the_passes(table):
    printed = experiment.ratios(table)
    values = table[(table["metric"] == "of_copy") & (table["format"] == "mxfp4") & (table["out"] == "given")]
    median = values[values["operation"] == "quantize"]["value"].median()
    assert printed.loc[(1, "quantize", "mxfp4"), ("of_copy", "given")] == pytest.approx(median, abs=0.006)
    assert ("over_torchao", "given") in printed.columns


def test_first_calls_cost_more_where_nothing_is_compiled_yet(table):
    seconds = table[table["metric"].str.startswith("first_call")].set_index("metric")["value"]
    assert set(seconds.index) == {"first_call_compiled", "first_call_from_disk"} and (seconds > 0).all()


def test_what_the_others_are_timed_on_is_the_cast_that_they_claim():
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(4096, dtype=np.float32))
    casts = {
        (name, library): cast
        for name in FORMATS
        for (library, operation), cast in quantizers(name).items()
        if operation == "fake_quantize"
    }
    ours = {name: fake_quantize(x, name).numpy() for name in FORMATS}
    results = {key: np.asarray(cast(x), dtype=np.float32).reshape(-1) for key, cast in casts.items()}
    assert [key for key, theirs in results.items() if not (theirs == ours[key[0]]).mean() > 0.999] == []


def test_a_run_that_fails_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(experiment, "MICRO", tmp_path / "absent.py")
    with pytest.raises(UserError, match="pytest-benchmark failed"):
        experiment.throughput(MxConfig(formats=["mxfp4"], throughput=CONFIG))


@pytest.mark.parametrize(("cores", "counts"), [(1, [1]), (3, [1, 2, 3]), (64, [1, 2, 8])])
def test_no_more_threads_are_timed_than_there_are_cores(monkeypatch, cores, counts):
    monkeypatch.setattr(experiment, "cores", lambda: cores)
    assert experiment.thread_counts(MxConfig(throughput=CONFIG.model_copy(update={"threads": [8, 1, 2]}))) == counts
