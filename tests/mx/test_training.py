"""The training experiment, on a model of one layer and a few sentences: its rows, and their reproducibility."""

import pytest
import torch

from jouleproof.drawing.select import where
from jouleproof.inputs import Problem
from jouleproof.models.training import held_out_loss, windows
from jouleproof.studies.mx.config import MxConfig, TrainingConfig
from jouleproof.studies.mx.experiments.training import cast_losses, curve, training, untrained
from jouleproof.studies.mx.registry import formats, scale_rules

pytestmark = pytest.mark.usefixtures("one_thread")
PROBLEMS = [
    Problem(f"Ann has {n} boxes of 12 eggs. How many eggs?", f"{n} * 12\n#### {12 * n}", 12 * n) for n in range(9)
]
SETTINGS = TrainingConfig(
    recipes=["mxfp6", "mxfp4"],
    seeds=[0, 5],
    layers=1,
    width=32,
    context=32,
    batch=2,
    steps=5,
    warm_up=1,
    every=2,
    held_out=3,
)
CONFIG = MxConfig(formats=["mxfp4", "mxint8"], training=SETTINGS)


@pytest.fixture(scope="module")
def table():
    return training(CONFIG, PROBLEMS[:6], PROBLEMS[6:])


def values(table, **factors):
    return where(table, **factors).sort_values("seed")["value"].tolist()


def test_the_same_config_twice_gives_the_same_table(table):
    assert training(CONFIG, PROBLEMS[:6], PROBLEMS[6:]).equals(table)


def test_every_recipe_has_a_curve_per_seed_and_float32_is_always_among_them(table):
    curves = where(table, metric="train_loss").groupby(["recipe", "seed"])["step"].agg(list)
    assert set(curves.index) == {(name, seed) for name in ("float32", "mxfp6", "mxfp4") for seed in (0, 5)}
    assert all(points == [2, 4, 5] for points in curves)


def test_all_recipes_start_alike(table):
    first = where(table, metric="train_loss", step=2, seed=0)["value"]
    assert first.max() - first.min() < 0.05 and first.nunique() == 3


@pytest.mark.parametrize("recipe", ["mxfp6", "mxfp4"])
def test_added_loss_is_the_difference_to_float32_of_the_same_seed(table, recipe):
    float32, ours = (values(table, metric="loss", recipe=name) for name in ("float32", recipe))
    assert values(table, metric="added_loss", recipe=recipe) == pytest.approx(
        [a - b for a, b in zip(ours, float32, strict=True)], abs=1e-12
    )


def test_there_is_a_direct_cast_per_format_rule_subject_and_seed(table):
    casts = where(table, metric="cast_added_loss")
    assert len(casts) == 2 * 2 * 3 * 2 and set(casts["recipe"]) == {"float32"}


def test_a_coarser_format_adds_more(table):
    casts = where(table, metric="cast_added_loss", subject="both", scale="floor")
    size = casts["value"].abs().groupby(casts["format"]).mean()
    assert size["mxfp4"] > 5 * size["mxint8"] > 0


def test_the_model_and_the_bytes_that_it_saw_are_counted(table):
    assert values(table, metric="parameters") == [256 * 32 + 4 * 32 * 32 + 3 * 32 * 96 + 3 * 32]
    assert values(table, metric="trained_tokens") == [5 * 2 * 32]


def test_a_direct_cast_leaves_the_model_as_it_was():
    model = untrained(SETTINGS, 0)
    held_out = windows(torch.arange(200, dtype=torch.uint8), 3, 32, torch.Generator().manual_seed(0))
    before = held_out_loss(model, held_out)
    losses = list(cast_losses(model, held_out, formats(["mxfp4"]), scale_rules(["floor"])))
    assert [cast["subject"] for cast, _ in losses] == ["activations", "weights", "both"]
    assert all(loss != before for _, loss in losses)
    assert held_out_loss(model, held_out) == before


def test_a_curve_holds_means_and_a_shorter_last_run():
    assert [(row["step"], row["value"]) for row in curve([1.0, 2.0, 3.0, 4.0, 7.0], 2)] == [
        (2, 1.5),
        (4, 3.5),
        (5, 7.0),
    ]


def test_a_curve_that_ends_on_a_full_run_has_nothing_left_over():
    assert [row["step"] for row in curve([1.0] * 4, 2)] == [2, 4]
