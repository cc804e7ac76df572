"""User code that ends the program, or changes where it works and prints, is one line and status 1, not a success."""

import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from typer.testing import CliRunner

from jouleproof.cli import app
from jouleproof.errors import Ended, Stopped, UserError, contained
from jouleproof.evidence import tables
from jouleproof.measure.threads import VARIABLES
from jouleproof.plugins import load, source_file
from jouleproof.studies.mx.wire_launch import run_ranks
from jouleproof.studies.mx.wire_rank import PAYLOADS, Task
from jouleproof.study import load_study

EXITS = {
    "sys.exit(0)": "import sys\nsys.exit(0)",
    "exit()": "exit()",
    "SystemExit": "raise SystemExit",
    "os._exit": "import os\nos._exit(0)",
    "argparse": "import argparse, sys\nsys.argv = ['x', '--help']\nargparse.ArgumentParser().parse_args()",
    "cancelled": "import asyncio\nraise asyncio.CancelledError",
    "generator": "raise GeneratorExit",
    "skipped": "import pytest\npytest.skip('not here', allow_module_level=True)",
}
STUDY = """
from typing import Annotated
from pydantic import AfterValidator, BaseModel
from jouleproof.study import Experiment, Study

class Config(BaseModel):
    rule: str = "built_in"
    fatal: Annotated[bool, AfterValidator(lambda value: value and exit(0))] = False

STUDY = Study("leaving", "Code that leaves", config=Config, checkpoints="experiments:trained",
              experiments={"one": Experiment("experiments:one", checkpoints=("*",))})
"""
EXPERIMENTS = """
from jouleproof.evidence.tables import tidy
from jouleproof.plugins import load

def one(config, checkpoints):
    load("rule", config.rule, {"built_in": int})()
    return tidy([{"value": 1.0}], metric="m", unit="u", tier="measured")

def trained(config):
    raise SystemExit(0)

def train(config, out):
    BODY
"""
FIGURE = '''"""A caption."""
TITLE = "A title"
SOURCES = ["leaving/one"]
TOP
def draw(one):
    BODY
'''


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    """Change to a working folder with a study in it, whose modules are unloaded afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    for name in VARIABLES:
        monkeypatch.setenv(name, "1")
    (tmp_path / "leaving/figures").mkdir(parents=True)
    (tmp_path / "leaving/__init__.py").write_text(STUDY)
    (tmp_path / "leaving/experiments.py").write_text(EXPERIMENTS)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in ("leaves", "leaving", "moves", "gone")]:
        del sys.modules[name]


def one_line(*arguments):
    done = CliRunner().invoke(app, list(arguments))
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.output
    return done.stderr


def indented(code):
    return code.replace("\n", "\n    ")


@pytest.mark.parametrize("code", EXITS.values(), ids=EXITS)
def test_a_module_that_exits_is_one_line(working_folder, code, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", sys.argv)
    (working_folder / "leaves.py").write_text(f"THING = 3\n{code}\n")
    with pytest.raises(UserError, match=r"thing 'leaves:THING' cannot be loaded: it ended the program \(\w+.*\)") as it:
        load("thing", "leaves:THING", {})
    assert "\n" not in str(it.value)


def test_a_package_that_exits_when_its_module_is_looked_for_has_no_file(working_folder):
    (working_folder / "gone").mkdir()
    (working_folder / "gone/__init__.py").write_text("raise SystemExit(0)")
    (working_folder / "gone/inner.py").write_text("")
    assert source_file("gone.inner:THING") is None


@pytest.mark.parametrize("code", EXITS.values(), ids=EXITS)
def test_an_object_that_exits_when_called_is_named_with_its_knob_and_writes_nothing(
    working_folder, code, monkeypatch, capfd
):
    monkeypatch.setattr(sys, "argv", sys.argv)
    (working_folder / "leaves.py").write_text(f"def rule():\n    {indented(code)}\n")
    done = CliRunner().invoke(
        app, ["run", "leaving", "one", "--config", '{"rule": "leaves:rule"}', "--out", "out/one.parquet"]
    )
    assert done.exit_code == 1
    assert done.stderr.startswith("leaving.rule: 'leaves:rule': leaving one: experiments:one ended the program (")
    assert not (working_folder / "out").exists()


@pytest.mark.parametrize("code", EXITS.values(), ids=EXITS)
@pytest.mark.parametrize("place", ["TOP", "BODY"])
def test_a_figure_that_exits_is_named_and_nothing_is_written(working_folder, code, place, monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", sys.argv)
    assert CliRunner().invoke(app, ["run", "leaving", "one", "--out", "results/leaving/one.parquet"]).exit_code == 0
    texts = {"TOP": "", "BODY": "pass"} | {place: code if place == "TOP" else indented(code)}
    figure = FIGURE.replace("TOP", texts["TOP"]).replace("BODY", texts["BODY"])
    (working_folder / "leaving/figures/bare.py").write_text(figure)
    done = CliRunner().invoke(app, ["draw", "leaving/bare", "--study", "leaving"])
    assert done.exit_code == 1 and "bare.py" in done.stderr and "ended the program" in done.stderr
    assert not (working_folder / "results/figures").exists()


def test_a_config_that_exits_is_one_line(working_folder):
    line = one_line("run", "leaving", "one", "--config", '{"fatal": true}', "--out", "one.parquet")
    assert "the config of leaving ended the program (SystemExit: 0)" in line


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "pass"])
def test_training_that_exits_or_writes_nothing_is_one_line(working_folder, body):
    (working_folder / "leaving/experiments.py").write_text(EXPERIMENTS.replace("BODY", body))
    line = one_line("train", "leaving", "experiments:train", "small", "--out", "small.safetensors")
    assert line.startswith("leaving: experiments:train ")


def test_a_list_of_checkpoints_that_exits_is_one_line(working_folder):
    study = load_study("leaving")
    with pytest.raises(Ended, match="leaving.experiments:trained ended the program"):
        study.trained(study.config())


def test_a_rank_that_user_code_ends_fails_the_experiment(working_folder):
    code = """
        from dataclasses import fields
        from jouleproof.formats import FORMATS, MXFormat
        class Leaving(MXFormat):
            def __getattribute__(self, name):
                return exit(0) if name == "block" and ready else super().__getattribute__(name)
        ready, four = False, FORMATS["mxfp4"]
        FORMAT = Leaving(**{field.name: getattr(four, field.name) for field in fields(four)} | {"name": "leaving"})
        ready = True
    """
    (working_folder / "leaves.py").write_text(dedent(code))
    tensors = {payload: torch.ones(2, 64) for payload in PAYLOADS}
    with pytest.raises(UserError, match="rank 0 ended with status 1: code that the config names ended the program"):
        run_ranks(Task(1, ["leaves:FORMAT"], {"loopback": None}, 1, 60.0), [tensors])


def test_user_code_that_moves_leaves_the_program_where_it_was(working_folder, capsys):
    (working_folder / "elsewhere").mkdir()
    (working_folder / "moves.py").write_text(
        "import os, sys\ndef rule():\n    os.chdir('elsewhere')\n    sys.stdout = sys.stderr = open(os.devnull, 'w')\n"
    )
    streams = sys.stdout, sys.stderr
    arguments = ["--config", '{"rule": "moves:rule"}', "--out", "out/one.parquet"]
    assert CliRunner().invoke(app, ["run", "leaving", "one", *arguments]).exit_code == 0
    assert (sys.stdout, sys.stderr) == streams and Path.cwd() == working_folder
    assert tables.read(working_folder / "out/one.parquet")["value"].tolist() == [1.0]


def test_a_child_that_user_code_forks_may_exit():
    with contained("it"):
        child = os.fork()
        if not child:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Stopped(143), ValueError("x")])
def test_interrupts_signals_and_errors_pass(error):
    with pytest.raises(type(error)), contained("it"):
        raise error


def test_the_programs_exit_works_again_afterwards():
    before = os._exit
    with pytest.raises(Ended), contained("it"):
        os._exit(0)
    assert os._exit is before
