"""Requirements on every figure and table of text, with built-in formats and with a user's objects."""

import io
import re
from functools import cache

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text

from jouleproof.drawing import style
from jouleproof.drawing.registry import load
from tests.extension_example.cluster import DESIGN
from tests.extension_example.formats import FORMAT
from tests.figures.conftest import HOSTILE
from tests.figures.samples import differing, tables
from tests.figures.seen import (
    axis_lines,
    laid_out,
    outside_the_canvas,
    overlapping,
    overlapping_tick_labels,
    unlabelled_axes,
)
from tests.pictures import FIGURES

WITHOUT_FORMAT = ("mx/conformance", "mx/training_numbers")  # no peer has a user's format; recipes are not formats
WITH_DESIGN = ("phase_split/capacity", "phase_split/latency", "phase_split/energy")
module_of = cache(load)


def every(kind):
    """Parametrize over each figure or table with the built-in samples, and again if one of its tables differs with a
    user's objects."""
    cases = [
        pytest.param(figure, users, id=f"{name}-{'own' if users else 'built in'}")
        for users in (False, True)
        for name, figure in FIGURES.items()
        if figure.kind == kind and (not users or differing() & set(figure.sources))
    ]
    return pytest.mark.parametrize(("figure", "users"), cases)


def sources_of(figure, users):
    return [tables(users)[name] for name in figure.sources]


def picture_of(figure, users):
    """Draw with a footnote, and lay out once for all checks."""
    picture = module_of(figure).draw(*sources_of(figure, users))
    style.footnote(picture, ["measured", "simulated"], ["gsm8k_test"])
    laid_out(picture).set_layout_engine("none")
    return picture


def svg(picture):
    content = io.BytesIO()
    picture.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


@every("figure")
def test_a_figure_can_be_read_and_comes_out_the_same_again(figure, users):
    before = [table.copy() for table in sources_of(figure, users)]
    picture = picture_of(figure, users)
    wrong = seen_wrong(picture)
    missing = users_names(figure) - {text.get_text() for text in picture.findobj(Text)} if users else set()
    wrong += [f"{name}: not in the picture" for name in missing]
    if not all(map(pd.DataFrame.equals, sources_of(figure, users), before)):
        wrong.append("drawing changed its tables")
    if not users:
        first = svg(picture)
        mpl.rc_file(HOSTILE)
        style.use_style()
        if svg(picture_of(figure, users)) != first:
            wrong.append("other bytes when drawn again under a matplotlibrc")
    plt.close("all")
    assert wrong == [], "\n".join(["", *wrong])


def seen_wrong(picture):
    lines = [line for axes in picture.axes for _, line in axis_lines(axes)]
    titles = [axes.title for axes in picture.axes if axes.get_title()]
    return [
        *(f"cut off: {text!r} at {box}" for text, box in outside_the_canvas(picture)),
        *(f"tick labels overlap: {pair}" for line in lines for pair in overlapping_tick_labels(line)),
        *(f"titles overlap: {pair}" for pair in overlapping(titles)),
        *(f"neither a unit nor names: {axis}" for axis in unlabelled_axes(picture)),
        *(f"empty axes: {axes.get_title()!r}" for axes in picture.axes if not axes.has_data()),
        *([f"width {width}"] if (width := picture.get_size_inches()[0]) != style.WIDTH else []),
    ]


def users_names(figure):
    """Names of the user's objects that a figure or table has to show."""
    if figure.name in WITH_DESIGN:
        return {DESIGN.name}
    return {FORMAT.name} if figure.study == "mx" and figure.name not in WITHOUT_FORMAT else set()


@every("table")
def test_a_table_of_text_is_whole_and_comes_out_the_same_again(figure, users):
    before = [table.copy() for table in sources_of(figure, users)]
    table, again = (module_of(figure).tabulate(*sources_of(figure, users)) for _ in range(2))
    cells, columns = table.to_numpy(), list(table.columns)
    words = [(cell, re.findall(r"[-\w]+", cell)) for cell in cells[:, 1:].ravel() if isinstance(cell, str)]
    wrong = [
        *(["no rows"] if table.empty else []),
        *(f"no text: {cell!r}" for cell in cells.ravel() if type(cell) is not str),
        *(f"not a number: {cell!r}" for cell, parts in words if {"nan", "inf", "-inf"} & set(parts)),
        *(["columns without a name of their own"] if len(set(columns)) < len(columns) or not all(columns) else []),
        *(["other cells when tabulated again"] if not again.equals(table) else []),
        *(f"{name}: not in a row" for name in (users_names(figure) - set(table.get("format", [])) if users else ())),
    ]
    if not all(map(pd.DataFrame.equals, sources_of(figure, users), before)):
        wrong.append("tabulating changed its tables")
    assert wrong == [], "\n".join(["", *wrong])
