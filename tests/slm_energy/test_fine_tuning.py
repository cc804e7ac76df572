"""Steps to a target, and the number of answers after which the expense for tuning is recovered."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jouleproof.errors import UserError
from jouleproof.studies.slm_energy.experiments.fine_tuning import steps_to
from jouleproof.studies.slm_energy.ladder_ratios import best_of, break_even, tunings
from jouleproof.studies.slm_energy.training_run import Run
from jouleproof.studies.slm_energy.training_spec import EQUAL_STEPS, fine_tuned_spec
from tests.slm_energy.small_ladder import STUDY, config

amounts = st.floats(1e-3, 1e3)
shares = st.floats(0.01, 1.0)


def a_spec(settings):
    return fine_tuned_spec(settings, "1k", EQUAL_STEPS)


def test_the_first_test_that_reaches_the_target_counts_even_where_a_later_one_falls_back():
    at = a_spec(config())
    losses, tokens = [1.0, 1.0, 1.0], [18.0, 18.0, 18.0]
    curve = [[10, *losses, 0.1, 0.5, 0.9, *tokens], [20, *losses, 0.8, 0.2, 0.95, *tokens]]
    assert steps_to(0.5, at, Run(20, {}, {}, {}, curve)) == {0: 20, 1: 10, 2: 10}


def test_a_seed_that_never_reaches_the_target_has_no_number():
    at = a_spec(config())
    assert steps_to(0.5, at, Run(10, {}, {}, {}, [[10, 1, 1, 1, 0.1, 0.4, 0.6, 18, 18, 18]])) == {2: 10}


@given(amounts, amounts, amounts, shares, shares)
def test_at_break_even_both_have_cost_the_same(spent, small, large, right_small, right_large):
    answers = break_even(spent, (small, large), (right_small, right_large))
    if "break_even" in answers:
        assert spent + answers["break_even"] * small == pytest.approx(answers["break_even"] * large, rel=1e-6)
    else:
        assert small >= large
    if "break_even_right" in answers:
        count = answers["break_even_right"]
        assert spent + count * small / right_small == pytest.approx(count * large / right_large, rel=1e-6)


def test_a_large_model_that_is_never_right_has_no_break_even_in_right_answers():
    assert set(break_even(1.0, (1.0, 2.0), (0.5, 0.0))) == {"break_even"}


def test_fine_tuning_starts_where_the_better_run_ended(small_ladder):
    settings, tables = small_ladder
    best = best_of(pd.concat([tables["ladder"], tables["ladder_equal_flops"]]), ["1k"], settings.ladder.seeds)[0]
    table = tables["fine_tuning"]
    first = table[(table["way"] == "untouched") & (table["size"] == "1k") & (table["metric"] == "old_accuracy")]
    assert first["value"].tolist() == pytest.approx(best.accuracy.tolist())


def test_training_flops_are_steps_times_those_of_one(small_ladder):
    settings, table = small_ladder[0], small_ladder[1]["fine_tuning"]
    rows = table[(table["metric"] == "training_flops") & (table["way"] == "fine-tuned") & (table["size"] == "1k")]
    assert (rows["value"] == rows["step"] * a_spec(settings).step_flops).all()


def test_only_what_was_asked_for_is_trained_anew(small_ladder):
    table = small_ladder[1]["fine_tuning"]
    assert set(table.loc[table["way"] == "anew", "size"]) == {"1k"}


def test_cost_ratios_are_paired_by_seed(small_ladder):
    settings, table = small_ladder[0], small_ladder[1]["fine_tuning"]
    needed = [
        {"size": size, "way": "fine-tuned", "metric": "steps_to_target", "seed": seed, "value": steps}
        for size, seeds in (("1k", {0: 10, 1: 20}), ("4k", {0: 5, 2: 40}))
        for seed, steps in seeds.items()
    ]
    measured = pd.concat([pd.DataFrame(needed), table[table["metric"] == "accuracy"]])
    seconds = {
        (size, what, batch, seed): time
        for size, time in (("1k", 0.001), ("4k", 0.004))
        for what, batch in (("longer step", 2), ("longer answer", 1), ("longer answer", 3))
        for seed in range(3)
    }
    ratios = [row for row in tunings(settings, measured, seconds) if row["metric"] == "tuning_ratio"]
    assert [row["seed"] for row in ratios] == [0]
    assert ratios[0]["value"] == pytest.approx(10 * 0.001 / (5 * 0.004))


def test_a_size_that_the_ladder_lacks_is_named_in_one_line():
    with pytest.raises(UserError, match="fine_tuning: 70B not in ladder.sizes") as error:
        STUDY.all_knobs('{"fine_tuning": {"large": "70B"}}')
    assert "\n" not in str(error.value)
