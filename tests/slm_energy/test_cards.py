"""The facts of model cards: as many scores as models, known models, and wins counted by hand."""

import pytest

from jouleproof.studies.slm_energy import model_cards
from jouleproof.studies.slm_energy.experiments.cards import LARGER, SAME_SIZE, UNKNOWN, cards, size_beside
from jouleproof.studies.slm_energy.model_cards import Published


@pytest.fixture(scope="module")
def table():
    return cards()


def share(table, card, model, area="all"):
    rows = table[(table["metric"] == "share_won") & (table["card"] == card) & (table["model"] == model)]
    return rows.loc[rows["area"] == area, "value"].item()


def test_every_score_is_a_share_in_percent_and_was_published(table):
    scores = table[table["metric"] == "score"]
    assert scores["value"].between(0, 100).all() and set(table["tier"]) == {"cited"}


def test_every_card_scores_its_subject_and_every_model_is_known():
    for card in model_cards.cards():
        assert not card.scores or all(card.subject in score.by_model for score in card.scores)
        assert {model for score in card.scores for model in score.by_model} <= set(model_cards.models())


def test_wins_are_those_that_one_counts_by_hand(table):
    assert share(table, "April 2024", "Llama 3 8B") == 0.6  # loses ANLI, MedQA, AGIEval and TriviaQA
    assert share(table, "April 2024", "Mixtral 8x7B") == 0.3  # wins MMLU, HellaSwag and GSM8K
    assert share(table, "June 2024", "GPT-3.5") == 4 / 18


def test_the_same_score_is_half_a_win(table):
    rows = table[(table["metric"] == "won") & (table["card"] == "August 2024") & (table["task"] == "OpenBookQA")]
    assert rows.set_index("model")["value"]["Gemma 2 9B"] == 0.5


def test_models_of_the_subjects_own_family_are_no_rivals(table):
    won = table[(table["metric"] == "won") & (table["subject"] == "Phi-3-mini")]
    assert "Phi-2" in set(won["model"]) and not {"Phi-3-small", "Phi-3-medium"} & set(won["model"])


@pytest.mark.parametrize(
    ("model", "size"),
    [
        (Published("a", 7.6), SAME_SIZE),
        (Published("a", 7.7), LARGER),
        (Published("a"), UNKNOWN),
        (Published("a", 46.7, 3.0), LARGER),
    ],
)
def test_sizes_are_told_apart_by_all_parameters(model, size):
    assert size_beside(model, Published("b", 3.8)) == size


def test_a_difference_has_the_interval_of_two_shares_of_so_many_questions(table):
    """88.7 % and 84.9 % of 1,319: a standard error of 1.316 points."""
    rows = table[(table["task"] == "GSM8K") & (table["card"] == "August 2024") & (table["model"] == "Gemma 2 9B")]
    ends = rows.set_index("metric")["value"]
    assert ends["difference"] == pytest.approx(3.8)
    assert ends["difference_high"] - ends["difference"] == pytest.approx(1.96 * 1.316, abs=0.002)
    assert ends["difference"] - ends["difference_low"] == pytest.approx(1.96 * 1.316, abs=0.002)


def test_the_questions_of_gsm8k_are_those_of_its_test_split():
    assert model_cards.questions()["GSM8K"] == 1319
