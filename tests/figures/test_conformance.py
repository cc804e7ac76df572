"""What holds for every figure and table that the registry finds, with built-in formats and with one of a user's own."""

import importlib
import re
from functools import cache

import matplotlib as mpl
import pandas as pd
import pytest

from figures import style
from figures.registry import registry
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

every_figure = pytest.mark.parametrize("name", FIGURES)
every_table = pytest.mark.parametrize("name", TABLES)
own_format = pytest.mark.parametrize("with_own_format", [False, True], ids=["built in", "own format"])


def sources_of(name, with_own_format):
    return [tables(with_own_format)[source] for source in registry()[name].sources]


def from_tables(name, sources):
    figure = registry()[name]
    module = importlib.import_module(figure.module)
    return (module.draw if figure.kind == "figure" else module.tabulate)(*sources)


def made(name, with_own_format):
    return from_tables(name, sources_of(name, with_own_format))


@cache
def drawn(name, with_own_format):
    """Drawn once for all that only look at it; drawing leaves its tables as they were."""
    before = [table.copy() for table in sources_of(name, with_own_format)]
    figure = made(name, with_own_format)
    assert all(map(pd.DataFrame.equals, sources_of(name, with_own_format), before))
    style.footnote(figure, ["measured", "simulated"], ["gsm8k_test"])
    return laid_out(figure)


@cache
def tabulated(name, with_own_format):
    """Tabulated once for all that only look at it."""
    return made(name, with_own_format)


@every_figure
@own_format
def test_nothing_is_cut_off(name, with_own_format):
    assert outside_the_canvas(drawn(name, with_own_format)) == []


@every_figure
@own_format
def test_tick_labels_do_not_run_into_each_other(name, with_own_format):
    axes = drawn(name, with_own_format).axes
    assert [pair for each in axes for _, line in axis_lines(each) for pair in overlapping_tick_labels(line)] == []


@every_figure
def test_titles_do_not_run_into_each_other(name):
    assert overlapping([axes.title for axes in drawn(name, False).axes if axes.get_title()]) == []


@every_figure
def test_every_axis_has_a_label_with_its_unit_or_names(name):
    assert unlabelled_axes(drawn(name, False)) == []


@every_figure
def test_no_axes_are_empty(name):
    assert [axes.get_title() for axes in drawn(name, False).axes if not axes.has_data()] == []


@every_figure
def test_a_figure_is_as_wide_as_the_text_of_the_paper(name):
    assert drawn(name, False).get_size_inches()[0] == style.WIDTH


@pytest.mark.parametrize("name", [name for name in FIGURES if name.startswith("mx/")])
def test_a_format_of_the_users_own_is_in_the_picture(name):
    labels = {text.get_text() for text in drawn(name, True).findobj(mpl.text.Text)}
    assert own.FORMAT.name in labels


@pytest.mark.parametrize("name", ["phase_split/capacity", "phase_split/latency", "phase_split/energy"])
def test_a_design_of_the_users_own_is_in_the_picture(name):
    labels = {text.get_text() for text in drawn(name, True).findobj(mpl.text.Text)}
    assert DESIGN.name in labels


@every_figure
def test_drawing_and_saving_twice_gives_identical_bytes(name, tmp_path):
    shown = ["none", "float32", "read", "mxint8", "mxfp4"]
    few = [table[table["format"].isin(shown)] if "format" in table else table for table in sources_of(name, False)]
    once, again = (style.save(from_tables(name, few), tmp_path / folder / "picture") for folder in ("once", "again"))
    assert set(once) == {"pdf", "svg", "png"}
    assert [suffix for suffix in once if once[suffix].read_bytes() != again[suffix].read_bytes()] == []


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
