"""The quantities that come from other studies' tables."""

import numpy as np
import pytest

from jouleproof.errors import UserError
from jouleproof.studies.joint import evidence
from jouleproof.studies.joint.config import JointConfig
from tests.joint import small_tables

CONFIG = JointConfig(draws=200)
RNG = 7


def test_scores_are_of_the_large_model_and_of_its_stand_in_where_it_has_none():
    small, large = evidence.scores(CONFIG, small_tables.cards())
    assert sorted(zip(small, large, strict=True)) == [(0.6, 0.8), (0.8, 0.9)]


def test_two_scores_bound_what_the_small_model_has_of_the_large_ones_right_answers():
    table = small_tables.cards()
    bounds = evidence.capable(CONFIG, table[table["task"] != "Trivia"], np.random.default_rng(RNG))
    assert bounds["capable_least"] == pytest.approx(0.7 / 0.9)
    assert bounds["capable_most"] == pytest.approx(0.8 / 0.9)


def test_bounds_of_a_mix_of_tasks_lie_between_those_of_its_tasks():
    bounds = evidence.capable(CONFIG, small_tables.cards(), np.random.default_rng(RNG))
    assert 0.4 / 0.8 <= bounds["capable_least"].min() < bounds["capable_least"].max() <= 0.7 / 0.9
    assert 0.6 / 0.8 <= bounds["capable_most"].min() < bounds["capable_most"].max() <= 0.8 / 0.9
    assert (bounds["capable_least"] <= bounds["capable_most"]).all()


def test_ratios_of_small_over_large_are_draws_of_their_table_paired():
    table = small_tables.answers()
    ratios = np.linspace(0.05, 0.14, 10)
    table.loc[table["metric"] == "token_ratio", "value"] = ratios
    table.loc[table["metric"] == "joules_ratio", "value"] = 0.1 * ratios * 20
    ratio_draws = evidence.small_over_large(CONFIG, table, np.random.default_rng(RNG))
    assert set(np.round(ratio_draws["token_ratio"], 6)) == set(np.round(ratios, 6))
    assert ratio_draws["length_ratio"] == pytest.approx(20 * ratio_draws["token_ratio"])


def test_gains_of_placement_are_means_over_fleets_drawn_anew():
    gains = evidence.placed(CONFIG, small_tables.hosting(), np.random.default_rng(RNG))
    assert set(np.round(gains["gain_of_profile"], 6)) == {1.03, 1.04, 1.05}
    assert ((gains["gain_of_rule"] == 1.3) == (gains["joules_placed"] == -0.01)).all()


def test_every_source_gives_draws():
    evidence_draws = evidence.from_tables(CONFIG, small_tables.hosting(), small_tables.answers(), small_tables.cards())
    assert sorted(evidence_draws) == sorted(evidence.SOURCES)
    assert {values.shape for values in evidence_draws.values()} == {(200,)}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (JointConfig(small="Phi-9"), "no card scores 'Phi-9'; known: GPT-3.5, Llama 3 70B, Phi-3-mini"),
        (JointConfig(large="GPT-3.5"), "does not compare 'Phi-3-mini' with 'GPT-3.5'"),
        (JointConfig(row=7), "lacks joules_over_plain for rule asynchrony, information slots24, row 7"),
    ],
)
def test_what_a_table_lacks_is_an_error_that_says_so(config, says):
    with pytest.raises(UserError, match=f"^joint: .*{says}"):
        evidence.from_tables(config, small_tables.hosting(), small_tables.answers(), small_tables.cards())
