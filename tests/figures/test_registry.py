"""The registry of figures: what a file must hold, and how it is run."""

import ast
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from jouleproof.drawing.registry import Figure, by_sources, load, registry
from jouleproof.errors import UserError
from jouleproof.study import built_in_studies, load_study
from tests.pictures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
TABLES = {f"{study.name}/{name}" for study in built_in_studies() for name in study.experiments}
WHOLE = '"""A caption\nof two lines."""\n\nTITLE = "A title"\nSOURCES = ["mx/qsnr"]\n\n\ndef draw(qsnr): ...\n'
STUDY = """from pydantic import BaseModel
from jouleproof.study import Study
STUDY = Study("spin", "spin", BaseModel, {})
"""


@pytest.fixture
def figure_of(tmp_path):
    """Return a function that reads a figure from the text of its file."""

    def figure_of(text):
        (tmp_path / "picture.py").write_text(text, encoding="utf-8")
        return registry({"mx": tmp_path})["mx/picture"]

    return figure_of


def test_a_figure_is_read_off_its_file_without_running_it(figure_of, tmp_path):
    expected = Figure(
        "mx/picture", "figure", "A title", "A caption of two lines.", ("mx/qsnr",), tmp_path / "picture.py"
    )
    assert figure_of(WHOLE + "\nraise RuntimeError('it was run')\n") == expected
    assert expected.study == "mx"


def test_a_file_with_tabulate_is_a_table(figure_of):
    assert figure_of(WHOLE.replace("draw", "tabulate")).kind == "table"


def test_a_file_that_lacks_a_part_is_one_line_that_names_it(figure_of):
    lacks = "a figure needs a docstring, TITLE, SOURCES, and either draw or tabulate"
    cases = [
        ('"""A caption\nof two lines."""', "", lacks),
        ('"""A caption\nof two lines."""', '""""""', lacks),
        ('TITLE = "A title"', "", lacks),
        ('SOURCES = ["mx/qsnr"]', "", lacks),
        ("def draw(qsnr): ...", "", lacks),
        ("def draw(qsnr): ...", "def draw(qsnr): ...\ndef tabulate(qsnr): ...", lacks),
        ('["mx/qsnr"]', '"mx/qsnr"', "SOURCES is 'mx/qsnr', not a list of `<study>/<experiment>`"),
        ('["mx/qsnr"]', "[name]", "malformed node or string on line 5"),
        ("def draw(qsnr): ...", "def draw(qsnr", "line 8: '(' was never closed"),
    ]
    for old, new, complaint in cases:
        with pytest.raises(UserError) as raised:
            figure_of(WHOLE.replace(old, new))
        message = str(raised.value)
        assert message.startswith("figures: ") and f"picture.py: {complaint}" in message and "\n" not in message


def test_a_file_is_run_by_its_path_as_a_module(figure_of, tmp_path):
    text = WHOLE.replace("TITLE", "from __future__ import annotations\nfrom dataclasses import dataclass\nTITLE")
    text = text.replace("def draw(qsnr): ...", "@dataclass\nclass A:\n    x: int\n\n\ndef draw(qsnr): return A(qsnr)")
    assert load(figure_of(text)).draw(7).x == 7
    assert str(tmp_path) not in sys.path and "picture" not in sys.modules


def test_a_file_that_cannot_be_run_is_one_line_with_its_place(figure_of):
    figure = figure_of(WHOLE + "\n\nTICKS = 1 / 0\n")
    with pytest.raises(UserError, match=r"picture\.py, line 11: cannot be loaded: ZeroDivisionError: division by zero"):
        load(figure)


def test_the_figures_of_a_users_study_lie_in_its_package(tmp_path, monkeypatch):
    folder = tmp_path / "spin_package" / "figures"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text(STUDY)
    (folder / "gain.py").write_text(WHOLE)
    monkeypatch.syspath_prepend(str(tmp_path))
    study = load_study("spin_package")
    assert list(registry({study.name: study.figures})) == ["spin/gain"]
    assert registry({"none": tmp_path / "none"}) == {}


def test_a_package_that_is_no_study_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "spun.py").write_text("STUDY = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    complaints = {
        "nowhere.spin": "study 'nowhere.spin:STUDY' cannot be loaded: ModuleNotFoundError",
        "json": "study 'json:STUDY' cannot be loaded: AttributeError",
        "spun": "spun:STUDY is a int, not a jouleproof.study.Study",
    }
    for package, complaint in complaints.items():
        with pytest.raises(UserError, match=complaint):
            load_study(package)


def test_pictures_of_a_study_that_read_the_same_tables_are_one_group(tmp_path):
    sources = {"a": '["mx/qsnr", "mx/wire"]', "b": '["mx/qsnr"]', "c": '["mx/wire", "mx/qsnr"]'}
    for name, text in sources.items():
        (tmp_path / f"{name}.py").write_text(WHOLE.replace('["mx/qsnr"]', text))
    figures = registry({"mx": tmp_path, "own": tmp_path})

    def groups(*cheap):
        return [[figure.name for figure in group] for group in by_sources(figures, cheap).values()]

    assert groups() == [["mx/a", "mx/c"], ["mx/b"], ["own/a", "own/c"], ["own/b"]]
    assert groups("mx/wire") == [["mx/a", "mx/b", "mx/c"], ["own/a", "own/b", "own/c"]]


def test_every_file_of_a_study_is_in_the_registry():
    files = {path.relative_to(ROOT / "figures").with_suffix("").as_posix() for path in ROOT.glob("figures/*/*.py")}
    assert files == set(FIGURES)


def test_every_figure_has_a_unique_title_and_a_caption_that_is_a_sentence():
    titles = Counter(figure.title for figure in FIGURES.values())
    assert [title for title, count in titles.items() if count > 1] == []
    assert [figure.name for figure in FIGURES.values() if not figure.caption.endswith(".")] == []


def test_figures_show_every_table_that_an_experiment_makes_and_no_other():
    assert {source for figure in FIGURES.values() for source in figure.sources} == TABLES


def test_no_figure_imports_another():
    imports = {
        (figure.name, node.module)
        for figure in FIGURES.values()
        for node in ast.walk(ast.parse(figure.path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    assert [name for name, module in imports if (module or "figures").split(".")[0] == "figures"] == []


def test_the_paper_shows_every_picture_once_and_under_the_caption_of_its_file():
    paper = (ROOT / "paper/paper.typ").read_text(encoding="utf-8")
    shown = Counter(re.findall(r'#(?:pictured|tabled)\("([^"]+)"', paper))
    assert shown == Counter([*FIGURES, "overview"])
    assert re.findall(r"caption: \[.*", paper) == [
        "caption: [The rows that this run judges, and those that nothing here can test.],"
    ]
