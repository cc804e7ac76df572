"""The config of a run: the three sizes load, and a wrong knob gives one line that names it."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config
from typer.testing import CliRunner

from jouleproof.cli import app
from jouleproof.errors import UserError
from jouleproof.settings import check_keys, label, read_settings
from jouleproof.studies.mx.config import MxConfig
from tests.slm_energy.small_models import TASK

OTHER = TASK
CONFIGS = Path(__file__).resolve().parents[2] / "workflows" / "config"


def merged(size):
    """Merge another size into default.yaml, as Snakemake merges a --configfile."""
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
    assert read_settings(merged("default"), {}).configs["mx"] == MxConfig()


def test_a_size_changes_what_it_names_and_keeps_the_rest():
    tiny = read_settings(merged("tiny"), {}).configs["mx"]
    assert tiny.qsnr.vectors < MxConfig().qsnr.vectors
    assert (tiny.formats, tiny.qsnr.distributions) == (MxConfig().formats, MxConfig().qsnr.distributions)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (
            {"size": "mine", "sise": 1},
            "sise: no such knob; known here: size, note, inputs_dir, inputs, results, quick, studies, "
            "mx, phase_split, placement, slm_energy, joint (got 1)",
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
    assert message.startswith("config: inputs: unknown input gsm9k; known: ") and "gsm8k_test" in message


@pytest.mark.parametrize("knob", [{"quality": {"tasks": ["sums", "sums"]}}, {"cost": {"shapes": ["smollm2_135m"] * 2}}])
def test_a_built_in_name_that_is_listed_twice_is_refused_before_any_job(knob):
    assert "duplicate name" in message_of({"size": "mine", "slm_energy": knob})


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"mx": {"formats": ["mxfp4", "mxfp4"]}}, "mx.formats: format: duplicate name 'mxfp4'"),
        ({"mx": {"qsnr": {"seeds": [1, 2, 1]}}}, "mx.qsnr.seeds: 1 is listed twice"),
        ({"mx": {"matvec": {"shapes": [[2, 2], [2, 2]]}}}, "mx.matvec.shapes: [2, 2] is listed twice"),
        ({"phase_split": {"beyond": {"accelerators": ["dgx-h100"] * 2}}}, "'dgx-h100' is listed twice"),
        ({"slm_energy": {"quality": {"formats": ["mxfp4"] * 2}}}, "duplicate name 'mxfp4'"),
        (
            {"slm_energy": {"quality": {"tasks": ["tests.slm_energy.small_models:TASK", f"{__name__}:OTHER"]}}},
            "duplicate name 'lengths'",
        ),
    ],
)
def test_what_a_list_has_twice_is_refused(config, complaint):
    assert complaint in message_of({"size": "mine", **config})


def test_a_pair_may_have_two_equal_ends():
    read_settings({"size": "mine", "phase_split": {"week": {"pools": [8, 8]}}}, {})


def test_knobs_whose_bracket_is_not_closed_are_said_to_be_so():
    message = message_of({"size": "mine", "mx": "{formats: [mxfp4"})
    assert "mx: expected knobs, as {key: value}; a bracket is not closed (got '{formats: [mxfp4')" in message
    assert message_of({"size": "mine", "mx": 3}).endswith("mx: expected knobs, as {key: value} (got 3)")


@pytest.mark.parametrize(
    ("placement", "complaint"),
    [
        ({"fleet": {"trace": "nowhere"}}, "placement.fleet.trace: nowhere is not a file"),
        ({"fleet": {"trace": "~/nowhere.csv"}}, "/nowhere.csv is not a file"),
        ({"fleet": {"trace": "~nobody_at_all/x.csv"}}, "~nobody_at_all/x.csv is not a file"),
        ({"fleet": {"trace": "$HOME/here.csv"}}, "$HOME/here.csv is not a file"),
        ({"fleet": {"trace": f"{__name__}:CONFIGS"}}, "not a function () -> a pandas.DataFrame"),
        ({"reality": {"google": ["folder"]}}, "placement.reality.google.0: folder is not a file"),
    ],
)
def test_a_path_that_is_no_file_is_found_before_any_job(placement, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "folder").mkdir()
    (tmp_path / "here.csv").touch()
    assert complaint in message_of({"size": "mine", "placement": placement})


def test_a_tilde_is_a_home_wherever_a_config_names_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "trace").touch()
    knobs = {"fleet": {"trace": "~/trace"}, "reality": {"google": ["~/trace"]}}
    settings = read_settings({"size": "mine", "inputs_dir": "~", "results": "~/out", "placement": knobs}, {})
    assert (settings.inputs_dir, settings.results) == (str(tmp_path), f"{tmp_path}/out")
    placement = settings.configs["placement"]
    assert [placement.fleet.trace, *placement.reality.google] == [f"{tmp_path}/trace"] * 2
    assert read_settings({"size": "mine"}, {"JOULEPROOF_INPUTS": "~"}).inputs_dir == str(tmp_path)


def test_every_wrong_knob_gets_a_line():
    with pytest.raises(UserError) as caught:
        read_settings({"size": "mine", "a": 1, "b": 2}, {})
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("2.5", 2.5), ("1e1", 10.0)])
def test_a_number_that_the_command_line_gives_as_text_is_a_number(text, number):
    settings = read_settings({"size": "mine", "mx": {"qsnr": {"degrees_of_freedom": text}}}, {})
    assert settings.configs["mx"].qsnr.degrees_of_freedom == number


def test_a_truth_that_the_command_line_gives_as_text_is_one():
    assert read_settings({"size": "mine", "quick": "true"}, {}).quick
    settings = read_settings({"size": "mine", "slm_energy": {"quality": {"hub": "False"}}}, {})
    assert settings.configs["slm_energy"].quality.hub is False


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


def test_a_name_that_an_installed_package_registers_is_its_object_and_no_built_in_one(tmp_path, monkeypatch):
    (tmp_path / "mine-1.dist-info").mkdir()
    (tmp_path / "mine-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    example = "tests.extension_example.formats:FORMAT"
    (tmp_path / "mine-1.dist-info" / "entry_points.txt").write_text(
        f"[jouleproof.formats]\ne3m4 = {example}\nmxfp4 = {example}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = read_settings({"size": "mine", "mx": {"formats": ["mxfp4", "e3m4"]}}, {})
    assert settings.configs["mx"].formats == ["mxfp4", example]
    assert "scale rule 'e3m4' is not known" in message_of({"size": "mine", "mx": {"scales": ["e3m4"]}})


def test_the_names_of_the_tiny_config_are_checked_without_large_libraries():
    code = (
        "import sys, yaml; from jouleproof.settings import read_settings; "
        f"read_settings(yaml.safe_load(open({str(CONFIGS / 'tiny.yaml')!r})), {{}}); "
        "print(*{'torch', 'transformers', 'seaborn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_tiny_config_says_that_it_decides_nothing():
    assert "too small" in read_settings(merged("tiny"), {}).note
    assert read_settings(merged("default"), {}).note == ""


def test_an_experiments_rule_has_the_knobs_that_it_reads_and_no_others():
    settings = read_settings(merged("tiny"), {})
    (mx, *_) = settings.studies
    before = {name: mx.knobs_json(experiment, settings.configs["mx"]) for name, experiment in mx.experiments.items()}
    other = read_settings({**merged("tiny"), "mx": {**merged("tiny")["mx"], "qsnr": {"vectors": 3000}}}, {})
    changed = [
        name
        for name, experiment in mx.experiments.items()
        if mx.knobs_json(experiment, other.configs["mx"]) != before[name]
    ]
    assert changed == ["qsnr", "silicon"]


def test_where_the_inputs_and_the_results_are_is_not_a_knob_of_an_experiment(tmp_path):
    """Another folder with the same inputs must not cause a result to be made again."""
    settings = read_settings({"size": "mine", "inputs_dir": str(tmp_path), "results": "elsewhere"}, {})
    texts = [
        study.knobs_json(experiment, settings.configs[study.name])
        for study in settings.studies
        for experiment in study.experiments.values()
    ]
    assert not [text for text in texts if str(tmp_path) in text or "elsewhere" in text]


@pytest.mark.parametrize("folder", ["two words", "{wild}", "", "o'clock"])
def test_a_folder_of_results_that_no_rule_could_name_is_one_line(folder):
    assert "results: String should match pattern" in message_of({"size": "mine", "results": folder})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("size: mine\nmx: {}\nmx:\n  qsnr: {}\n", "line 3: duplicate key 'mx'"),
        ("size: mine\nmx:\n  qsnr: {vectors: 1}\n  qsnr: {}\n", "line 4: duplicate key 'mx.qsnr'"),
        ("studies:\n  spin: {vectors: 1, vectors: 2}\n", "line 2: duplicate key 'studies.spin.vectors'"),
    ],
)
def test_a_key_that_stands_twice_in_a_config_is_one_line_with_its_line(text, complaint, tmp_path):
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=complaint):
        check_keys(tmp_path / "mine.yaml")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_config_of_ours_has_a_key_twice(path):
    check_keys(path)


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


def test_a_lone_surrogate_is_one_line():
    assert "lone surrogate" in message_of({"size": "mine", "slm_energy": {"fine_tuning": {"large": "\ud800"}}})


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
    assert "expected 0 <= low <= high <= 1, got" in message_of(
        {"size": "mine", "joint": {"assumptions": {"recognised": span}}}
    )


@pytest.fixture
def check(tmp_path):
    """Return a function that runs `jouleproof check` on files of these contents."""

    def check(*contents):
        paths = [tmp_path / f"config{number}.yaml" for number, _ in enumerate(contents)]
        for path, content in zip(paths, contents, strict=True):
            if content is not None:
                path.write_bytes(content)
        return CliRunner().invoke(app, ["check", *map(str, paths)]), paths[-1]

    return check


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"mx: {qsnr: {vectors: 3\n", ": line 2: not YAML (expected ',' or '}', but got '<stream end>')"),
        (b"mx:\n\tqsnr: {}\n", ": line 2: not YAML (found character '\\t' that cannot start any token)"),
        (b"- mx\n", ": expected keys, as in "),
        (b"", ": expected keys, as in "),
        (b"\xff", "cannot be read ("),
        (b"mx: {}\nmx: {}\n", ": line 2: duplicate key 'mx'"),
        (b"mx: {qsnr: {vectors: ten}}\n", "mx.qsnr.vectors: Input should be a valid integer (got 'ten')"),
        (b"size: mine\nmx: {qsnr: {vectrs: 10}}\n", "mx.qsnr.vectrs: no such knob; known here: "),
    ],
)
def test_a_wrong_config_file_is_one_line_that_names_file_and_line(check, content, complaint):
    done, path = check(b"size: mine\n", content)
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1 and complaint in done.stderr
    if "mx.qsnr" not in complaint:
        assert str(path) in done.stderr


def test_of_several_config_files_the_last_one_counts(check):
    assert check(b"mx: {qsnr: {vectors: ten}}\n", b"size: mine\nmx: {qsnr: {vectors: 10}}\n")[0].exit_code == 0
