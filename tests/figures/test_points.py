"""Points with their intervals, cells of text, and the parts of the ledger that figures show."""

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from jouleproof.drawing import cells, ledger
from jouleproof.drawing.points import apart, mean_ends, mean_of, median_and_ends, over_seeds, points
from jouleproof.drawing.style import HEADLINES
from jouleproof.evidence.intervals import Estimate, mean_interval
from jouleproof.study import built_in_studies

ROOT = Path(__file__).resolve().parents[2]
ROWS = pd.DataFrame({"name": list("aabb"), "seed": [0, 1, 0, 1], "weight": [3, 1, 1, 1], "value": [1.0, 2.0, 5.0, 5.0]})


def bars(axes):
    """Ends of the bars drawn last: a pair of points for each."""
    *_, collections = axes.containers[-1].lines
    return [segment.tolist() for lines in collections for segment in lines.get_segments()]


def test_a_bar_reaches_over_the_interval_of_what_is_an_estimate():
    _, axes = plt.subplots()
    points(axes, Estimate(2.0, 1.0, 4.0), 7)
    assert bars(axes) == [[[1.0, 7.0], [4.0, 7.0]]]
    points(axes, [1, 2], [Estimate(2.0, 1.0, 4.0), Estimate(3.0, 3.0, 3.0)])
    assert bars(axes) == [[[1, 1.0], [1, 4.0]], [[2, 3.0], [2, 3.0]]]
    table = over_seeds(ROWS, ["name"])
    points(axes, [1, 2], table)
    assert [end for _, end in np.array(bars(axes)).reshape(-1, 2)] == table[["low", "high"]].to_numpy().ravel().tolist()


def test_means_are_those_of_this_project():
    one = mean_interval(np.array([1.0, 2.0]))
    assert mean_of(ROWS, name="a") == one and mean_ends(ROWS["value"][:2]) == (one.low, one.high)
    assert over_seeds(ROWS, ["name"]).loc["a"].tolist() == [one.value, one.low, one.high]
    assert mean_of(ROWS, "weight", name="a").value == 1.25
    assert median_and_ends(ROWS["value"]) == Estimate(3.5, 1.0, 5.0)


def test_marks_of_a_row_share_its_width_evenly():
    assert [apart(place, 4, 0.8) for place in range(4)] == pytest.approx([-0.3, -0.1, 0.1, 0.3])


def test_cells_have_a_fixed_number_of_decimals_in_the_unit_of_the_column():
    assert [cells.fixed(0.12345, 1, 100), cells.fixed(None, 1), cells.fixed(np.nan, 1, missing="")] == ["12.3", "–", ""]
    assert cells.with_interval(Estimate(0.5, 0.25, 1.0), 1, 10) == "5.0 [2.5, 10.0]"
    assert cells.with_interval(Estimate(0.5, -0.25, 1.0), 2, sign="+") == "+0.50 [-0.25, +1.00]"
    assert cells.with_ends(2.0, ROWS["value"], 0) == "2 [1, 5]"
    assert cells.mean_with_interval(ROWS["value"][2:], 2) == "5.00 [5.00, 5.00]"
    assert cells.mean_with_interval(ROWS["value"][:0], 2) == ""
    assert cells.spanned(Estimate(2 / 3, 0.5, 1.0)) == "0.6667 [0.5, 1]"


def test_an_accepted_range_leaves_the_view_as_it_is():
    _, axes = plt.subplots()
    axes.plot([1.0, 2.0], [0, 1])
    before = axes.get_xlim()
    ledger.accepted(axes, "mx.fetches.decode", (0, 1))
    (band,) = axes.patches
    assert axes.get_xlim() == before and band.get_bbox().extents.tolist() == [1.2, 0, before[1], 1]


def test_an_accepted_range_is_drawn_in_the_unit_of_the_axis():
    _, axes = plt.subplots()
    ledger.accepted(axes, "joint.parts_add_up", (2, 3), way="y", over=0.01)
    assert axes.patches[0].get_bbox().extents.tolist() == [2, 0, 3, 50]


def test_what_a_source_does_not_state_is_not_shown():
    assert ledger.published("phase_split.same_power_and_cost") == 2.35
    with pytest.raises(ValueError, match="has no published value"):
        ledger.published("mx.fetches.decode")


def test_every_claim_that_a_picture_names_is_in_the_ledger_of_its_study():
    studies = "|".join(study.name for study in built_in_studies())
    claim = re.compile(rf"({studies})\.[a-z0-9_.]+")
    files = [*ROOT.glob("figures/*/*.py"), ROOT / "bench/jouleproof/drawing/style.py"]
    texts = {
        (path.parent.name, node.value)
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and claim.fullmatch(node.value)
    }
    assert len(texts) > 25
    assert [name for study, name in texts if study not in ("drawing", ledger.claim_of(name).area)] == []
    assert all(ledger.published(f"phase_split.{name}") for name in HEADLINES)
