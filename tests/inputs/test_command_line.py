import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from jouleproof.cli.inputs import app
from jouleproof.inputs import catalogue, load

from .conftest import generated


@pytest.fixture
def run(monkeypatch):
    monkeypatch.delenv("JOULEPROOF_INPUTS", raising=False)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_list_shows_every_input_with_size_licence_stand_in_and_source(run):
    shown = run("list").output.splitlines()
    assert shown[0].split() == ["id", "size", "licence", "stand-in", "where", "from"]
    (azure,) = [line for line in shown if line.startswith("azure_code ")]
    assert re.search(r"61,105 B  CC-BY-4.0 +- +the project, made from https://github.com/Azure/", azure)
    (problems,) = [line for line in shown if line.startswith("gsm8k_test ")]
    assert re.search(r"749,738 B  MIT +gsm8k-test +https://github.com/openai/", problems)
    assert len(shown) == 1 + len(catalogue())


def test_a_resolved_input_has_its_record_where_it_was_asked_for(run, tmp_path):
    out = tmp_path / "results/inputs/mlenergy.json"
    result = run("resolve", "mlenergy", "--out", out, "--mode", "stand-in")
    assert result.exit_code == 0, result.output
    assert load(out).origin == "stand-in"


def test_the_seed_reaches_the_stand_in(run, tmp_path):
    out = tmp_path / "gsm8k_test.json"
    assert run("resolve", "gsm8k_test", "--out", out, "--mode", "stand-in", "--seed", 1).exit_code == 0
    assert load(out).path().read_bytes() == generated("gsm8k-test", 1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("mlenergy", "--out", "{}/mlenergy.json", "--mode", "required"),
            "inputs: mlenergy: mlenergy/mlenergy_tokens.csv",
        ),
        (("acme", "--out", "{}/acme.json"), "inputs: 'acme' is not in the catalogue"),
        (("mlenergy", "--out", "{}/energy.json"), "the record of mlenergy must be named mlenergy.json"),
        (("mlenergy", "--out", "{}/mlenergy.json", "--inputs-dir", "{}/no"), "is not a readable folder"),
    ],
)
def test_a_mistake_is_one_line_and_a_failure_not_a_stack_trace(run, tmp_path, arguments, complaint):
    result = run("resolve", *(argument.format(tmp_path) for argument in arguments))
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_variable_names_the_folder_of_inputs(run, tmp_path, monkeypatch):
    monkeypatch.setenv("JOULEPROOF_INPUTS", str(tmp_path / "from_the_variable"))
    result = run("resolve", "mlenergy", "--out", tmp_path / "mlenergy.json", "--mode", "required")
    assert "from_the_variable is not a readable folder" in result.stderr


def test_an_empty_variable_names_no_folder(run, tmp_path, monkeypatch):
    monkeypatch.setenv("JOULEPROOF_INPUTS", "")
    result = run("resolve", "mlenergy", "--out", tmp_path / "mlenergy.json", "--mode", "required")
    assert "no inputs folder is set" in result.stderr


def test_a_conversion_prints_the_file_that_it_wrote_and_a_wrong_source_is_one_line(run, tmp_path):
    failed = run("convert", "mlenergy", tmp_path, "--inputs-dir", tmp_path)
    assert failed.exit_code == 1 and failed.stderr == f"inputs: mlenergy: {tmp_path} holds no tasks/gpqa.json\n"
    assert run("convert", "mlenergy", tmp_path).exit_code == 2, "no inputs folder is set"


def test_importing_the_package_imports_no_large_library():
    code = "import sys, jouleproof.inputs; print(*{'numpy', 'pandas', 'requests', 'typer'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_package_runs_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "jouleproof", "inputs", "list"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("id ")
