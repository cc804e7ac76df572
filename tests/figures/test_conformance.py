"""What holds for every figure and table that the registry finds, with built-in formats and with one of a user's own."""

import importlib
import io
import re
from functools import cache

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from jouleproof.drawing import style
from jouleproof.drawing.registry import registry
from tests.extension_example import formats as own
from tests.extension_example.cluster import DESIGN
from tests.figures.samples import tables
from tests.figures.seen import (
    axis_lines,
    laid_out,
    outside_the_canvas,
    overlapping,
    overlapping_tick_labels,
    unlabelled_axes,
)

FIGURES = [name for name, figure in registry().items() if figure.kind == "figure"]
TABLES = [name for name, figure in registry().items() if figure.kind == "table"]

every_table = pytest.mark.parametrize("name", TABLES)
own_format = pytest.mark.parametrize("with_own_format", [False, True], ids=["built in", "own format"])
FIRST_OF_STUDY = {name.partition("/")[0]: name for name in reversed(FIGURES)}


def sources_of(name, with_own_format):
    return [tables(with_own_format)[source] for source in registry()[name].sources]


def from_tables(name, sources):
    figure = registry()[name]
    module = importlib.import_module(figure.module)
    return (module.draw if figure.kind == "figure" else module.tabulate)(*sources)


def made(name, with_own_format):
    return from_tables(name, sources_of(name, with_own_format))


def with_footnote(figure):
    style.footnote(figure, ["measured", "simulated"], ["gsm8k_test"])
    return laid_out(figure)


@cache
def tabulated(name, with_own_format):
    """Tabulated once for all that only look at it."""
    return made(name, with_own_format)


@pytest.fixture(
    scope="module",
    params=[(name, own) for own in (False, True) for name in FIGURES],
    ids=lambda param: f"{param[0]}-{'own' if param[1] else 'built in'}",
)
def drawn(request):
    """A figure, drawn once for all that look at it and then closed; pytest has them all look before the next."""
    name, with_own_format = request.param
    before = [table.copy() for table in sources_of(name, with_own_format)]
    figure = made(name, with_own_format)
    assert all(map(pd.DataFrame.equals, sources_of(name, with_own_format), before)), "drawing changed its tables"
    yield with_footnote(figure)
    plt.close("all")


def test_nothing_is_cut_off(drawn):
    assert outside_the_canvas(drawn) == []


def test_tick_labels_do_not_run_into_each_other(drawn):
    assert [pair for each in drawn.axes for _, line in axis_lines(each) for pair in overlapping_tick_labels(line)] == []


def test_titles_do_not_run_into_each_other(drawn):
    assert overlapping([axes.title for axes in drawn.axes if axes.get_title()]) == []


def test_every_axis_has_a_label_with_its_unit_or_names(drawn):
    assert unlabelled_axes(drawn) == []


def test_no_axes_are_empty(drawn):
    assert [axes.get_title() for axes in drawn.axes if not axes.has_data()] == []


def test_a_figure_is_as_wide_as_the_text_of_the_paper(drawn):
    assert drawn.get_size_inches()[0] == style.WIDTH


@pytest.mark.parametrize("name", FIGURES)
def test_drawing_again_gives_identical_bytes(name):
    assert svg(name) == svg(name)


def svg(name):
    content = io.BytesIO()
    with_footnote(made(name, False)).savefig(content, format="svg", metadata={"Date": None})
    plt.close("all")
    return content.getvalue()


@pytest.mark.parametrize("name", FIRST_OF_STUDY.values())
def test_drawing_and_saving_again_gives_identical_bytes_in_every_format(name, tmp_path):
    once, again = (style.save(made(name, False), tmp_path / folder / "picture") for folder in ("once", "again"))
    assert set(once) == {"pdf", "svg", "png"}
    assert [suffix for suffix in once if once[suffix].read_bytes() != again[suffix].read_bytes()] == []
    plt.close("all")


def texts(name):
    """Of a figure with one of everything that is a user's own."""
    figure = made(name, True)
    figure.draw_without_rendering()
    plt.close("all")
    return {text.get_text() for text in figure.findobj(mpl.text.Text)}


@pytest.mark.parametrize("name", [name for name in FIGURES if name.startswith("mx/")])
def test_a_format_of_the_users_own_is_in_the_picture(name):
    assert own.FORMAT.name in texts(name)


@pytest.mark.parametrize("name", ["phase_split/capacity", "phase_split/latency", "phase_split/energy"])
def test_a_design_of_the_users_own_is_in_the_picture(name):
    assert DESIGN.name in texts(name)


@every_table
@own_format
def test_a_table_is_text_in_every_cell(name, with_own_format):
    table = tabulated(name, with_own_format)
    assert table.size > 0
    assert {type(cell) for cell in table.to_numpy().ravel()} == {str}


@every_table
def test_no_cell_shows_what_is_not_a_number(name):
    numbers = tabulated(name, False).iloc[:, 1:].to_numpy().ravel()
    assert [cell for cell in numbers if {"nan", "inf", "-inf"} & set(re.findall(r"[-\w]+", cell))] == []


@every_table
def test_a_tables_columns_have_names_of_their_own(name):
    columns = list(tabulated(name, False).columns)
    assert len(set(columns)) == len(columns) and all(columns)


@pytest.mark.parametrize(
    "name",
    [name for name in TABLES if name.startswith("mx/") and name not in ("mx/conformance", "mx/training_numbers")],
)
def test_a_format_of_the_users_own_has_its_row(name):
    assert own.FORMAT.name in set(tabulated(name, True)["format"])


@every_table
def test_tabulating_twice_gives_the_same_table(name):
    assert made(name, False).equals(tabulated(name, False))
