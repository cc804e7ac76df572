"""`jouleproof draw`: files from tables in a folder, one figure or several in one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from typer.testing import CliRunner

from jouleproof.cli import app
from jouleproof.drawing import style
from jouleproof.drawing.draw import draw_all
from jouleproof.drawing.registry import registry
from jouleproof.errors import UserError
from jouleproof.evidence import intervals
from jouleproof.evidence.provenance import provenance_path
from jouleproof.evidence.tables import TIERS, write
from jouleproof.inputs import catalogue
from tests.figures.conftest import HOSTILE
from tests.figures.samples import tables
from tests.figures.seen import laid_out, outside_the_canvas
from tests.pictures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
SEVERAL = ["joint/waterfall", "mx/decode", "phase_split/design_space", "placement/frontier", "slm_energy/tuning"]
USERS = '''"""A caption."""

from matplotlib import pyplot as plt

TITLE = "Mine"
SOURCES = ["mx/qsnr"]
plt.rcParams["axes.facecolor"] = "red" if "{0}".endswith("()") else "white"


def draw(qsnr):
    figure = plt.figure()
    {0}
    return figure
'''


def results(folder, sources, origin="local"):
    """Make a folder with these tables, made from an input of that origin."""
    for source in sources:
        path = folder / f"{source}.parquet"
        write(tables(False)[source], path)
        provenance_path(path).write_text(json.dumps({"inputs": {"gsm8k_test": {"origin": origin}}}))
    return folder


def files(folder):
    """Contents of the files, by path."""
    made = {path for part in ("figures", "tables") for path in (folder / part).rglob("*.*")}
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in made}


def run(folder, *names):
    figures = ["--figures", str(ROOT / "figures")]
    done = CliRunner().invoke(app, ["draw", *names, "--results", str(folder), *figures])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_figures_and_tables_are_drawn_with_their_captions_beside_them(tmp_path):
    assert run(results(tmp_path, ["mx/qsnr", "mx/formats"]), "mx/qsnr", "mx/formats").exit_code == 0
    written = files(tmp_path)
    assert sorted(written) == [
        *(f"figures/mx/qsnr.{suffix}" for suffix in ("pdf", "png", "rst", "svg")),
        *(f"tables/mx/formats.{suffix}" for suffix in ("csv", "html", "rst", "tex")),
    ]
    assert written["figures/mx/qsnr.rst"].decode() == FIGURES["mx/qsnr"].caption + "\n"
    assert written["tables/mx/formats.rst"].decode() == FIGURES["mx/formats"].caption + "\n"


@pytest.mark.parametrize(
    ("origin", "footnote", "note"),
    [
        ("local", "● measured", "measured"),
        ("stand-in", "● measured   stand-in used for: gsm8k_test", "measured; stand-in used for gsm8k_test"),
    ],
)
def test_what_is_drawn_names_its_tier_and_its_stand_in(tmp_path, monkeypatch, origin, footnote, note):
    saved = []
    monkeypatch.setattr(style, "save", lambda *arguments: saved.append(arguments))
    draw_all(["mx/qsnr", "mx/formats"], FIGURES, results(tmp_path, ["mx/qsnr", "mx/formats"], origin))
    ((picture, stem, _),) = saved
    assert (picture.get_supxlabel(), stem) == (footnote, tmp_path / "figures/mx/qsnr")
    assert f"<p>{note}</p>" in (tmp_path / "tables/mx/formats.html").read_text(encoding="utf-8")


def test_what_is_drawn_names_the_stand_ins_of_its_own_tables_alone(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(style, "save", lambda picture, *_: saved.append(picture.get_supxlabel()))
    folder = results(tmp_path, ["mx/qsnr", "mx/formats"])
    inputs = {"gsm8k_test": {"origin": "download"}, "mlenergy": {"origin": "stand-in"}}
    provenance_path(folder / "mx/formats.parquet").write_text(json.dumps({"inputs": inputs}))
    draw_all(["mx/qsnr", "mx/formats"], FIGURES, folder)
    assert saved == ["● measured"]
    page = (folder / "tables/mx/formats.html").read_text(encoding="utf-8")
    assert "<p>measured; stand-in used for mlenergy</p>" in page


def test_a_long_list_of_stand_ins_is_broken_into_lines_that_fit():
    figure = plt.figure(figsize=(style.WIDTH, style.HEIGHT))
    style.footnote(figure, TIERS, catalogue())
    assert outside_the_canvas(laid_out(figure)) == []
    assert set(catalogue()) <= set(figure.get_supxlabel().replace(",", " ").split())


def test_a_figure_that_is_not_there_is_one_line_that_names_those_that_are(tmp_path):
    done = run(tmp_path, "mx/nothing")
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1 and "mx/qsnr" in done.stderr


def test_a_figure_without_its_table_is_one_line_that_says_what_to_run(tmp_path):
    done = run(tmp_path, "mx/qsnr")
    assert done.exit_code == 1 and "does not exist; run `snakemake" in done.stderr


def test_a_figure_without_its_tables_provenance_is_one_line(tmp_path):
    write(tables(False)["mx/qsnr"], tmp_path / "mx/qsnr.parquet")
    done = run(tmp_path, "mx/qsnr")
    assert done.exit_code == 1 and "qsnr.provenance.json cannot be read" in done.stderr


def test_every_file_is_the_same_alone_and_together_in_a_process_with_another_matplotlibrc(tmp_path):
    for folder in ("alone", "together"):
        results(tmp_path / folder, {source for name in SEVERAL for source in FIGURES[name].sources})
    for name in SEVERAL:
        draw_all([name], FIGURES, tmp_path / "alone")
    resampled = f"from jouleproof.evidence import intervals; intervals.RESAMPLES = {intervals.RESAMPLES}"
    call = f"from jouleproof.cli import app; app({['draw', *SEVERAL[::-1], '--results', str(tmp_path / 'together')]})"
    environment = {**os.environ, "MATPLOTLIBRC": str(HOSTILE)}
    subprocess.run([sys.executable, "-c", f"{resampled}; {call}"], check=True, cwd=ROOT, env=environment)
    alone, together = files(tmp_path / "alone"), files(tmp_path / "together")
    assert len(alone) == 4 * len(SEVERAL) and alone.keys() == together.keys()
    assert [name for name in alone if alone[name] != together[name]] == []


def test_what_a_users_figure_sets_and_changes_reaches_neither_the_next_nor_the_caller(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "first.py").write_text(USERS.format("qsnr['value'] = 0.0; plt.figure(); plt.rcdefaults()"))
    (tmp_path / "mine" / "second.py").write_text(USERS.format("plt.plot(qsnr['value'][:3])"))
    figures = registry({"mine": tmp_path / "mine"})
    before = dict(mpl.rcParams)
    for folder, names in (("alone", ["mine/second"]), ("after", ["mine/first", "mine/second"])):
        draw_all(names, figures, results(tmp_path / folder, ["mx/qsnr"]))
    name = "figures/mine/second.svg"
    assert files(tmp_path / "alone")[name] == files(tmp_path / "after")[name]
    assert dict(mpl.rcParams) == before and plt.get_fignums() == []


def test_a_table_that_cannot_be_written_is_one_line(tmp_path):
    (results(tmp_path, ["mx/formats"]) / "tables").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"formats\.csv: cannot be written"):
        draw_all(["mx/formats"], FIGURES, tmp_path)
