"""The example of README: a format and a scale rule of one's own, named in the config, from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from jouleproof.drawing.draw import app as figures

ROOT = Path(__file__).resolve().parents[2]
CONFIG = {
    "formats": ["mxfp8_e4m3", "tests.extension_example.formats:FORMAT"],
    "scales": ["floor", "tests.extension_example.formats:unit_scale"],
    "qsnr": {"vectors": 20, "length": 64, "seeds": [0, 1]},
    "conformance": {"blocks": 2},
}


def python(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Folder of what two experiments and their pictures made."""
    folder = tmp_path_factory.mktemp("own") / "results"
    config = folder.parent / "mx.json"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    for experiment in ("qsnr", "conformance"):
        python("jouleproof.studies.mx", experiment, "--config", config, "--out", folder / f"mx/{experiment}.parquet")
    for name in ("mx/qsnr", "mx/qsnr_means", "mx/invariants", "mx/conformance"):
        done = CliRunner().invoke(figures, [name, "--results", str(folder)])
        assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("experiment", ["qsnr", "conformance"])
def test_the_table_has_the_format_and_the_rule(results, experiment):
    table = pd.read_parquet(results / f"mx/{experiment}.parquet")
    assert {("e3m4", "floor"), ("e3m4", "unit_scale")} <= set(zip(table["format"], table["scale"], strict=True))


def test_the_figure_names_the_format_and_the_rule(results):
    drawn = (results / "figures/mx/qsnr.svg").read_text(encoding="utf-8")  # a text is a comment beside its outlines
    assert "<!-- e3m4 -->" in drawn and "unit_scale" in drawn


@pytest.mark.parametrize("name", ["qsnr_means", "invariants"])
def test_the_tables_have_a_row_of_the_format(results, name):
    assert "e3m4" in set(pd.read_csv(results / f"tables/mx/{name}.csv")["format"])


def test_the_format_keeps_every_invariant_that_its_rule_allows(results):
    table = pd.read_parquet(results / "mx/conformance.parquet")
    broken = table[(table["format"] == "e3m4") & (table["metric"] == "violations") & (table["value"] > 0)]
    assert set(zip(broken["scale"], broken["property"], strict=True)) == {("unit_scale", "scale covariance")}
