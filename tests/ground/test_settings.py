"""The config of a run: the three sizes load, and a wrong knob is one line that names it."""

import json
import os
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from jouleproof.errors import UserError
from jouleproof.settings import Settings, label, read_settings, write_configs
from jouleproof.studies.mx.config import MxConfig
from jouleproof.study import read_config

CONFIGS = Path(__file__).resolve().parents[2] / "workflows" / "config"


def merged(size):
    """default.yaml with another size on top, as Snakemake merges a --configfile."""
    config = yaml.safe_load((CONFIGS / "default.yaml").read_text(encoding="utf-8"))
    update_config(config, yaml.safe_load((CONFIGS / f"{size}.yaml").read_text(encoding="utf-8")))
    return config


def message_of(config):
    with pytest.raises(UserError) as caught:
        read_settings(config, {})
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("size", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_every_size_loads_and_is_called_after_its_file(size):
    assert read_settings(merged(size), {}).size == size


def test_there_is_a_size_for_tests_for_reviewers_and_for_a_night():
    assert sorted(path.stem for path in CONFIGS.glob("*.yaml")) == ["default", "full", "tiny"]


def test_the_default_size_is_the_defaults_of_the_studies():
    assert read_settings(merged("default"), {}).mx == MxConfig()


def test_a_size_changes_what_it_names_and_keeps_the_rest():
    tiny = read_settings(merged("tiny"), {}).mx
    assert tiny.qsnr.vectors < MxConfig().qsnr.vectors
    assert (tiny.formats, tiny.qsnr.distributions) == (MxConfig().formats, MxConfig().qsnr.distributions)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (
            {"size": "mine", "sise": 1},
            "sise: no such knob; known here: size, note, inputs_dir, inputs, "
            "mx, phase_split, placement, slm_energy, joint, own_studies (got 1)",
        ),
        ({"size": "mine", "mx": {"formatz": []}}, "mx.formatz: no such knob; known here: formats, scales, qsnr, "),
        ({"size": "mine", "mx": {"qsnr": {"vectors": "many"}}}, "mx.qsnr.vectors: Input should be a valid integer"),
        ({"size": "mine", "mx": {"qsnr": {"seed": 1}}}, "mx.qsnr.seed: no such knob; known here: distributions, "),
        ({"size": "mine", "mx": {"qsnr": {"vectors": 1.5}}}, "mx.qsnr.vectors: "),
        ({"size": "mine", "mx": 3}, "mx: "),
        ({"size": "mine", "inputs": {"gsm8k_test": "never"}}, "inputs.gsm8k_test: Input should be 'auto'"),
        ({"size": "mine", "inputs": "stand-in"}, "inputs: "),
        ({"size": "Not a name"}, "size: "),
        ({}, "size: Field required"),
    ],
)
def test_a_wrong_knob_is_one_line_that_names_it(config, complaint):
    assert f"config: workflows/config: {complaint}" in message_of(config)


def test_an_input_that_is_not_in_the_catalogue_is_answered_with_those_that_are():
    message = message_of({"size": "mine", "inputs": {"gsm9k": "auto"}})
    assert message.startswith("config: inputs: gsm9k not in the catalogue; known: ") and "gsm8k_test" in message


def test_every_wrong_knob_gets_a_line():
    with pytest.raises(UserError) as caught:
        read_settings({"size": "mine", "a": 1, "b": 2}, {})
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("2.5", 2.5), ("1e1", 10.0)])
def test_a_number_that_the_command_line_gives_as_text_is_a_number(text, number):
    found = read_settings({"size": "mine", "mx": {"qsnr": {"degrees_of_freedom": text}}}, {})
    assert found.mx.qsnr.degrees_of_freedom == number


