"""Energy of a right answer: the laws applied, floors, and the front of models that no other beats."""

import numpy as np
import pandas as pd
import pytest

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments.answers import Costs, answers, at_front
from jouleproof.studies.slm_energy.model_cards import Published
from jouleproof.studies.slm_energy.prediction_model import MIXED_PREDICTORS, Laws, joules_per_token, laws_of

DRAWS = 100
EIGHT, SMALL, MIXTURE = Published("a", 8.0, 8.0), Published("b", 3.8, 3.8), Published("c", 40.0, 7.0)


def laws(error=0.0):
    dense, mixed = np.tile([-3.0, 1.0], (DRAWS, 1)), np.tile([-2.0, 0.2, 0.6, -0.5], (DRAWS, 1))
    return Laws(64, dense, mixed, error, error)


def law_table():
    """Build the table that the experiment energy_law writes, with all resamples alike."""
    rows = []
    for models, limit, predictors, exponents in (
        ("dense", 64, "active", {"constant": -3.0, "active": 1.0}),
        ("all", 0, MIXED_PREDICTORS, {"constant": -2.0, "active": 0.2, "total": 0.6, "batch": -0.5}),
    ):
        factors = {"models": models, "gpu": "H100", "limit": limit, "predictors": predictors, "predictor": "none"}
        rows.append({**factors, "metric": "error_ln", "value": 0.1})
        rows += [
            {**factors, "predictor": name, "metric": "exponent", "repeat": repeat, "value": value}
            for repeat in range(DRAWS)
            for name, value in exponents.items()
        ]
    return tidy(rows, model="all", unit="1", tier=SIMULATED)


@pytest.fixture(scope="module")
def table():
    return answers(SlmEnergyConfig.model_validate({"energy_law": {"resamples": DRAWS}}), law_table())


def rows_of(table, metric, **where):
    rows = table[table["metric"] == metric]
    for column, level in where.items():
        rows = rows[rows[column] == level]
    return rows["value"].to_numpy()


def test_a_measured_size_takes_what_the_law_says():
    assert joules_per_token("a", EIGHT, laws(), floor=0.5, seed=0) == pytest.approx(np.exp(-3) * 8)


def test_a_mixture_takes_what_the_law_of_all_models_says():
    expected = np.exp(-2) * 7**0.2 * 40**0.6 * 64**-0.5
    assert joules_per_token("c", MIXTURE, laws(), floor=0.5, seed=0) == pytest.approx(expected)


def test_a_smaller_model_saves_at_most_what_the_law_says_and_at_least_what_the_floor_leaves():
    eight = joules_per_token("a", EIGHT, laws(), floor=0.5, seed=0)
    ratio = joules_per_token("b", SMALL, laws(), floor=0.5, seed=0) / eight
    assert (ratio >= 3.8 / 8).all() and (ratio <= 0.5 + 0.5 * 3.8 / 8).all() and np.ptp(ratio) > 0.1


def test_models_deviate_each_on_its_own_and_alike_in_every_call():
    first, again, other = (joules_per_token(name, EIGHT, laws(error=0.2), floor=0.5, seed=0) for name in "aab")
    assert (first == again).all() and abs(np.corrcoef(np.log(first), np.log(other))[0, 1]) < 0.4


def test_a_model_of_unknown_size_is_an_error():
    with pytest.raises(ValueError, match="GPT: parameters not published"):
        joules_per_token("GPT", Published("GPT"), laws(), floor=0.5, seed=0)


def test_a_limit_at_which_too_few_were_measured_has_no_law():
    assert laws_of(law_table(), 64) is not None
    assert laws_of(law_table(), 8) is None


def test_a_model_is_at_the_front_unless_another_is_as_often_right_for_fewer_joules():
    def cost(joules, right):
        return Costs(*(np.full(4, value) for value in (joules, joules, joules, right)))

    front = at_front({"cheap": cost(1, 0.5), "good": cost(2, 0.9), "beaten": cost(3, 0.8), "best": cost(4, 0.95)})
    assert front == {"cheap": 1, "good": 1, "beaten": 0, "best": 1}


def test_a_right_answer_takes_an_answers_joules_over_the_share_that_is_right(table):
    """The medians must agree within one or two per cent when the spreads are this narrow."""
    config = {"energy_law": {"resamples": 2000}, "answers": {"length_spread": 1e-6}}
    sharp = answers(SlmEnergyConfig.model_validate(config), _without_error(law_table(), 2000))
    answer = rows_of(sharp, "joules_per_answer", model="Llama 3 8B", limit=64)[0]
    right = rows_of(sharp, "joules_per_correct", model="Llama 3 8B", limit=64, protocol="8-shot CoT")[0]
    assert right == pytest.approx(answer / 0.774, rel=0.02)
    assert answer == pytest.approx(150 * np.exp(-3) * 8, rel=1e-3)


def _without_error(table, draws):
    errors = table["metric"] == "error_ln"
    exponents = table[~errors & (table["repeat"] == 0)]
    repeated = pd.concat([exponents] * draws).assign(repeat=np.repeat(np.arange(draws), len(exponents)))
    return pd.concat([table[errors].assign(value=0.0), repeated], ignore_index=True)


def test_longer_answers_widen_a_ratio(table):
    where = {"model": "Phi-3-mini", "against": "Llama 3 8B", "limit": 64, "protocol": "8-shot CoT"}
    assert np.ptp(rows_of(table, "joules_ratio", **where)) > np.ptp(rows_of(table, "joules_ratio_same_length", **where))


def test_the_phone_takes_its_watts_over_its_tokens_whatever_the_gpu_serves(table):
    middle = rows_of(table, "joules_per_token", model="Phi-3-mini on a phone")
    assert middle[0] == pytest.approx(4.25 / 12, rel=0.1)


@pytest.mark.parametrize(
    ("name", "gigabytes"), [("no scales", 1.9), ("MXFP4", 2.01875), ("Q4_0", 2.1375), ("Q4_1", 2.375)]
)
def test_weights_take_their_bits_and_their_scales(table, name, gigabytes):
    assert rows_of(table, "weights", format=name) == pytest.approx([gigabytes])


def test_every_row_is_simulated(table):
    assert set(table["tier"]) == {"simulated"}


def test_the_same_config_gives_the_same_draws(table):
    again = answers(SlmEnergyConfig.model_validate({"energy_law": {"resamples": DRAWS}}), law_table())
    assert again.equals(table)
