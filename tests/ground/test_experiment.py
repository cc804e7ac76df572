"""The command line that every study shares, on a study that was made up."""

import hashlib
import json
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict
from typer.testing import CliRunner

from jouleproof.evidence import tables
from jouleproof.evidence.provenance import read_provenance
from jouleproof.evidence.tables import tidy
from jouleproof.inputs import entry
from jouleproof.inputs.stand_in import generate
from jouleproof.measure.threads import VARIABLES
from jouleproof.study import Experiment, command_line

INPUT = "gsm8k_test"


class Toy(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    sides: int = 6
    own: str | None = None


def dice(job):
    """The sides of a die."""
    return tidy([{"value": side} for side in [job.config.sides]], metric="sides", unit="sides", tier="measured")


def read(job):
    """The size of an input."""
    size = job.inputs[INPUT].path().stat().st_size
    return tidy([{"value": size}], metric="size", unit="bytes", tier="measured")


def crowd(job):
    """How many may work."""
    return tidy([{"value": job.workers}], metric="workers", unit="processes", tier="measured")


def doubled(job):
    """Twice the size of an input, from the table of another experiment."""
    return tidy([{"value": 2 * job.results["read"]["value"][0]}], metric="size", unit="bytes", tier="measured")


def own(config):
    return [Path(config.own)] if config.own else []


APP = command_line(
    "toy",
    Toy,
    {
        "dice": Experiment(dice, own=own),
        "read": Experiment(read, inputs=(INPUT,)),
        "crowd": Experiment(crowd, timed=True),
        "doubled": Experiment(doubled, results=("read",)),
    },
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs a command of the toy study with a config, and gives back what it printed."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "1")

    def run(experiment, *arguments, config="{}"):
        (tmp_path / "toy.json").write_text(config, encoding="utf-8")
        where = ("--config", tmp_path / "toy.json", "--out", tmp_path / "out" / f"{experiment}.parquet")
        done = CliRunner().invoke(APP, [experiment, *map(str, (*where, *arguments))])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


@pytest.fixture(scope="module")
def content():
    return generate(entry(INPUT).stand_in, 0)


@pytest.fixture
def record(tmp_path, content):
    """A resolved stand-in."""
    (file,) = entry(INPUT).files
    folder = tmp_path / "inputs"
    (folder / INPUT).mkdir(parents=True)
    (folder / INPUT / file.name).write_bytes(content)
    about = {
        "id": INPUT,
        "title": "Problems",
        "origin": "stand-in",
        "files": {
            file.name: {
                "path": f"{INPUT}/{file.name}",
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        },
        "licence": "MIT",
        "citation": "Nobody 2020",
    }
    (folder / f"{INPUT}.json").write_text(json.dumps(about), encoding="utf-8")
    return folder / f"{INPUT}.json"


def one_line(done):
    assert (done.exit_code, len(done.stderr.splitlines()), done.stdout) == (1, 1, "")
    return done.stderr


def test_an_experiment_writes_its_table_and_its_provenance_and_nothing_else(run, tmp_path):
    assert run("dice", config='{"sides": 20}').exit_code == 0
    assert tables.read(tmp_path / "out/dice.parquet")["value"].tolist() == [20]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["dice.parquet", "dice.provenance.json"]


def test_provenance_names_the_result_and_says_that_it_holds_no_timings(run, tmp_path):
    run("dice")
    about = read_provenance(tmp_path / "out/dice.parquet")
    assert (about["result"], about["timed"], about["inputs"]) == ("dice.parquet", False, {})


def test_provenance_of_a_timed_experiment_says_so(run, tmp_path):
    run("crowd")
    assert read_provenance(tmp_path / "out/crowd.parquet")["timed"] is True


def test_a_default_that_was_written_out_has_the_hash_of_one_that_was_not(run, tmp_path):
    hashes = set()
    for config in ("{}", '{"sides": 6}'):
        run("dice", config=config)
        hashes.add(read_provenance(tmp_path / "out/dice.parquet")["config_sha256"])
    assert len(hashes) == 1


def test_an_input_reaches_the_experiment_and_its_origin_the_provenance(run, record, tmp_path):
    assert run("read", "--input", record).exit_code == 0
    about = read_provenance(tmp_path / "out/read.parquet")["inputs"][INPUT]
    assert about["origin"] == "stand-in"
    assert tables.read(tmp_path / "out/read.parquet")["value"][0] > 0


def test_a_file_that_the_config_names_is_in_the_provenance_with_its_hash(run, tmp_path):
    (tmp_path / "mine.csv").write_text("1,2")
    assert run("dice", config=json.dumps({"own": str(tmp_path / "mine.csv")})).exit_code == 0
    about = read_provenance(tmp_path / "out/dice.parquet")["inputs"]
    digest = hashlib.sha256(b"1,2").hexdigest()
    assert about == {"mine.csv": {"origin": "local", "licence": "the user's own", "sha256 of mine.csv": digest}}
    assert "cannot be read" in one_line(run("dice", config=json.dumps({"own": str(tmp_path / "nowhere.csv")})))


def test_an_input_that_the_experiment_does_not_need_is_not_in_its_provenance(run, record, tmp_path):
    run("dice", "--input", record)
    assert read_provenance(tmp_path / "out/dice.parquet")["inputs"] == {}


def test_the_number_of_workers_reaches_the_experiment(run, tmp_path):
    run("crowd", "--workers", "3")
    assert tables.read(tmp_path / "out/crowd.parquet")["value"].tolist() == [3]


def test_what_rests_on_a_table_of_another_experiment_names_the_inputs_of_that(run, record, tmp_path):
    run("read", "--input", record)
    assert run("doubled", "--result", tmp_path / "out/read.parquet").exit_code == 0
    assert read_provenance(tmp_path / "out/doubled.parquet")["inputs"][INPUT]["origin"] == "stand-in"


def test_an_input_that_is_missing_is_one_line_that_names_it(run):
    assert one_line(run("read")) == "toy read: needs --input for gsm8k_test (snakemake results/inputs/ID.json)\n"


def test_a_record_that_is_not_there_is_one_line(run, tmp_path):
    assert "gsm8k_test.json" in one_line(run("read", "--input", tmp_path / "gsm8k_test.json"))


def test_an_input_that_was_altered_is_one_line(run, record):
    next((record.parent / INPUT).iterdir()).write_text("altered")
    assert "make it again with `snakemake -f " in one_line(run("read", "--input", record))


def test_a_config_that_is_not_there_is_one_line_that_names_it(tmp_path):
    where = ["--config", str(tmp_path / "nowhere.json"), "--out", str(tmp_path / "out.parquet")]
    assert "nowhere.json cannot be read" in one_line(CliRunner().invoke(APP, ["dice", *where]))


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("{", "top level: Invalid JSON"),
        ("", "top level: Invalid JSON"),
        ("3", "top level: "),
        ('{"sides": "six"}', "sides: Input should be a valid integer"),
        ('{"side": 6}', "side: no such knob; known here: sides"),
    ],
)
def test_a_wrong_config_is_one_line_that_names_file_and_knob(run, config, complaint):
    message = one_line(run("dice", config=config))
    assert "toy.json: " in message and complaint in message


def test_a_config_that_is_no_text_is_one_line(tmp_path):
    (tmp_path / "toy.json").write_bytes(b"\xff\xfe{}")
    where = ["--config", str(tmp_path / "toy.json"), "--out", str(tmp_path / "out.parquet")]
    assert "Invalid JSON" in one_line(CliRunner().invoke(APP, ["dice", *where]))


def test_a_result_that_cannot_be_written_is_one_line(run, tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")
    assert "cannot be written" in one_line(run("dice"))


def test_an_experiment_that_fails_writes_nothing(run, tmp_path):
    one_line(run("read"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["dice"], ["poker"], ["dice", "--workers", "0"]])
def test_a_command_that_makes_no_sense_is_answered_with_its_usage(arguments):
    done = CliRunner().invoke(APP, arguments)
    assert done.exit_code == 2 and "Usage" in done.stderr


def test_help_lists_the_experiments_with_what_they_do():
    shown = CliRunner().invoke(APP, ["--help"]).output
    assert all(f"{name} " in shown for name in ("dice", "read", "crowd")) and "The sides of a die." in shown
