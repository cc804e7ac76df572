"""What figures there are, and what each file must hold to be one."""

import re
from pathlib import Path

import pytest

from jouleproof.drawing import registry as room
from jouleproof.drawing.registry import registry
from jouleproof.studies.joint.__main__ import EXPERIMENTS as JOINT
from jouleproof.studies.placement.__main__ import EXPERIMENTS as PLACEMENT
from jouleproof.studies.slm_energy.__main__ import EXPERIMENTS as SLM_ENERGY

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = {
    name
    for path in (ROOT / "workflows").glob("*.smk")
    for name in re.findall(r'"results/([a-z_0-9]+/[a-z_0-9]+)\.parquet"', path.read_text(encoding="utf-8"))
} | {
    f"{study}/{name}"
    for study, names in {"placement": PLACEMENT, "slm_energy": SLM_ENERGY, "joint": JOINT}.items()
    for name in names
}
WHOLE = '"""A caption\nof two lines."""\n\nTITLE = "A title"\nSOURCES = ["mx/qsnr"]\n\n\ndef draw(qsnr): ...\n'


@pytest.fixture
def read(tmp_path, monkeypatch):
    """A function that reads a figure's file off its text."""
    monkeypatch.setattr(room, "FOLDER", tmp_path)

    def read(text):
        path = tmp_path / "mx" / "picture.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return room._read(path, "mx", "figures.mx")

    return read


def test_a_figure_is_read_off_its_file(read):
    found = read(WHOLE)
    assert (found.name, found.study, found.kind, found.module) == ("mx/picture", "mx", "figure", "figures.mx.picture")
    assert (found.title, found.caption, found.sources) == ("A title", "A caption of two lines.", ("mx/qsnr",))


def test_a_file_with_tabulate_is_a_table(read):
    assert read(WHOLE.replace("draw", "tabulate")).kind == "table"


def test_a_file_is_read_without_being_run(read):
    assert read(WHOLE + "\nraise RuntimeError('it was run')\n").kind == "figure"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A caption\nof two lines."""', ""),
        ('"""A caption\nof two lines."""', '""""""'),
        ('TITLE = "A title"', ""),
        ('SOURCES = ["mx/qsnr"]', ""),
        ("def draw(qsnr): ...", ""),
        ("def draw(qsnr): ...", "def draw(qsnr): ...\ndef tabulate(qsnr): ..."),
    ],
    ids=["no caption", "an empty caption", "no title", "no sources", "no function", "both functions"],
)
def test_a_file_that_lacks_a_part_is_an_error_that_names_it(read, old, new):
    with pytest.raises(ValueError, match=r"picture\.py: a figure needs a docstring, TITLE, SOURCES"):
        read(WHOLE.replace(old, new))


def test_every_file_of_a_study_is_in_the_registry():
    files = {path.relative_to(ROOT / "figures") for path in (ROOT / "figures").glob("*/*.py")}
    assert {path.with_suffix("").as_posix() for path in files if path.stem != "__init__"} == set(registry())


@pytest.mark.parametrize("name", registry())
def test_a_figure_has_a_title_and_a_caption_that_is_a_sentence(name):
    figure = registry()[name]
    assert figure.title and figure.caption.endswith(".") and "\n" not in figure.caption


@pytest.mark.parametrize("name", registry())
def test_a_figure_reads_only_tables_that_a_rule_writes(name):
    assert registry()[name].sources and set(registry()[name].sources) <= WRITTEN


def test_every_table_that_a_rule_writes_is_shown():
    assert {source for figure in registry().values() for source in figure.sources} == WRITTEN


def test_titles_are_told_apart():
    titles = [figure.title for figure in registry().values()]
    assert len(set(titles)) == len(titles)
