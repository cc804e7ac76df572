"""The layout checks report what is wrong with a figure, and accept what is right."""

import pytest
from matplotlib import pyplot as plt

from tests.figures.seen import (
    is_number,
    laid_out,
    outside_the_canvas,
    overlapping_tick_labels,
    unlabelled_axes,
    visible_tick_labels,
)


@pytest.fixture
def axes():
    _, axes = plt.subplots(figsize=(4, 2))
    axes.plot([0, 10], [0, 10])
    axes.set(xlabel="time (s)", ylabel="power (W)")
    return axes


def seen(axes):
    return laid_out(axes.figure)


def test_a_plain_figure_has_nothing_wrong(axes):
    figure = seen(axes)
    assert outside_the_canvas(figure) == unlabelled_axes(figure) == overlapping_tick_labels(axes.xaxis) == []


@pytest.mark.parametrize("place", [(0.5, 1.5), (-0.4, 0.5), (0.9, 0.5)])
def test_a_text_that_leaves_the_canvas_is_seen(axes, place):
    axes.figure.text(*place, "a rather long text")
    assert [text for text, _ in outside_the_canvas(seen(axes))] == ["a rather long text"]


def test_a_title_wider_than_the_canvas_is_seen(axes):
    axes.set_title("a title that is much too long for the narrow canvas that it has to fit in with all its words")
    assert len(outside_the_canvas(seen(axes))) == 1


def test_crowded_tick_labels_are_seen(axes):
    axes.set_xticks(range(11), [f"a long name {n}" for n in range(11)])
    seen(axes)
    assert overlapping_tick_labels(axes.xaxis)


def test_labels_at_an_angle_may_share_their_boxes_but_not_their_lines(axes):
    axes.set_xticks([0, 5, 10], ["a rather long name"] * 3, rotation=60, ha="right", rotation_mode="anchor")
    seen(axes)
    assert overlapping_tick_labels(axes.xaxis) == []
    axes.set_xticks([4.9, 5, 5.1], ["a rather long name"] * 3, rotation=60, ha="right", rotation_mode="anchor")
    seen(axes)
    assert len(overlapping_tick_labels(axes.xaxis)) == 2


def test_a_tick_outside_the_view_is_not_drawn(axes):
    axes.set_xticks([-5, 0, 10, 15])
    axes.set_xlim(0, 10)
    seen(axes)
    assert [label.get_text() for label in visible_tick_labels(axes.xaxis)] == ["0", "10"]


@pytest.mark.parametrize("label", ["", "time", "time (s) of day"])
def test_an_axis_without_a_unit_is_seen(axes, label):
    axes.set_xlabel(label)
    assert [way for _, way, _ in unlabelled_axes(seen(axes))] == ["x"]


def test_an_axis_of_names_needs_no_unit(axes):
    axes.set_xticks([0, 10], ["MXINT8", "e3m4"])
    axes.set_xlabel("")
    assert unlabelled_axes(seen(axes)) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", True), ("−0.5", True), (r"$\mathdefault{10^{-2}}$", True), ("e3m4", False), ("MXFP8 E4M3", False)],
)
def test_a_name_is_told_from_a_number(text, number):
    assert is_number(text) is number
