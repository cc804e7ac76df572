"""A whole study of a user's own by its package's name, and what is said of objects that are not what they should be."""

import json
import re

import matplotlib as mpl
import pytest
import yaml
from typer.testing import CliRunner

from jouleproof import own
from jouleproof.drawing.draw import app as figures_app
from jouleproof.drawing.registry import registry
from jouleproof.errors import UserError
from jouleproof.evidence import tables
from jouleproof.evidence.cli import app as claims_app
from jouleproof.evidence.ledger import read_ledger, read_ledgers
from jouleproof.own import main, own_study
from jouleproof.settings import read_settings, write_configs
from jouleproof.sources import ROOT, own_files, own_sources, sources
from jouleproof.study import Experiment

HERE = "tests.ground.test_own"
EXAMPLE = "tests.extension_example"
ROTATION = f"{EXAMPLE}.rotation"


class NoMeter:
    name = "photograph"

    def begin(self): ...


class NoModel:
    name, context = "nothing", 1


NO_METER, NUMBER = NoMeter(), 3


def no_model():
    return NoModel()


def takes_one(x): ...


def message_of(**config):
    with pytest.raises(UserError) as caught:
        read_settings({"size": "mine", **config}, {})
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (
            {"mx": {"formats": [f"{HERE}:NUMBER"]}},
            "mx.formats: format '{}:NUMBER' is a int, not a jouleproof.formats.MXForm",
        ),
        (
            {"mx": {"scales": [f"{HERE}:takes_one"]}},
            "mx.scales: scale rule '{}:takes_one' cannot be called as (amax, fm",
        ),
        ({"mx": {"formats": [f"{EXAMPLE}.formats:GONE"]}}, "has no attribute 'GONE'"),
        (
            {"placement": {"policies": {"policies": [f"{HERE}:NUMBER"]}}},
            "placement.policies.policies: policy '{}:NUMBER' is a int, not a jouleproof.studies.placement.policy.Policy",
        ),
        (
            {"placement": {"prediction": {"predictors": [f"{HERE}:takes_one"]}}},
            "placement.prediction.predictors: predictor '{}:takes_one' cannot be called as (profiles, seen, fleet)",
        ),
        (
            {"phase_split": {"designs": [f"{HERE}:NUMBER"]}},
            "phase_split.designs: design '{}:NUMBER' is a int, not a jouleproof.serving.simulator.machines.Design",
        ),
        (
            {"slm_energy": {"quality": {"models": [f"{HERE}:takes_one"]}}},
            "slm_energy.quality.models: language model '{}:takes_one' cannot be called as () -> jouleproof.studies.slm_energy.tasks",
        ),
        (
            {"slm_energy": {"quality": {"tasks": [f"{HERE}:NUMBER"]}}},
            "slm_energy.quality.tasks: task '{}:NUMBER' is a int, not a jouleproof.studies.slm_energy.tasks.Task",
        ),
        (
            {"slm_energy": {"meters": {"meter": f"{HERE}:NO_METER"}}},
            "slm_energy.meters.meter: meter '{}:NO_METER' is a NoMeter, not a jouleproof.power.meters.Meter: lacks descr",
        ),
        (
            {"own_studies": {"tests.nowhere": {}}},
            "own_studies.tests.nowhere: study 'tests.nowhere.experiments:Config' cannot be loaded: ModuleNotFoundError",
        ),
        ({"own_studies": {"tests.mx": {}}}, "own_studies.tests.mx: the study 'tests.mx' cannot be called 'mx'"),
        (
            {"own_studies": {ROTATION: {"vektors": 1}}},
            f"config: workflows/config: own_studies.{ROTATION}.vektors: no such knob; known here: formats",
        ),
    ],
)
def test_what_is_not_what_it_should_be_is_one_line_with_key_object_and_missing_part(config, complaint):
    assert complaint.replace("{}", HERE) in message_of(**config)


def test_a_model_that_lacks_parts_is_one_line_when_it_is_made():
    from jouleproof.studies.slm_energy.language_models import language_model

    with pytest.raises(
        UserError, match="made a NoModel that lacks body, rounded, tokens, likelihoods, continued, text"
    ):
        language_model(f"{HERE}:no_model", {}, hub=False)


@pytest.mark.parametrize(
    ("experiments", "complaint"),
    [
        ([], "is a list, not a mapping of names to jouleproof.study.Experiment"),
        ({"Gain": Experiment(takes_one)}, "'Gain' is no name of a table"),
        ({"gain": takes_one}, "gain is a function, not a jouleproof.study.Experiment"),
        ({"gain": Experiment(no_model)}, "gain: run cannot be called as (job) -> table: too many positional arguments"),
        ({"gain": Experiment(takes_one, results=("loss",))}, "gain: results: no experiment loss in this study"),
    ],
)
def test_experiments_that_are_none_are_one_line(experiments, complaint):
    with pytest.raises(UserError, match=re.escape(complaint)):
        own._check_experiments("mine.experiments:EXPERIMENTS", experiments)