@pytest.mark.parametrize(
    ("config", "environment", "folder"),
    [
        ({}, {}, None),
        ({}, {"JOULEPROOF_INPUTS": ""}, None),
        ({}, {"JOULEPROOF_INPUTS": "there"}, "there"),
        ({"inputs_dir": "here"}, {"JOULEPROOF_INPUTS": "there"}, "here"),
        ({"inputs_dir": "here"}, {}, "here"),
    ],
)
def test_the_config_names_the_folder_of_inputs_and_else_the_environment(
    config, environment, folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    assert read_settings({"size": "mine", **config}, environment).inputs_dir == folder


@pytest.mark.parametrize(
    ("config", "environment", "where"),
    [({"inputs_dir": "nowhere"}, {}, "inputs_dir"), ({}, {"JOULEPROOF_INPUTS": "nowhere"}, "JOULEPROOF_INPUTS")],
)
def test_a_folder_of_inputs_that_is_not_there_is_found_before_any_job(config, environment, where):
    with pytest.raises(UserError, match=f"config: {where}: nowhere is not a folder"):
        read_settings({"size": "mine", **config}, environment)


@pytest.mark.parametrize(
    "mx",
    [
        {"formats": ["nothing"]},
        {"scales": ["nothing"]},
        {"scales": ["floor_clip_only"]},
        {"direct_cast": {"scales": ["nothing"]}},
        {"direct_cast": {"more_scales": {"nothing": ["even"]}}},
        {"direct_cast": {"more_scales": {"mxfp4": ["nothing"]}}},
        {"error_sources": {"others": ["nothing"]}},
        {"training": {"recipes": ["nothing"]}},
        {"training": {"scales": ["nothing"]}},
    ],
)
def test_a_name_that_is_not_known_is_found_before_any_job(mx):
    assert "is not known; built in: " in message_of({"size": "mine", "mx": mx})


def test_the_tiny_config_says_that_it_decides_nothing():
    assert "too small" in read_settings(merged("tiny"), {}).note
    assert read_settings(merged("default"), {}).note == ""


def test_the_whole_config_of_the_run_is_kept_for_the_report(tmp_path):
    write_configs(Settings(size="mine"), {"size": "mine"}, tmp_path)
    assert json.loads((tmp_path / "run.json").read_text()) == {"size": "mine"}


def test_each_study_gets_a_file_that_it_reads_as_its_config(tmp_path):
    settings = read_settings(merged("tiny"), {})
    write_configs(settings, {}, tmp_path)
    assert read_config(tmp_path / "mx.json", MxConfig) == settings.mx


def test_a_file_whose_content_stays_is_not_touched(tmp_path):
    settings = Settings(size="mine")
    write_configs(settings, {}, tmp_path)
    before = {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.iterdir()}
    write_configs(settings, {}, tmp_path)
    assert {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.iterdir()} == before


def test_a_changed_knob_changes_its_studys_file_alone(tmp_path):
    write_configs(Settings(size="mine"), {}, tmp_path)
    run = (tmp_path / "run.json").stat().st_ino
    write_configs(Settings(size="mine", mx=MxConfig(formats=["mxfp4"])), {}, tmp_path)
    assert json.loads((tmp_path / "mx.json").read_text())["formats"] == ["mxfp4"]
    assert (tmp_path / "run.json").stat().st_ino == run


def test_where_the_inputs_lie_is_in_no_studys_file(tmp_path):
    """Another folder with the same inputs must not remake a result."""
    write_configs(Settings(size="mine", inputs_dir="somewhere_else"), {}, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if "somewhere_else" in path.read_text()] == []


@pytest.mark.parametrize(
    ("config", "knob"),
    [
        ({"placement": {"precision": {"domains": True}}}, "placement.precision.domains"),
        ({"placement": {"frontier": {"margins": [float("inf")]}}}, "placement.frontier.margins"),
        ({"phase_split": {"load": {"drain": float("inf")}}}, "phase_split.load.drain"),
        ({"slm_energy": {"ladder_cost": {"rounds": 2.5}}}, "slm_energy.ladder_cost.rounds"),
    ],
)
def test_what_is_no_finite_number_of_its_kind_is_not_made_one(config, knob):
    assert knob in message_of({"size": "mine", **config})


def test_half_a_character_is_one_line():
    assert "half a character" in message_of({"size": "mine", "slm_energy": {"fine_tuning": {"large": "\ud800"}}})


def test_a_config_that_changes_is_newer_than_all_results_whatever_the_clock_says(tmp_path):
    write_configs(Settings(size="mine"), {}, tmp_path / "config")
    (tmp_path / "table").write_text("made while the clock was a year ahead")
    ahead = (tmp_path / "table").stat().st_mtime + 365 * 86400
    os.utime(tmp_path / "table", (ahead, ahead))
    write_configs(Settings(size="mine", mx=MxConfig(formats=["mxfp4"])), {}, tmp_path / "config")
    assert (tmp_path / "config/mx.json").stat().st_mtime > (tmp_path / "table").stat().st_mtime


def test_the_config_of_a_run_that_holds_the_lock_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_configs(Settings(size="mine"), {}, tmp_path / "config")
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.input.lock").touch()
    other = Settings(size="mine", mx=MxConfig(formats=["mxfp4"]))
    write_configs(other, {}, tmp_path / "config")
    assert read_config(tmp_path / "config/mx.json", MxConfig) == MxConfig()
    (tmp_path / ".snakemake/locks/0.input.lock").unlink()
    write_configs(other, {}, tmp_path / "config")
    assert read_config(tmp_path / "config/mx.json", MxConfig) == other.mx


@pytest.mark.parametrize("size", ["default", "tiny", "full"])
def test_a_run_is_filed_under_its_size_only_with_the_knobs_of_that_size(size):
    assert label(read_settings(merged(size), {}), CONFIGS) == size
    assert label(read_settings({**merged(size), "inputs": {"gsm8k_test": "stand-in"}}, {}), CONFIGS) == size
    changed = {**merged(size), "joint": {"draws": 100}}
    assert label(read_settings(changed, {}), CONFIGS) == f"{size}_changed"


def test_a_size_of_the_users_own_is_filed_under_its_name():
    assert label(read_settings({"size": "mine", "joint": {"draws": 100}}, {}), CONFIGS) == "mine"


@pytest.mark.parametrize("span", [[1.2, 1.4], [0.5, 1.1], [-0.1, 0.5], [0.6, 0.5]])
def test_a_share_lies_between_none_and_all(span):
    assert "is no range within 0 and 1" in message_of({"size": "mine", "joint": {"assumptions": {"recognised": span}}})
