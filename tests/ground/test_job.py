"""One experiment as a job: `jouleproof run`, on a toy study."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jouleproof.cli import app
from jouleproof.evidence import tables
from jouleproof.evidence.provenance import read_provenance
from jouleproof.inputs import entry
from jouleproof.inputs.stand_in import generate
from jouleproof.measure.threads import VARIABLES
from tests.ground.toy import experiments

INPUT = "gsm8k_test"
TOY = "tests.ground.toy"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs an experiment of the toy study and returns its output."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "1")

    def run(experiment, *arguments, config="{}"):
        where = ("--config", config, "--out", tmp_path / "toy" / f"{experiment}.parquet")
        done = CliRunner().invoke(app, ["run", TOY, experiment, *map(str, (*where, *arguments))])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


@pytest.fixture(scope="module")
def content():
    return generate(entry(INPUT).stand_in, 0)


@pytest.fixture
def record(tmp_path, content):
    """Make a resolved stand-in."""
    (name,) = entry(INPUT).named
    folder = tmp_path / "inputs"
    (folder / INPUT).mkdir(parents=True)
    (folder / INPUT / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    record = {
        "id": INPUT,
        "title": "Problems",
        "origin": "stand-in",
        "files": {name: {"path": f"{INPUT}/{name}", "bytes": len(content), "sha256": digest}},
        "licence": "MIT",
        "citation": "Nobody 2020",
    }
    (folder / f"{INPUT}.json").write_text(json.dumps(record), encoding="utf-8")
    return folder / f"{INPUT}.json"


def one_line(done):
    assert (done.exit_code, len(done.stderr.splitlines()), done.stdout) == (1, 1, "")
    return done.stderr


def test_an_experiment_writes_its_table_and_its_provenance_and_nothing_else(run, tmp_path):
    assert run("dice", config='{"sides": 20}').exit_code == 0
    assert tables.read(tmp_path / "toy/dice.parquet")["value"].tolist() == [20]
    assert sorted(path.name for path in (tmp_path / "toy").iterdir()) == ["dice.parquet", "dice.provenance.json"]


def test_provenance_names_the_result_and_whether_it_holds_timings(run, tmp_path):
    run("dice")
    run("timed")
    records = [read_provenance(tmp_path / f"toy/{name}.parquet") for name in ("dice", "timed")]
    assert [(one["result"], one["timed"], one["inputs"]) for one in records] == [
        ("dice.parquet", False, {}),
        ("timed.parquet", True, {}),
    ]


def test_a_default_that_was_written_out_has_the_hash_of_one_that_was_not(run, tmp_path):
    hashes = set()
    for config in ("{}", '{"sides": 6}'):
        run("dice", config=config)
        hashes.add(read_provenance(tmp_path / "toy/dice.parquet")["config_sha256"])
    assert len(hashes) == 1


def test_an_input_reaches_the_experiment_as_its_reader_reads_it_and_its_origin_the_provenance(run, record, tmp_path):
    assert run("read", "--input", record).exit_code == 0
    assert read_provenance(tmp_path / "toy/read.parquet")["inputs"][INPUT]["origin"] == "stand-in"
    assert tables.read(tmp_path / "toy/read.parquet")["value"][0] > 100


def test_a_file_that_the_config_names_is_in_the_provenance_with_its_hash(run, tmp_path):
    (tmp_path / "mine.csv").write_text("1,2")
    assert run("dice", config=json.dumps({"data": str(tmp_path / "mine.csv")})).exit_code == 0
    digest = hashlib.sha256(b"1,2").hexdigest()
    hashes = {"bytes of mine.csv": 3, "sha256 of mine.csv": digest}
    assert read_provenance(tmp_path / "toy/dice.parquet")["inputs"] == {
        str(tmp_path / "mine.csv"): {"origin": "local", "licence": "the user's own", **hashes}
    }


def test_every_file_of_a_folder_that_the_config_names_is_in_the_provenance(run, tmp_path):
    for name in ("a/weights.bin", "b/weights.bin"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
    assert run("dice", config=json.dumps({"data": f"folder:{tmp_path / 'a'}"})).exit_code == 0
    (entry,) = read_provenance(tmp_path / "toy/dice.parquet")["inputs"].items()
    assert entry[0] == str(tmp_path / "a")
    assert entry[1]["sha256 of weights.bin"] == hashlib.sha256(b"a/weights.bin").hexdigest()


def test_the_users_code_is_in_the_provenance_with_its_hash(run, tmp_path):
    run("dice")
    code = json.loads((tmp_path / "toy/dice.provenance.json").read_text())["user_code"]
    ((file, digest),) = code.items()
    assert file == experiments.__file__ and digest == hashlib.sha256(Path(file).read_bytes()).hexdigest()


def test_two_files_of_one_name_are_refused_and_not_one_of_them_taken(run, record, tmp_path):
    run("read", "--input", record)
    table = tmp_path / "toy/read.parquet"
    for folder in ("one/toy", "other/toy", "third"):
        (tmp_path / folder).mkdir(parents=True)
        for suffix in (".parquet", ".provenance.json"):
            shutil.copy(table.with_suffix(suffix), tmp_path / folder)
    twice = ("--table", tmp_path / "one/toy/read.parquet", "--table", tmp_path / "other/toy/read.parquet")
    assert one_line(run("doubled", *twice)).startswith("toy doubled: --table: two files are called toy/read")
    assert run("doubled", "--table", tmp_path / "third/read.parquet").exit_code == 0
    assert "--input: two files are called gsm8k_test" in one_line(run("read", "--input", record, "--input", record))


def test_a_path_that_the_shell_leaves_with_a_tilde_is_in_the_home(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "toy.yaml").write_text("sides: 8\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["run", TOY, "dice", "--out=~/toy/dice.parquet", "--config=~/toy.yaml"])
    assert done.exit_code == 0 and tables.read(tmp_path / "toy/dice.parquet")["value"].tolist() == [8]


def test_an_input_that_the_experiment_does_not_need_is_not_in_its_provenance(run, record, tmp_path):
    run("dice", "--input", record)
    assert read_provenance(tmp_path / "toy/dice.parquet")["inputs"] == {}


def test_what_rests_on_a_table_of_another_experiment_names_the_inputs_of_that(run, record, tmp_path):
    run("read", "--input", record)
    assert run("doubled", "--table", tmp_path / "toy/read.parquet").exit_code == 0
    read, doubled = (tables.read(tmp_path / f"toy/{name}.parquet")["value"][0] for name in ("read", "doubled"))
    assert doubled == 2 * read
    assert read_provenance(tmp_path / "toy/doubled.parquet")["inputs"][INPUT]["origin"] == "stand-in"


GROWN = """
from pydantic import BaseModel
from jouleproof.evidence.tables import tidy
from jouleproof.study import Experiment, Study


