"""The common style: readable colours, distinguishable marks, and a footnote that names the stand-ins."""

from itertools import combinations

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from jouleproof.drawing import style
from jouleproof.errors import UserError
from jouleproof.evidence.tables import TIERS
from jouleproof.evidence.verdicts import VERDICTS
from jouleproof.formats import FORMATS


def luminance(colour):
    """Compute relative luminance (WCAG 2.2)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in mpl.colors.to_rgb(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def footnote_of(*arguments):
    figure = plt.figure()
    style.footnote(figure, *arguments)
    return figure


def test_contrast_is_measured_as_defined():
    assert (contrast("black", "white"), contrast("red", "red")) == (21.0, 1.0)


def test_every_verdict_has_a_style_whose_text_can_be_read():
    assert set(style.VERDICT_STYLES) == set(VERDICTS)
    contrasts = {verdict: contrast(face, ink) for verdict, (_, face, ink) in style.VERDICT_STYLES.items()}
    assert {verdict: value for verdict, value in contrasts.items() if value < 4.5} == {}


def test_two_verdicts_are_told_apart_without_their_colour():
    alike = [
        pair
        for pair in combinations(style.VERDICT_STYLES, 2)
        for (glyph, face, _), (other_glyph, other_face, _) in [[style.VERDICT_STYLES[verdict] for verdict in pair]]
        if glyph == other_glyph and contrast(face, other_face) < 1.5
    ]
    assert alike == []


def test_every_tier_has_a_mark_of_its_own():
    assert set(style.TIER_MARKS) == set(TIERS)
    assert len(set(style.TIER_MARKS.values())) == len(TIERS)


def test_every_built_in_format_has_a_label_a_colour_and_a_marker_of_its_own():
    for looks in zip(*(style.FORMAT_STYLES[name] for name in FORMATS), strict=True):
        assert len(set(looks)) == len(FORMATS)


def test_no_recipe_of_several_formats_looks_like_a_format():
    formats = {*(style.FORMAT_STYLES[name][1] for name in FORMATS), *style.OTHER_COLOURS}
    mixed = {name: colour for name, (_, colour, _) in style.RECIPE_STYLES.items() if name.startswith("mxfp4_")}
    assert len(set(mixed.values())) == len(mixed) and not formats & set(mixed.values())


def test_formats_come_in_one_order_and_a_users_after_them_under_their_names():
    assert style.ordered_formats(["zz", "mxfp4", "aa", "mxint8", "mxfp4"]) == ["mxint8", "mxfp4", "aa", "zz"]
    assert style.format_label("mine") == "mine"


def test_a_format_keeps_its_look_whatever_stands_beside_it_and_a_users_has_one_of_its_own():
    looks = style.format_style([*FORMATS, "mine", "yours"])
    assert style.format_style(["mxfp4"])["mxfp4"] == looks["mxfp4"]
    assert len({look["color"] for look in looks.values()}) == len(FORMATS) + 2


def test_a_design_a_recipe_and_an_information_of_a_users_are_labelled_with_their_names():
    for styles in (style.design_style, style.recipe_style, style.information_style):
        assert styles(["mine"])["mine"]["label"] == "mine"
    assert list(style.information_style(["p99", "mine", "mean"])) == ["p99", "mine", "mean"]


def test_an_entry_of_a_legend_is_a_mark_alone_unless_a_line_is_asked_for():
    mark, line, both = (style.key("a", **look) for look in ({"marker": "o"}, {"ls": "--"}, {"marker": "o", "lw": 1.2}))
    assert (mark.get_linewidth(), line.get_linestyle(), both.get_linewidth()) == (0, "--", 1.2)


def test_rows_are_named_from_the_top():
    _, axes = plt.subplots()
    style.name_rows(axes, ["first", "last"], 0.6)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "last"] and axes.get_ylim() == (
        1.6,
        -0.6,
    )


def test_ticks_of_a_logarithmic_axis_are_written_without_powers():
    figure, (left, right) = plt.subplots(1, 2)
    for axes in (left, right):
        axes.plot([3, 3000], [3, 3000])
        axes.set_xscale("log")
    style.plain_ticks(left.xaxis, [1000, 10, 10])
    style.plain_log(right.yaxis)
    figure.draw_without_rendering()
    assert [label.get_text() for label in left.get_xticklabels()] == ["10", "1,000"]
    assert left.xaxis.get_minorticklocs().size == 0 and right.get_yscale() == "log"
    assert {"10", "20", "50", "1000"} <= {label.get_text() for label in right.get_yticklabels()}


def test_the_footnote_names_the_tiers_in_one_order_and_every_stand_in():
    assert footnote_of(["simulated", "measured"], []).get_supxlabel() == "● measured   ▲ simulated"
    assert footnote_of(["measured"], {"b", "a"}).get_supxlabel() == "● measured   stand-in used for: a, b"


def test_a_footnote_with_a_stand_in_has_another_colour():
    one, other = (footnote_of(["measured"], stand_ins)._supxlabel.get_color() for stand_ins in ([], ["a"]))
    assert one != other


def test_a_picture_carries_no_date(tmp_path):
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    style.save(figure, tmp_path / "picture", "")
    assert b"CreationDate" not in (tmp_path / "picture.pdf").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "picture.svg").read_bytes()


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "deep").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"picture\.pdf: cannot be written"):
        style.save(plt.figure(), tmp_path / "deep" / "picture", "")
