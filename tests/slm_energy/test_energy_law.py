"""Laws of the energy of a token: exact on data that follow one, equal to an independent fit, and an error on data that
determine none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from jouleproof.inputs import InputError, read_energy
from jouleproof.inputs.stand_in import mlenergy
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments.energy_law import energy_law, energy_points, is_dense, measured_chat
from jouleproof.studies.slm_energy.law_fit import fit, left_out, resampled

PREDICTORS = ("active", "total", "batch")


def random_table(seed, models=6, rows=5, noise=0.3):
    rng = np.random.default_rng(seed)
    active, total = rng.uniform(2, 70, models), rng.uniform(70, 400, models)
    table = pd.DataFrame(
        {
            "model": np.repeat([f"m{number}" for number in range(models)], rows),
            "active_b": np.repeat(active, rows),
            "total_b": np.repeat(total, rows),
            "batch": rng.uniform(8, 512, models * rows),
        }
    )
    exact = 0.3 * table["active_b"] ** 0.4 * table["total_b"] ** 0.6 * table["batch"] ** -0.5
    return table.assign(joules_per_token=exact * np.exp(noise * rng.standard_normal(len(table))))


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    path = tmp_path_factory.mktemp("measured") / "mlenergy_tokens.csv"
    path.write_bytes(mlenergy.measurements(0))
    return path


def test_a_power_law_without_noise_is_found_exactly():
    law = fit(random_table(0, noise=0), PREDICTORS)
    assert law.coefficients == pytest.approx([np.log(0.3), 0.4, 0.6, -0.5]) and law.r2 == pytest.approx(1)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_fit_is_that_of_another_library(seed):
    from sklearn.linear_model import LinearRegression

    table = random_table(seed)
    columns = np.log(table[["active_b", "total_b", "batch"]].to_numpy())
    target = np.log(table["joules_per_token"])
    other = LinearRegression().fit(columns, target)
    law = fit(table, PREDICTORS)
    assert law.coefficients == pytest.approx([other.intercept_, *other.coef_])
    assert law.r2 == pytest.approx(other.score(columns, target))


def test_a_resample_is_a_fit_of_the_models_that_were_drawn():
    """The reference concatenates the rows of the drawn models and fits them."""
    table = random_table(1)
    coefficients, r2 = resampled(table, ("active", "batch"), 8, seed=5)
    groups = [group for _, group in table.groupby("model", sort=True)]
    rng, plain = np.random.default_rng(5), []
    for counts in rng.multinomial(6, np.full(6, 1 / 6), size=8):
        rows = pd.concat([group for group, count in zip(groups, counts, strict=True) for _ in range(count)])
        plain.append(fit(rows, ("active", "batch")))
    assert coefficients == pytest.approx(np.stack([law.coefficients for law in plain]))
    assert r2 == pytest.approx([law.r2 for law in plain])


def test_a_resample_that_leaves_an_exponent_open_is_drawn_again():
    coefficients, _ = resampled(random_table(2, models=2), ("active", "batch"), 200, seed=0)
    assert coefficients.shape == (200, 3) and np.isfinite(coefficients).all() and np.abs(coefficients).max() < 100


def test_models_that_cannot_tell_predictors_apart_are_an_error():
    with pytest.raises(ValueError, match="2 models are too few to separate active, total, batch"):
        resampled(random_table(3, models=2), PREDICTORS, 10, seed=0)


def test_a_model_left_out_is_predicted_by_the_others_alone():
    table = random_table(4, noise=0)
    table.loc[table["model"] == "m0", "joules_per_token"] *= 2
    errors = left_out(table, PREDICTORS).groupby("model")["error"].mean()
    assert errors["m0"] == pytest.approx(np.log(2))


@pytest.fixture(scope="module")
def points(stand_in):
    return energy_points(read_energy(stand_in))


@pytest.fixture(scope="module")
def law(points):
    return energy_law(SlmEnergyConfig.model_validate({"energy_law": {"resamples": 100}}), points)


def test_the_law_of_the_cited_selection_is_that_of_least_squares_on_its_lines(points, law):
    at_limit = law[(law["models"] == "dense") & (law["gpu"] == "H100") & (law["limit"] == 8)]
    chat = measured_chat(points)
    dense = chat[is_dense(chat) & (chat["gpu"] == "H100") & (chat["limit"] == 8)]
    other = stats.linregress(np.log(dense["active_b"]), np.log(dense["joules_per_token"]))
    fitted = at_limit[at_limit["metric"] == "exponent_fit"].set_index("predictor")["value"]
    assert fitted["active"] == pytest.approx(other.slope) and fitted["constant"] == pytest.approx(other.intercept)
    assert at_limit.loc[at_limit["metric"] == "r2_fit", "value"].item() == pytest.approx(other.rvalue**2)


def test_what_is_measured_is_cited_and_what_is_fitted_simulated(points, law):
    assert set(points["tier"]) == {"cited"} and set(law["tier"]) == {"simulated"}


def test_the_stand_in_holds_the_cited_lines_and_leaves_out_what_they_do_not_have(stand_in):
    table = read_energy(stand_in)
    assert table["joules_per_answer"].isna().all() and set(table["task"]) == {"lm-arena-chat"}
    first = table[(table["model"] == "Qwen 3 14B") & (table["gpu"] == "B200") & (table["limit"] == 8)]
    assert first["joules_per_token"].item() == 0.6993


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",0.6993,", ",0,", "energy_per_token_joules"),
        (",0.6993,", ",-1,", "energy_per_token_joules"),
        (",0.6993,", ",much,", "energy_per_token_joules"),
        (",0.6993,", ",nan,", "energy_per_token_joules"),
        ("Qwen 3 14B,14.0,14.0", "Qwen 3 14B,14.0,15.0", "active_params_b is above total_params_b"),
        ("Qwen 3 14B,14.0,14.0", ",14.0,14.0", "nickname is empty"),
        ("energy_per_token_joules", "joules", "energy_per_token_joules"),
    ],
)
def test_a_damaged_table_of_energy_is_one_line_that_names_the_column(stand_in, tmp_path, old, new, message):
    damaged = tmp_path / stand_in.name
    damaged.write_text(stand_in.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        read_energy(damaged)
    assert "\n" not in str(error.value)