class Config(BaseModel):
    pass


STUDY = Study("grown", "Grown", config=Config, checkpoints="made:trained", experiments={
    "asked": Experiment("made:asked", checkpoints=("*",))})
"""
MADE = """
from jouleproof.evidence.tables import tidy
from jouleproof.study import Experiment


def trained(config):
    return {"model": Experiment("made:fit", results=("toy/read",))}


def fit(config, read, out):
    out.parent.mkdir()
    out.write_bytes(b"weights")


def asked(config, checkpoints):
    return tidy([{"value": 1.0}], metric="m", unit="1", tier="measured")
"""


def test_what_rests_on_a_checkpoint_names_the_inputs_of_the_tables_that_it_was_trained_on(
    run, record, tmp_path, monkeypatch
):
    (tmp_path / "grown").mkdir()
    (tmp_path / "grown/__init__.py").write_text(GROWN)
    (tmp_path / "grown/made.py").write_text(MADE)
    monkeypatch.syspath_prepend(str(tmp_path))
    run("read", "--input", record)
    model, table = tmp_path / "checkpoints/model.safetensors", tmp_path / "grown/asked.parquet"
    for words in (
        ["train", "grown", "made:fit", "model", "--out", model, "--table", tmp_path / "toy/read.parquet"],
        ["run", "grown", "asked", "--out", table, "--checkpoint", model],
    ):
        done = CliRunner().invoke(app, list(map(str, words)))
        assert done.exit_code == 0, (done.output, done.exception)
    assert read_provenance(table)["inputs"][INPUT]["origin"] == "stand-in"


def test_a_knob_that_an_experiment_does_not_list_is_not_there_for_it(run, tmp_path):
    done = CliRunner().invoke(app, ["run", TOY, "greedy", "--out", str(tmp_path / "out.parquet")])
    assert isinstance(done.exception, AttributeError) and "has no attribute 'throws'" in str(done.exception)
    assert "no such knob; known here: sides" in one_line(run("greedy", config='{"throws": 3}'))


def test_an_error_in_the_users_own_code_keeps_its_stack_and_writes_nothing(tmp_path):
    done = CliRunner().invoke(app, ["run", TOY, "broken", "--out", str(tmp_path / "out.parquet")])
    assert isinstance(done.exception, ValueError) and not (tmp_path / "out.parquet").exists()


def test_what_is_missing_is_one_line_that_names_it(run, tmp_path):
    assert one_line(run("read")) == "toy read: needs --input for gsm8k_test (snakemake results/inputs/ID.json)\n"
    assert one_line(run("doubled")) == "toy doubled: needs --table for toy/read\n"
    assert "gsm8k_test.json" in one_line(run("read", "--input", tmp_path / "gsm8k_test.json"))
    assert "nowhere.json cannot be read" in one_line(run("dice", config=str(tmp_path / "nowhere.json")))
    assert not (tmp_path / "toy").exists()


def test_an_input_that_was_altered_is_one_line(run, record):
    next((record.parent / INPUT).iterdir()).write_text("altered")
    assert "recreate it with `snakemake -f " in one_line(run("read", "--input", record))


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("{", "top level: Invalid JSON"),
        ('{"sides": "six"}', "toy.sides: Input should be a valid integer"),
        ('{"side": 6}', "toy.side: no such knob; known here: sides, data"),
    ],
)
def test_a_wrong_config_is_one_line_that_names_the_knob(run, config, complaint):
    assert complaint in one_line(run("dice", config=config))


def test_a_config_may_stand_in_a_file_of_json_or_yaml(run, tmp_path):
    for name, text in (("toy.json", '{"sides": 8}'), ("toy.yaml", "sides: 8\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert run("dice", config=str(tmp_path / name)).exit_code == 0
        assert tables.read(tmp_path / "toy/dice.parquet")["value"].tolist() == [8]
    (tmp_path / "toy.json").write_bytes(b"\xff\xfe{}")
    assert "toy.json cannot be read" in one_line(run("dice", config=str(tmp_path / "toy.json")))
    (tmp_path / "toy.yaml").write_text("sides: [", encoding="utf-8")
    assert "toy.yaml is not valid YAML" in one_line(run("dice", config=str(tmp_path / "toy.yaml")))


def test_a_result_that_cannot_be_written_is_one_line(run, tmp_path):
    (tmp_path / "toy").write_text("a file where the folder should be")
    assert "cannot be written" in one_line(run("dice"))


@pytest.mark.parametrize("arguments", [["run", TOY, "dice"], ["run"], ["poker"]])
def test_a_command_that_makes_no_sense_is_answered_with_its_usage(arguments):
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2 and "Usage" in done.output


def test_a_study_or_an_experiment_that_is_not_there_is_one_line_with_those_that_are(run):
    assert one_line(run("poker")).endswith(
        "unknown experiment 'poker'; known: dice, read, doubled, timed, greedy, broken\n"
    )
    done = CliRunner().invoke(app, ["list", "poker"])
    assert "unknown study 'poker'; built in: mx, phase_split, placement, slm_energy, joint" in one_line(done)


def test_list_shows_every_experiment_with_its_function_and_what_it_reads():
    shown = CliRunner().invoke(app, ["list", TOY]).output.splitlines()
    assert shown[0] == "toy: A toy"
    assert shown[2].split() == ["read", "experiments:read", "gsm8k_test"]
    assert shown[4].split() == ["timed", "timed", "experiments:timed"]


def test_knobs_shows_what_an_experiment_reads_with_default_bounds_and_meaning():
    shown = CliRunner().invoke(app, ["knobs", TOY, "dice", "--config", '{"sides": 20}']).output.splitlines()
    assert shown == ["toy.sides = 20  (>= 1)", "    faces of the die", "toy.data = None"]