def test_the_example_is_a_study_with_a_table_a_figure_and_a_claim(tmp_path, monkeypatch):
    study = own_study(ROTATION, {"vectors": 100, "seeds": list(range(8))})
    assert (study.name, list(study.experiments)) == ("rotation", ["gain"])
    (tmp_path / "config.json").write_text(study.config.model_dump_json(), encoding="utf-8")
    table = tmp_path / "rotation" / "gain.parquet"
    with pytest.raises(SystemExit, match="0"):
        main([ROTATION, "gain", "--config", str(tmp_path / "config.json"), "--out", str(table)])
    assert len(tables.read(table)) == 2 * 3 * 8
    run = CliRunner().invoke
    made = run(figures_app, ["rotation/gain", "--results", str(tmp_path), "--own", ROTATION])
    assert made.exit_code == 0 and (tmp_path / "figures/rotation/gain.svg").stat().st_size > 1000
    ledgers = ["--ledger", "paper/claims.toml", "--ledger", str(study.ledger)]
    out = tmp_path / "verdicts.json"
    assert run(claims_app, ["judge", *ledgers, "--results", str(tmp_path), "--out", str(out)]).exit_code == 0
    *others, row = json.loads(out.read_text(encoding="utf-8"))
    assert len({row["id"] for row in others}) == 55
    assert (row["id"], row["verdict"], row["tier"]) == ("rotation.outliers", "reproduced", "measured")
    assert mpl.get_backend().lower() == "agg"


def test_a_run_gets_the_config_of_each_of_its_studies(tmp_path):
    config = {"size": "mine", "own_studies": {ROTATION: {"vectors": "7"}}}
    write_configs(read_settings(config, {}), config, tmp_path)
    assert json.loads((tmp_path / "rotation.json").read_text(encoding="utf-8"))["vectors"] == 7


def test_its_figure_joins_the_registry_and_the_others_stay():
    found = registry((ROTATION,))
    assert set(found) - set(registry()) == {"rotation/gain"}
    assert found["rotation/gain"].module == f"{ROTATION}.figures.gain"


@pytest.mark.parametrize(
    ("name", "claims", "complaint"),
    [
        ("spin", 'id = "other.outliers"', "its id must begin with 'spin'"),
        ("spun", "", "spun/claims.toml: a row without id: id: Field"),
    ],
)
def test_a_claim_that_is_not_the_studys_is_one_line(name, claims, complaint, tmp_path, monkeypatch):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "experiments.py").write_text(f"from {ROTATION}.experiments import Config, EXPERIMENTS\n")
    text = own_study(ROTATION, {}).ledger.read_text(encoding="utf-8")
    (folder / "claims.toml").write_text(text.replace('id = "rotation.outliers"', claims), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert complaint in message_of(own_studies={name: {}})


def test_a_claim_that_asks_for_a_table_that_the_study_has_not_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "swirl").mkdir()
    (tmp_path / "swirl" / "experiments.py").write_text(f"from {ROTATION}.experiments import Config, EXPERIMENTS\n")
    text = own_study(ROTATION, {}).ledger.read_text(encoding="utf-8").replace("rotation", "swirl")
    (tmp_path / "swirl" / "claims.toml").write_text(text.replace('"swirl/gain", metric', '"swirl/gian", metric'))
    monkeypatch.syspath_prepend(str(tmp_path))
    said = message_of(own_studies={"swirl": {}})
    assert "swirl.outliers: swirl/gian is no experiment of swirl.experiments; it has gain" in said


def test_a_figure_that_lacks_a_part_is_one_line_with_its_file(tmp_path, monkeypatch):
    (tmp_path / "whirl" / "figures").mkdir(parents=True)
    (tmp_path / "whirl" / "experiments.py").touch()
    (tmp_path / "whirl" / "figures" / "bare.py").write_text("def draw(x): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=r"own_studies\.whirl: .*bare\.py: a figure needs a docstring, TITLE, SOURCES"):
        registry(("whirl",))


def test_two_ledgers_with_one_id_are_refused():
    path = own_study(ROTATION, {}).ledger
    assert [claim.id for claim in read_ledgers([path])] == [claim.id for claim in read_ledger(path)]
    with pytest.raises(UserError, match="rotation.outliers stands there twice"):
        read_ledgers([path, path])


def test_the_sources_of_an_own_object_are_its_file_and_what_it_imports(tmp_path, monkeypatch):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "a.py").write_text("from . import b\nfrom .inner import c\nimport json, jouleproof.errors\n")
    (tmp_path / "pack" / "b.py").write_text("import numpy\n")
    (tmp_path / "pack" / "inner").mkdir()
    (tmp_path / "pack" / "inner" / "c.py").write_text("from .. import d\n")
    (tmp_path / "pack" / "d.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    found = own_sources(["pack.a:THING", "mean", "random"])
    assert found == sorted([*(str(tmp_path / "pack" / f"{name}.py") for name in ("a", "b", "d", "inner/c")),
                            *sources("jouleproof.errors")])  # fmt: skip
    assert f"{EXAMPLE.replace('.', '/')}/cluster.py" in own_sources([f"{EXAMPLE}.cluster:DESIGN"])


def test_code_that_a_config_names_is_an_input_whichever_key_names_it():
    config = yaml.safe_load((ROOT / "tests/extension_example/config.yaml").read_text())
    settings = read_settings({"size": "tiny", **config}, {})
    named = {"mx": ["formats"], "phase_split": ["cluster"], "placement": ["placement"],
             "slm_energy": ["meter", "small_models"]}  # fmt: skip
    for study, modules in named.items():
        found = own_files(getattr(settings, study))
        assert [f"tests/extension_example/{name}.py" for name in modules] == [
            path for path in found if path.startswith("tests/extension_example/") and "__init__" not in path
        ]
    assert own_files(read_settings({"size": "tiny"}, {}).mx) == []
