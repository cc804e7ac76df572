"""One look: colours that can be read, marks that can be told apart, a footnote that names what was stood in for."""

from itertools import combinations
from math import inf

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from jouleproof.drawing import style
from jouleproof.errors import UserError
from jouleproof.evidence.ledger import read_ledgers
from jouleproof.evidence.tables import TIERS
from jouleproof.evidence.verdicts import VERDICTS
from jouleproof.formats import FORMATS
from jouleproof.study import built_in_studies


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
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
    return figure.get_supxlabel()


def test_contrast_is_measured_as_defined():
    assert (contrast("black", "white"), contrast("red", "red")) == (21.0, 1.0)


def test_every_verdict_has_a_style():
    assert set(style.VERDICT_STYLES) == set(VERDICTS)


@pytest.mark.parametrize("verdict", style.VERDICT_STYLES)
def test_the_text_on_a_verdict_can_be_read(verdict):
    _, face, ink = style.VERDICT_STYLES[verdict]
    assert contrast(face, ink) >= 4.5


@pytest.mark.parametrize(("one", "other"), list(combinations(style.VERDICT_STYLES, 2)))
def test_two_verdicts_are_told_apart_without_their_colour(one, other):
    (glyph, face, _), (other_glyph, other_face, _) = style.VERDICT_STYLES[one], style.VERDICT_STYLES[other]
    assert glyph != other_glyph or contrast(face, other_face) >= 1.5


def test_every_tier_has_a_mark_of_its_own():
    assert set(style.TIER_MARKS) == set(TIERS)
    assert len(set(style.TIER_MARKS.values())) == len(TIERS)


def test_every_built_in_format_has_a_label_a_colour_and_a_marker_of_its_own():
    for look in (style.FORMAT_COLOURS, style.FORMAT_MARKERS):
        assert set(look) == set(FORMATS) and len(set(look.values())) == len(FORMATS)
    assert set(FORMATS) < set(style.FORMAT_LABELS)


def test_no_recipe_of_several_formats_looks_like_a_format():
    formats = {*style.FORMAT_COLOURS.values(), *style.OTHER_COLOURS}
    mixed = {name: colour for name, (colour, _) in style.RECIPE_STYLES.items() if name.startswith("mxfp4_")}
    assert len(set(mixed.values())) == len(mixed) and not formats & set(mixed.values())


def test_accepted_ranges_in_figures_are_those_of_the_ledger():
    ledger = {claim.id: claim.accept for claim in read_ledgers([study.ledger for study in built_in_studies()])}
    shown = {
        name: (-inf if low is None else low, inf if high is None else high)
        for name, (low, high) in style.ACCEPTED.items()
    }
    assert shown == {name: ledger[name] for name in shown}


def test_an_accepted_range_leaves_the_view_as_it_is():
    _, axes = plt.subplots()
    axes.plot([1.0, 2.0], [0, 1])
    before = axes.get_xlim()
    style.accepted(axes, "mx.fetches.decode", (0, 1))
    (band,) = axes.patches
    assert axes.get_xlim() == before and band.get_bbox().extents.tolist() == [1.2, 0, before[1], 1]


def test_a_format_that_is_not_built_in_is_called_as_its_user_called_it():
    assert style.format_label("mine") == "mine"


def test_formats_come_in_one_order_and_others_after_them_by_name():
    assert style.ordered_formats(["zz", "mxfp4", "aa", "mxint8", "mxfp4"]) == ["mxint8", "mxfp4", "aa", "zz"]


def test_a_format_keeps_its_look_whatever_stands_beside_it():
    assert style.format_style(["mxfp4"])["mxfp4"] == style.format_style([*FORMATS, "mine"])["mxfp4"]


def test_formats_that_are_not_built_in_get_colours_of_their_own():
    looks = style.format_style([*FORMATS, "mine", "yours"])
    assert len({look["color"] for look in looks.values()}) == len(FORMATS) + 2


def test_the_footnote_names_the_tiers_in_one_order():
    assert footnote_of(["simulated", "measured"], []) == "● measured   ▲ simulated"


def test_the_footnote_names_every_stand_in():
    assert footnote_of(["measured"], {"b", "a"}) == "● measured   stand-in used for: a, b"


def test_a_footnote_with_a_stand_in_has_another_colour():
    figures = [plt.figure(), plt.figure()]
    for figure, stand_ins in zip(figures, ([], ["a"]), strict=True):
        style.footnote(figure, ["measured"], stand_ins)
    one, other = (figure._supxlabel.get_color() for figure in figures)
    assert one != other


def test_a_picture_carries_no_date(tmp_path):
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    paths = style.save(figure, tmp_path / "deep" / "picture")
    assert {b"CreationDate" in paths["pdf"].read_bytes(), b"<dc:date>" in paths["svg"].read_bytes()} == {False}


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "deep").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"picture\.pdf: cannot be written"):
        style.save(plt.figure(), tmp_path / "deep" / "picture")
