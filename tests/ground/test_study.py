"""A study is declared by its package and checked as text before any job, whether it is built in or not."""

import ast
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from jouleproof.cli import app
from jouleproof.cli.claims import built_in_ledgers
from jouleproof.drawing.registry import folders_in, registry
from jouleproof.errors import UserError
from jouleproof.evidence.ledger import read_ledger, read_ledgers
from jouleproof.inputs import catalogue
from jouleproof.settings import check_sources, read_settings
from jouleproof.sources import code_named_in, reached, sources, statements_of
from jouleproof.study import Experiment, Study, built_in_studies, check_studies, find_study, in_order, load_study

ROOT = Path(__file__).resolve().parents[2]
HERE = "tests.ground.test_study"
EXAMPLE = "tests.extension_example"
ROTATION = f"{EXAMPLE}.rotation"
TOY = load_study("tests.ground.toy")


class NoMeter:
    name = "photograph"

    def begin(self): ...


class NoModel:
    name, context = "nothing", 1


NO_METER, NUMBER = NoMeter(), 3
STUDY = 3


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
        ({"mx": {"formats": [f"{HERE}:NUMBER"]}}, "mx.formats: format '{}:NUMBER' is a int, not a jouleproof.formats"),
        ({"mx": {"scales": [f"{HERE}:takes_one"]}}, "mx.scales: scale rule '{}:takes_one' cannot be called as (amax"),
        ({"mx": {"formats": [f"{EXAMPLE}.formats:GONE"]}}, "has no attribute 'GONE'"),
        (
            {"placement": {"policies": {"policies": [f"{HERE}:NUMBER"]}}},
            "placement.policies.policies: policy '{}:NUMBER' is a int, not a jouleproof.studies.placement.policy.Poli",
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
            "slm_energy.quality.models: language model '{}:takes_one' cannot be called as () -> jouleproof.studies.",
        ),
        (
            {"slm_energy": {"quality": {"tasks": [f"{HERE}:NUMBER"]}}},
            "slm_energy.quality.tasks: task '{}:NUMBER' is a int, not a jouleproof.studies.slm_energy.tasks.Task",
        ),
        (
            {"slm_energy": {"meters": {"meter": f"{HERE}:NO_METER"}}},
            "slm_energy.meters.meter: meter '{}:NO_METER' is a NoMeter, not a jouleproof.power.meters.Meter: lacks ",
        ),
        ({"studies": {"tests.nowhere": {}}}, "studies.tests.nowhere: study 'tests.nowhere:STUDY' cannot be loaded"),
        ({"studies": {HERE: {}}}, "{}:STUDY is a int, not a jouleproof.study.Study"),
        (
            {"studies": {ROTATION: {"vektors": 1}}},
            f"config: workflows/config: studies.{ROTATION}.vektors: no such knob; known here: formats",
        ),
        ({"own_studies": {ROTATION: {}}}, "config: own_studies has been renamed studies"),
    ],
)
def test_what_is_not_what_it_should_be_is_one_line_with_key_object_and_missing_part(config, complaint):
    assert complaint.replace("{}", HERE) in message_of(**config)


def test_a_model_that_lacks_parts_is_one_line_when_it_is_made():
    from jouleproof.studies.slm_energy.language_models import language_model

    with pytest.raises(
        UserError, match="returned NoModel, which lacks body, rounded, tokens, likelihoods, continued, text"
    ):
        language_model(f"{HERE}:no_model", {}, hub=False)


@pytest.mark.parametrize(
    ("experiment", "complaint"),
    [
        (3, "study toy: experiment x is a int, not a jouleproof.study.Experiment"),
        (Experiment("nowhere:dice"), "study toy: experiment x: there is no module tests.ground.toy.nowhere"),
        (Experiment("experiments:poker"), "tests.ground.toy.experiments has no function 'poker'; it has dice, read, "),
        (Experiment("experiments:dice", knobs=("side",)), "knobs: unknown knob side; known: sides, throws, data"),
        (Experiment("experiments:read", inputs=("gsm9k",)), "inputs: unknown input gsm9k; see `jouleproof inputs"),
        (
            Experiment("experiments:doubled", results=("raed",)),
            "results: unknown table toy/raed; toy has broken, dice, ",
        ),
        (
            Experiment("experiments:doubled", results=("poker/read",)),
            "unknown table poker/read; there is no study poker",
        ),
        (
            Experiment("experiments:dice", inputs=("gsm8k_test",)),
            "dice(config) is called with config, gsm8k_test; mismatch: gsm8k_test",
        ),
        (Experiment("experiments:read"), "read(gsm8k_test) is called with config; mismatch: gsm8k_test"),
        (Experiment("experiments:doubled", results=("read", "mx/read")), "unknown table mx/read; there is no study mx"),
    ],
)
def test_an_experiment_that_cannot_be_is_one_line_and_nothing_of_it_is_run(experiment, complaint):
    study = replace(TOY, experiments={**TOY.experiments, "x": experiment})
    with pytest.raises(UserError, match=re.escape(complaint)) as caught:
        check_studies([study], catalogue())
    assert "\n" not in str(caught.value)


