import hashlib

import pytest

from jouleproof.inputs import catalogue, read_profile, read_trace
from jouleproof.inputs.stand_in import GENERATORS, splitwise

from .conftest import generated

SHA256 = {
    "acme-power": "fdb4f9f4f7284ccd8c7325bcac94aa11e17f46244ef4a9a715f0ec9bc5feb1e6",
    "bitbrains-fragments": "4eb80b48b99a8e31ed727147beb7e56facf4cea37ed409019657c3ff18b85ba7",
    "bitbrains-tasks": "ba6c2ab24f4aeb63c43222f37262e70690be0491ff876c4403d78665181afa5b",
    "azure-code": "01be1681bdd6830272ebcf5ae500f9d2988f49cc122d643ea2c8162d174b167b",
    "azure-conv": "0d1918f27224877cbc324cf45b9ce71aa374a71f97bebdf6c52c3172bf3eeaf3",
    "mlenergy-points": "a7063188411bd4154467c274af546122524b91e45d89ecf63746e5d78507c016",
    "surf-fragments": "63bb7e320102dc0b29ccce4e84568207ebe53bf3df3204c83052790cd5e3ba0e",
    "surf-tasks": "6dbc0988c0903f356ad54628286a30e83cf5bae271e51b3bc82315adc6e29a74",
    "splitwise-medians": "a0b0b81ba3f4c4dce274691eb328a8e1fc5c032cef31bfb13ec62b528bb7a15b",
    "gsm8k-test": "569406a4ee672b5f26ebf9c979794bea1232d4da2727f8182463e140f0cb2047",
    "gsm8k-train": "4a3004cf389145eaa6963cb3dec3f3309e51efd427de50ba43228ca109f43f68",
}


def test_every_generator_stands_in_for_an_input():
    assert {entry.stand_in for entry in catalogue().values()} - {None} == set(GENERATORS)


def test_a_seed_makes_the_same_bytes_on_any_machine():
    assert {name: hashlib.sha256(generated(name, 0)).hexdigest() for name in GENERATORS} == SHA256


def test_a_stand_in_is_text_with_plain_line_ends():
    texts = {name: generated(name, 0) for name in GENERATORS if not name.startswith(("bitbrains", "surf"))}
    assert [name for name, content in texts.items() if b"\r" in content or not content.endswith(b"\n")] == []
    for content in texts.values():
        content.decode("utf-8")


@pytest.mark.parametrize("name", ["azure-code", "azure-conv", "gsm8k-test"])
def test_another_seed_makes_another_stand_in(name):
    assert generated(name, 0) != generated(name, 1)


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    path = tmp_path_factory.mktemp("profile") / "perf_model.csv"
    path.write_bytes(splitwise.profile(0))
    return read_profile(path)


def test_the_profile_has_as_many_runs_as_the_real_one(profile):
    assert len(profile) == 1260
    groups = profile.groupby(["model", "hardware", "tensor_parallel"]).size()
    assert len(groups) == 12
    assert set(groups) == {105}


def test_the_profile_keeps_the_published_median_of_a_cell(profile):
    cell = profile[
        (profile.model == "bloom-176b")
        & (profile.hardware == "a100-80gb")
        & (profile.prompt_size == 512)
        & (profile.batch_size == 64)
    ]
    assert cell.prompt_time_s.median() == pytest.approx(11.25182795501314, rel=1e-9)
    assert cell.token_time_s.median() == pytest.approx(0.09658297453273645, rel=1e-9)


def test_machines_with_a_power_cap_are_the_published_assumption(profile):
    shape = ["model", "tensor_parallel", "prompt_size", "batch_size", "token_size"]
    by_hardware = {name: runs.groupby(shape).median(numeric_only=True) for name, runs in profile.groupby("hardware")}
    ratio = by_hardware["h100-80gb-pcap"] / by_hardware["h100-80gb"]
    assert ratio.prompt_time_s.to_numpy() == pytest.approx(1.3, rel=1e-6)
    assert ratio.token_time_s.to_numpy() == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("name", ["azure-code", "azure-conv"])
def test_a_generated_trace_has_the_format_of_the_real_one(name, tmp_path):
    (tmp_path / "trace.csv").write_bytes(generated(name, 0))
    trace = read_trace(tmp_path / "trace.csv")
    assert len(trace) == {"azure-code": 8819, "azure-conv": 19366}[name]
