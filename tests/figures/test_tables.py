"""Tables as CSV, LaTeX and HTML: any text of a cell is shown unchanged."""

import csv
import html.parser
import io

import pandas as pd
import pytest

from jouleproof.drawing import tables

NASTY = r"""<b>&amp;</b> 50 % of $x_1^2$ {a} #1 ~ C:\new "quoted", 'it' """.strip()


class Reader(html.parser.HTMLParser):
    """Collects the texts of cells, headings and paragraphs, by tag."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.open = {}, []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        while self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open:
            self.texts[self.open[-1]][-1] += data


@pytest.fixture
def saved(tmp_path):
    table = pd.DataFrame([{"format": NASTY, "a_b & c": "1"}, {"format": "plain", "a_b & c": "2 < 3"}])
    tables.save(table, tmp_path / "deep" / "table", NASTY, "A caption & more.", "● measured <x>")
    return {path.suffix[1:]: path.read_text(encoding="utf-8") for path in (tmp_path / "deep").iterdir()}


def test_a_table_is_saved_in_three_formats_with_its_caption(saved):
    assert set(saved) == {"csv", "tex", "html", "rst"}


def test_csv_gives_the_cells_back(saved):
    assert list(csv.reader(io.StringIO(saved["csv"]))) == [["format", "a_b & c"], [NASTY, "1"], ["plain", "2 < 3"]]


def test_html_shows_cells_headings_and_notes_as_they_stand(saved):
    texts = Reader(saved["html"]).texts
    assert texts["td"] == [NASTY, "1", "plain", "2 < 3"]
    assert texts["th"] == ["format", "a_b & c"]
    assert (texts["title"], texts["h1"]) == ([NASTY], [NASTY])
    assert texts["p"] == ["A caption & more.", "● measured <x>"]


def test_html_takes_no_tag_from_a_cell(saved):
    assert "b" not in Reader(saved["html"]).texts


@pytest.mark.parametrize(
    ("sign", "escaped"),
    [
        ("&", r"\&"),
        ("%", r"\%"),
        ("_", r"\_"),
        ("#", r"\#"),
        ("$", r"\$"),
        ("{", r"\{"),
        ("}", r"\}"),
        ("~", r"\textasciitilde{}"),
        ("^", r"\textasciicircum{}"),
        ("\\", r"\textbackslash{}"),
    ],
)
def test_a_sign_that_means_something_to_latex_is_escaped(sign, escaped):
    text = tables.latex(pd.DataFrame([{"x": f"a{sign}b"}]), f"c{sign}d", f"e{sign}f")
    assert f"\na{escaped}b \\\\\n" in text
    assert rf"\caption{{c{escaped}d (e{escaped}f)}}" in text


def test_latex_has_a_line_per_row_and_a_column_per_name(saved):
    body = saved["tex"].partition(r"\toprule")[2].partition(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 4
    assert all(line.replace(r"\&", "").count("&") == 1 for line in body if line != r"\midrule")
    assert r"\begin{tabular}{ll}" in saved["tex"]


def test_latex_names_caption_and_note(saved):
    assert r"\caption{A caption \& more. (● measured <x>)}" in saved["tex"]
