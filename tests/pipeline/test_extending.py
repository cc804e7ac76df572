"""The files that a new experiment and a new study need, added once as CONTRIBUTING says."""

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pipeline.conftest import EXTENSION, copy_project, environment, remade, snakemake

pytestmark = pytest.mark.pipeline

FUNCTION = '''"""How often a cast makes zeros of what was none."""

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import fake_quantize
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig


def zeros(config: MxConfig) -> pd.DataFrame:
    """The share of zeros among normal elements after a cast, by format."""
    x = np.random.default_rng(0).standard_normal((100, 64), dtype=np.float32)
    rows = ({"format": name, "value": float((fake_quantize(x, fmt) == 0).mean())}
            for name, fmt in registry.formats(config.formats).items())
    return tidy(rows, metric="zeros", unit="share", tier=MEASURED)
'''
FIGURE = '''"""The share of elements that a cast turns into zeros, by format."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

TITLE = "Zeros after a cast"
SOURCES = ["mx/zeros"]


def draw(zeros: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots()
    axis.bar(zeros["format"], zeros["value"])
    axis.set(xlabel="format", ylabel="zeros (share)")
    return figure
'''
ROW = '        "zeros": Experiment("experiments.zeros:zeros", knobs=("formats",)),\n'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("extended") / "home")


def test_a_new_experiment_is_a_function_a_figure_and_one_row(home: Path, folder: Path) -> None:
    study = home / "bench/jouleproof/studies/mx"
    (study / "experiments/zeros.py").write_text(FUNCTION, encoding="utf-8")
    (home / "figures/mx/zeros.py").write_text(FIGURE, encoding="utf-8")
    declared = (study / "__init__.py").read_text(encoding="utf-8")
    row = '        "qsnr": Experiment('
    assert declared.count(row) == 1
    (study / "__init__.py").write_text(declared.replace(row, ROW + row), encoding="utf-8")
    done = snakemake(folder, "results/figures/mx/zeros.svg", "--cores", "1", home=home)
    assert done.returncode == 0, done.stdout
    assert set(pq.read_table(folder / "results/mx/zeros.parquet")["metric"].to_pylist()) == {"zeros"}
    assert (folder / "results/figures/mx/zeros.rst").read_text().startswith("The share of elements that a cast turns")


def test_a_claim_on_a_figure_that_does_not_exist_is_refused_before_any_job(home: Path, folder: Path) -> None:
    study = folder / "spin"
    shutil.copytree(home / EXTENSION / "rotation", study)
    for path in study.rglob("*.*"):
        if path.is_file():
            path.write_text(path.read_text().replace("tests.extension_example.", "").replace("rotation", "spin"))
    ledger = study / "claims.toml"
    ledger.write_text(ledger.read_text().replace('figure = "spin/gain"', 'figure = "spin/gian"'))
    done = snakemake(folder, "-n", "--config", "studies={spin: {}}", home=home, PYTHONPATH=f"{home / 'bench'}:{folder}")
    assert done.returncode != 0
    assert "spin.outliers: figure: 'spin/gian' does not exist; did you mean 'spin/gain'?" in done.stdout


@pytest.mark.long
def test_a_new_study_is_one_folder_and_its_figures(home: Path, folder: Path) -> None:
    study = home / "bench/jouleproof/studies/rotation"
    shutil.copytree(home / EXTENSION / "rotation", study)
    shutil.move(study / "figures", home / "figures/rotation")
    listed = subprocess.run(
        [sys.executable, "-m", "jouleproof", "list"], env=environment(home), capture_output=True, text=True, check=True
    )
    assert "rotation: Rotation before a cast" in listed.stdout
    knob = ("--config", "rotation={vectors: 50, seeds: [0, 1, 2]}")
    jobs = remade(snakemake(folder, "-n", "verdicts", *knob, home=home))
    assert {"rotation_gain", "mx_qsnr", "verdicts"} <= jobs
    done = snakemake(folder, "rotation", *knob, "--cores", "1", home=home)
    assert done.returncode == 0, done.stdout
    assert pq.read_table(folder / "results/rotation/gain.parquet").num_rows == 2 * 3 * 3
