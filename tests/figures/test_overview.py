"""The verdicts at a glance and claim by claim, with all seven verdicts and all three tiers among them."""

import json
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.patches import Rectangle
from typer.testing import CliRunner

from jouleproof.drawing import overview, style, verdicts
from jouleproof.evidence.ledger import read_ledger
from tests.figures.samples import verdict_rows
from tests.figures.seen import laid_out, outside_the_canvas, overlapping, texts

LEDGER = read_ledger(Path(__file__).resolve().parents[2] / "paper" / "claims.toml")
ROWS = verdict_rows(LEDGER)


@pytest.fixture(scope="module")
def drawn():
    return laid_out(overview.draw(ROWS))


def faces(figure):
    """Colours of the tiles, in the order of the rows."""
    return [
        mpl.colors.to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches if isinstance(patch, Rectangle)
    ]


def legend_of(figure):
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


def test_every_row_has_a_tile_in_the_colour_of_its_verdict(drawn):
    expected = [style.VERDICT_STYLES[row["verdict"]][1].lower() for row in ROWS]
    assert sorted(faces(drawn)) == sorted(expected)


def test_every_row_is_named_with_its_version(drawn):
    names = [text.get_text() for text in drawn.axes[0].texts]
    assert {"Storage: MXFP4", "Lower cost (pub.)", "Lower cost (corr.)", "Levers multiply"} <= set(names)


def test_every_row_can_be_found_by_its_id_in_the_ledger(drawn):
    names = {text.get_text() for text in drawn.axes[0].texts}
    assert {claim.id.partition(".")[2] for claim in LEDGER} <= names


def test_every_area_of_the_ledger_has_its_heading(drawn):
    assert {claim.area for claim in LEDGER} == set(overview.AREAS)
    assert set(overview.AREAS.values()) <= {text.get_text() for text in drawn.axes[0].texts}


def test_nothing_is_cut_off(drawn):
    assert outside_the_canvas(drawn) == []


def test_no_text_runs_into_another(drawn):
    assert overlapping(texts(drawn)) == []


def test_every_text_stays_inside_its_tile(drawn):
    tiles = [patch.get_window_extent() for patch in drawn.axes[0].patches]
    cut = []
    for text in drawn.axes[0].texts:
        box = text.get_window_extent()
        middle = (box.y0 + box.y1) / 2
        around = [tile for tile in tiles if tile.y0 < middle < tile.y1 and tile.x0 <= box.x0 < tile.x1]
        if around and box.x1 > around[0].x1:
            cut.append(text.get_text())
    assert cut == []


def test_the_legend_explains_every_verdict_and_tier(drawn):
    shown = legend_of(drawn)
    assert {text.split(maxsplit=1)[-1] for text in shown} >= {"reproduced", "partly", "not reproduced", "simulated"}
    assert len(shown) == len(style.VERDICT_STYLES) + len(style.TIER_MARKS)


def test_the_legend_leaves_out_what_is_not_there():
    rows = [{**row, "verdict": "not yet run", "tier": "measured"} for row in ROWS[::9]]
    assert legend_of(laid_out(overview.draw(rows))) == {"not yet run", "● measured"}


def test_the_command_draws_the_same_bytes_twice(tmp_path):
    (tmp_path / "verdicts.json").write_text(json.dumps(ROWS[::9]))
    for name in ("a", "b"):
        where = ["--verdicts", str(tmp_path / "verdicts.json"), "--out", str(tmp_path / name)]
        assert CliRunner().invoke(overview.app, where).exit_code == 0
    for suffix in ("pdf", "svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_the_table_of_verdicts_is_text_in_every_cell():
    table = verdicts.tabulate(ROWS)
    assert {type(cell) for cell in table.to_numpy().ravel()} == {str}
    assert len(table) == len(ROWS)


def test_rows_that_no_result_answers_come_last_in_the_table():
    found = ["not yet run" in verdict for verdict in verdicts.tabulate(ROWS)["verdict"]]
    assert found == sorted(found)


def test_the_table_names_version_mark_and_limits():
    row = {**ROWS[1], "version": "corrected", "tier": "simulated", "verdict": "partly"}
    (cells,) = verdicts.tabulate([row]).to_dict("records")
    assert cells["claim"].endswith(" (corrected)")
    assert (cells["verdict"], cells["reason"]) == ("▲ partly", "Because. Limits: one model.")
    assert cells["here"] == "1 [0.5, 1.5]"
