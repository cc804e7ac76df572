"""The overview of the verdicts and their table, with all seven verdicts and all three tiers among them."""

import json

import matplotlib as mpl
import pytest
from matplotlib.patches import Rectangle

from jouleproof.drawing import overview, style, verdicts
from jouleproof.evidence.ledger import read_ledgers
from jouleproof.inputs import catalogue
from jouleproof.study import built_in_studies
from tests.figures.conftest import HOSTILE
from tests.figures.samples import verdict_rows
from tests.figures.seen import laid_out, outside_the_canvas, overlapping, texts

LEDGER = read_ledgers([study.ledger for study in built_in_studies()])
ROWS = verdict_rows(LEDGER)
TITLES = {study.name: study.title for study in built_in_studies()}


@pytest.fixture(scope="module")
def picture():
    return laid_out(overview.draw(ROWS, TITLES))


def faces(figure):
    """Colours of the tiles, in the order of the rows."""
    return [
        mpl.colors.to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches if isinstance(patch, Rectangle)
    ]


def legend_of(figure):
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


def test_every_row_has_a_tile_in_the_colour_of_its_verdict(picture):
    expected = [style.VERDICT_STYLES[row["verdict"]][1].lower() for row in ROWS]
    assert sorted(faces(picture)) == sorted(expected)


def test_every_row_is_named_with_its_version_and_its_id_below_the_heading_of_its_area(picture):
    names = {text.get_text() for text in picture.axes[0].texts}
    assert {"Storage: MXFP4", "Lower cost (pub.)", "Lower cost (corr.)", "Levers multiply"} <= names
    assert {claim.id.partition(".")[2] for claim in LEDGER} <= names
    assert {claim.area for claim in LEDGER} == set(TITLES) and set(TITLES.values()) <= names


def test_nothing_is_cut_off_and_no_text_runs_into_another(picture):
    assert outside_the_canvas(picture) == overlapping(texts(picture)) == []


def cut_by_their_tiles(figure):
    tiles = [patch.get_window_extent() for patch in figure.axes[0].patches]
    cut = []
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        middle = (box.y0 + box.y1) / 2
        around = [tile for tile in tiles if tile.y0 < middle < tile.y1 and tile.x0 <= box.x0 < tile.x1]
        if around and box.x1 > around[0].x1:
            cut.append(text.get_text())
    return cut


def test_every_text_stays_inside_its_tile(picture):
    assert cut_by_their_tiles(picture) == []


def test_the_legend_explains_every_verdict_and_tier_that_is_there(picture):
    shown = legend_of(picture)
    assert {text.split(maxsplit=1)[-1] for text in shown} >= {"reproduced", "partly", "not reproduced", "simulated"}
    assert len(shown) == len(style.VERDICT_STYLES) + len(style.TIER_MARKS)
    rows = [{**row, "verdict": "not yet run", "tier": "measured"} for row in ROWS[::9]]
    assert legend_of(laid_out(overview.draw(rows, TITLES))) == {"not yet run", "● measured"}


@pytest.mark.parametrize("stand_ins", [("a",), ("gsm8k_test", "gsm8k_train", "mlenergy"), tuple(catalogue())])
def test_a_row_that_rests_on_a_stand_in_is_marked_and_the_note_overprints_nothing(stand_ins):
    inputs = {**dict.fromkeys(stand_ins, "stand-in"), "other": "local"}
    figure = laid_out(overview.draw([{**row, "inputs": inputs} for row in ROWS], TITLES))
    assert outside_the_canvas(figure) == overlapping(texts(figure)) == cut_by_their_tiles(figure) == []
    (legend,) = figure.legends
    note = legend.get_title().get_text().replace("\n", " ").replace(" or ", ", ")
    assert note == f"† rests on a stand-in for {', '.join(sorted(stand_ins))}"
    marked = [text.get_text() for text in figure.axes[0].texts if text.get_text().endswith(" †")]
    assert len(marked) == len(ROWS)


def test_only_rows_that_rest_on_a_stand_in_are_marked_with_it(tmp_path, picture):
    first, second = {**ROWS[0], "inputs": {"a": "stand-in"}}, {**ROWS[1], "inputs": {"b": "local"}}
    names = [text.get_text() for text in overview.draw([first, second], TITLES).axes[0].texts]
    assert [name for name in names if "†" in name] == ["Storage: MXFP4 †"]
    assert not any("†" in text.get_text() for text in texts(picture))
    verdicts_in_words = list(verdicts.tabulate([first, second])["verdict"])
    assert [verdict.endswith(" †") for verdict in verdicts_in_words] == [True, False]
    (tmp_path / "verdicts.json").write_text(json.dumps([first, second]))
    verdicts.make(tmp_path / "verdicts.json", tmp_path / "t")
    assert "† rests on a stand-in, named under the limits</p>" in (tmp_path / "t.html").read_text(encoding="utf-8")


def test_the_same_bytes_are_drawn_twice_whatever_the_matplotlibrc(tmp_path):
    (tmp_path / "verdicts.json").write_text(json.dumps(ROWS[::9]))
    overview.make(tmp_path / "verdicts.json", tmp_path / "a", TITLES)
    with mpl.rc_context():
        mpl.rc_file(HOSTILE)
        overview.make(tmp_path / "verdicts.json", tmp_path / "b", TITLES)
    for suffix in ("pdf", "svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert (tmp_path / "a.rst").read_text().startswith("Every claim of the ledger by area, with its verdict. ")


def test_the_table_of_verdicts_is_written_with_its_caption_and_tiers(tmp_path):
    (tmp_path / "verdicts.json").write_text(json.dumps(ROWS[::9]))
    verdicts.make(tmp_path / "verdicts.json", tmp_path / "t")
    assert len((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()) == 1 + len(ROWS[::9])
    assert (tmp_path / "t.rst").read_text(encoding="utf-8") == verdicts.CAPTION + "\n"
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert f"<p>{verdicts.CAPTION}</p>" in page and "<p>● measured; ▲ simulated; ○ cited</p>" in page


def test_the_table_of_verdicts_is_text_in_every_cell_with_rows_that_no_result_answers_last():
    table = verdicts.tabulate(ROWS)
    assert {type(cell) for cell in table.to_numpy().ravel()} == {str} and len(table) == len(ROWS)
    waiting = ["not yet run" in verdict for verdict in table["verdict"]]
    assert waiting == sorted(waiting)


def test_the_table_names_version_mark_and_limits():
    row = {**ROWS[1], "version": "corrected", "tier": "simulated", "verdict": "partly"}
    (cells,) = verdicts.tabulate([row]).to_dict("records")
    assert cells["claim"].endswith(" (corrected)")
    assert (cells["verdict"], cells["reason"]) == ("▲ partly", "Because. Limits: one model.")
    assert cells["here"] == "1 [0.5, 1.5]"
