"""The README's example: a custom format and scale rule, named in the config, from the command line."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from jouleproof.cli import app
from jouleproof.measure.threads import VARIABLES

pytestmark = pytest.mark.usefixtures("one_thread")
ROOT = Path(__file__).resolve().parents[2]
CASTS = {
    "formats": ["mxfp8_e4m3", "tests.extension_example.formats:FORMAT"],
    "scales": ["floor", "tests.extension_example.formats:unit_scale"],
}
CONFIGS = {
    "qsnr": {**CASTS, "qsnr": {"vectors": 20, "length": 64, "seeds": [0, 1]}},
    "conformance": {**CASTS, "conformance": {"blocks": 2}},
}


@pytest.fixture(scope="module")
def command(one_thread):
    """A function that runs `jouleproof` in this process; thread settings are restored at the end of the module."""

    def command(*arguments):
        done = CliRunner().invoke(app, [*map(str, arguments)])
        assert done.exit_code == 0, done.output or repr(done.exception)

    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.setenv(name, "1")
        yield command


@pytest.fixture(scope="module")
def results(command, tmp_path_factory):
    """The folder with the results and figures of two experiments."""
    folder = tmp_path_factory.mktemp("own") / "results"
    for experiment, config in CONFIGS.items():
        file = folder.parent / f"{experiment}.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        command("run", "mx", experiment, "--config", file, "--out", folder / f"mx/{experiment}.parquet")
    figures = [f"mx/{name}" for name in ("qsnr", "qsnr_means", "invariants", "conformance")]
    command("draw", *figures, "--results", folder, "--figures", ROOT / "figures")
    return folder


@pytest.mark.parametrize("experiment", ["qsnr", "conformance"])
def test_the_table_has_the_format_and_the_rule(results, experiment):
    table = pd.read_parquet(results / f"mx/{experiment}.parquet")
    assert {("e3m4", "floor"), ("e3m4", "unit_scale")} <= set(zip(table["format"], table["scale"], strict=True))


def test_the_figure_names_the_format_and_the_rule(results):
    figure = (results / "figures/mx/qsnr.svg").read_text(encoding="utf-8")  # text is a comment next to its outlines
    assert "<!-- e3m4 -->" in figure and "unit_scale" in figure


@pytest.mark.parametrize("name", ["qsnr_means", "invariants"])
def test_the_tables_have_a_row_of_the_format(results, name):
    assert "e3m4" in set(pd.read_csv(results / f"tables/mx/{name}.csv")["format"])


def test_the_format_keeps_every_invariant_that_its_rule_allows(results):
    table = pd.read_parquet(results / "mx/conformance.parquet")
    broken = table[(table["format"] == "e3m4") & (table["metric"] == "violations") & (table["value"] > 0)]
    assert set(zip(broken["scale"], broken["property"], strict=True)) == {("unit_scale", "scale covariance")}