def test_two_tables_of_one_name_and_a_name_that_is_none_are_refused():
    twice = replace(
        TOY, experiments={**TOY.experiments, "x": Experiment("experiments:doubled", results=("read", "up/read"))}
    )
    other = replace(TOY, name="up")
    with pytest.raises(UserError, match="experiment x: duplicate name 'read' among its inputs and tables"):
        check_studies([twice, other], catalogue())
    with pytest.raises(UserError, match="'Dice' is not a valid experiment name"):
        check_studies([replace(TOY, experiments={"Dice": Experiment("experiments:dice")})], catalogue())


def test_two_studies_of_one_name_are_refused():
    with pytest.raises(UserError, match=r"tests\.ground\.toy, tests\.ground\.toy: duplicate study name 'toy'"):
        check_studies([TOY, TOY], catalogue())


def test_tables_that_need_each_other_are_one_line_with_the_circle():
    first, second = Experiment("experiments:doubled", results=("read",)), Experiment("experiments:read", results=())
    circle = {"read": replace(second, function="experiments:timed", results=("doubled",)), "doubled": first}
    study = replace(TOY, experiments=circle)
    with pytest.raises(UserError, match=r"timed\(config\) is called with config, doubled") as caught:
        check_studies([study], catalogue())
    with pytest.raises(UserError, match="circular .* tables: toy/(read <- toy/doubled|doubled <- toy/read)"):
        from jouleproof import study as study_module

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(study_module, "_check_function", lambda *_: None)
            check_studies([study], catalogue())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["inputs", "Spin", "2d", "tables"])
def test_a_name_that_a_study_cannot_have_is_one_line(name, tmp_path, monkeypatch):
    write_study(tmp_path / f"named_{name.lower()}", name)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert (
        f"cannot be called {name!r}: a name has lower-case letters, digits and _, and is none of all, "
        in message_of(studies={f"named_{name.lower()}": {}})
    )


def write_study(folder, name=None):
    """Copy the example under the folder's name, or another."""
    shutil.copytree(ROOT / "tests/extension_example/rotation", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "__init__.py", folder / "claims.toml", folder / "figures/gain.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace("rotation.", f"{name or folder.name}.").replace('"rotation', f'"{name or folder.name}')
        )
    return folder


def test_built_in_studies_come_after_those_whose_tables_they_read():
    studies = built_in_studies()
    assert [study.name for study in studies] == ["mx", "phase_split", "placement", "slm_energy", "joint"]
    assert [study.name for study in in_order(reversed(studies))] == [study.name for study in studies]
    check_studies(studies, catalogue())


def test_a_study_is_found_by_its_name_or_its_package():
    assert find_study("mx").package == "jouleproof.studies.mx" and find_study("mx").built_in
    assert (find_study(ROTATION).name, find_study(ROTATION).built_in) == ("rotation", False)


def knobs_read(study, experiment):
    """Keys of the study's config that an experiment's code reads from an object called `config`, as far as its text
    shows."""
    return {
        node.attr
        for module, symbol in reached(study.object_name(experiment.function))
        if module.startswith(study.package)
        for statement in statements_of(module, symbol)
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute)
        and "config" in (getattr(node.value, "id", ""), getattr(node.value, "attr", ""))
        if node.attr in study.config.model_fields
    }


def test_every_experiment_lists_the_knobs_that_its_code_reads_and_no_others():
    wrong = [
        (study.name, name, sorted(listed ^ knobs_read(study, experiment)))
        for study in built_in_studies()
        for name, experiment in study.experiments.items()
        if (listed := set(study.config.model_fields if experiment.knobs is None else experiment.knobs))
        != knobs_read(study, experiment)
    ]
    assert wrong == []


def test_the_example_is_a_study_with_a_table_a_figure_and_a_claim(tmp_path):
    def run(*arguments):
        done = CliRunner().invoke(app, list(map(str, arguments)))
        assert done.exit_code == 0, done.output

    table = tmp_path / "rotation" / "gain.parquet"
    run("run", ROTATION, "gain", "--config", json.dumps({"vectors": 100, "seeds": list(range(8))}), "--out", table)
    run("draw", "rotation/gain", "--results", tmp_path, "--figures", ROOT / "figures", "--study", ROTATION)
    assert (tmp_path / "figures/rotation/gain.svg").stat().st_size > 1000
    ledgers = [f"--ledger={path}" for path in (*built_in_ledgers(), load_study(ROTATION).ledger)]
    run("claims", "judge", *ledgers, "--results", tmp_path)
    *others, row = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"))
    assert len({row["id"] for row in others}) == 55
    assert (row["id"], row["verdict"], row["tier"]) == ("rotation.outliers", "reproduced", "measured")


def test_a_study_joins_the_run_with_its_knobs_its_figure_and_its_claims():
    settings = read_settings({"size": "mine", "studies": {ROTATION: {"vectors": "7"}}}, {})
    assert settings.configs["rotation"].vectors == 7 and [study.name for study in settings.added] == ["rotation"]
    assert settings.ledgers[-1].parent.name == "rotation"
    built_in = folders_in(ROOT / "figures")
    figures = registry({**built_in, "rotation": settings.added[0].figures})
    assert set(figures) - set(registry(built_in)) == {"rotation/gain"}
    check_sources(settings, figures)


def test_a_new_study_is_one_folder_and_one_line_of_the_config(tmp_path, monkeypatch):
    write_study(tmp_path / "spin")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = read_settings({"size": "mine", "studies": {"spin": {}}}, {})
    (study,) = settings.added
    check_sources(settings, registry({**folders_in(ROOT / "figures"), "spin": study.figures}))
    assert (study.name, list(study.experiments), study.ledger) == ("spin", ["gain"], tmp_path / "spin/claims.toml")


def test_a_figure_that_reads_a_table_that_no_experiment_makes_is_one_line(tmp_path, monkeypatch):
    folder = write_study(tmp_path / "turned")
    (folder / "figures/gain.py").write_text(
        (folder / "figures/gain.py").read_text().replace("turned/gain", "turned/gian")
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = read_settings({"size": "mine", "studies": {"turned": {}}}, {})
    with pytest.raises(UserError, match=r"gain\.py: SOURCES: turned/gian is not an experiment; turned has gain"):
        check_sources(settings, registry({"turned": folder / "figures"}))


@pytest.mark.parametrize(
    ("name", "before", "after", "complaint"),
    [
        ("other", 'id = "other.outliers"', 'id = "rotation.outliers"', "its id must begin with 'other'"),
        ("bare", 'id = "bare.outliers"', "", "bare/claims.toml: a row without id: id: Field"),
        (
            "foreign",
            '"foreign/gain", metric',
            '"mx/qnsr", metric',
            "query.-: mx/qnsr is not an experiment; mx has conformance",
        ),
        (
            "swirl",
            '"swirl/gain", metric',
            '"swirl/gian", metric',
            "swirl/gian is not an experiment; swirl has gain",
        ),
    ],
)
def test_a_claim_that_is_not_the_studys_is_one_line(name, before, after, complaint, tmp_path, monkeypatch):
    path = write_study(tmp_path / name) / "claims.toml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert complaint in message_of(studies={name: {}})


def test_two_ledgers_with_one_id_are_refused():
    path = load_study(ROTATION).ledger
    assert [claim.id for claim in read_ledgers([path])] == [claim.id for claim in read_ledger(path)]
    with pytest.raises(UserError, match="duplicate id 'rotation.outliers'"):
        read_ledgers([path, path])


def test_code_that_a_config_names_is_an_input_whichever_key_names_it():
    config = yaml.safe_load((ROOT / "tests/extension_example/config.yaml").read_text())
    settings = read_settings({"size": "tiny", **config}, {})
    named = {
        "mx": ["formats"],
        "phase_split": ["cluster"],
        "placement": ["placement"],
        "slm_energy": ["meter", "small_models"],
    }
    folder = ROOT / "tests/extension_example"
    for study, modules in named.items():
        files = [Path(path) for path in code_named_in(settings.configs[study])]
        assert [path for path in files if path.is_relative_to(folder)] == [folder / f"{name}.py" for name in modules]
    assert code_named_in(read_settings({"size": "tiny"}, {}).configs["mx"]) == []


def test_the_code_of_an_experiment_is_followed_into_its_study_and_the_project():
    files = sources(f"{ROTATION}.experiments:gain")
    assert str(ROOT / "tests/extension_example/rotation/experiments.py") in files
    assert str(ROOT / "bench/jouleproof/formats/array.py") in files


def test_a_study_is_frozen():
    with pytest.raises(AttributeError):
        TOY.name = "other"
    assert isinstance(TOY, Study)
