"""Small models with random weights under every cast: losses, divergences, cosines and neighbours."""

from contextlib import ExitStack
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.nn import functional

from jouleproof.drawing import select
from jouleproof.formats import FORMATS, SCALE_RULES, fake_quantize
from jouleproof.inputs import Problem
from jouleproof.models.casting import activations_cast, under_cast, weights_cast
from jouleproof.studies.mx.cast_steps import clip_only
from jouleproof.studies.mx.config import DirectCastConfig, MxConfig
from jouleproof.studies.mx.experiments.direct_cast import (
    PlannedCast,
    direct_cast_embedding,
    direct_cast_language,
    divergence,
    embeddings,
    enough_texts,
    log_probabilities,
    loss,
    nearest,
    planned_casts,
    saturation_seen,
)
from tests.extension_example import formats as custom
from tests.formats.generated import REPEATABLE
from tests.models.small import embedding_model, language_model

pytestmark = pytest.mark.usefixtures("one_thread")
QUESTIONS = [
    "How many apples are left?",
    "Ann has 3 boxes of 12 eggs. How many eggs?",
    "Why?",
    "A train goes 60 km in an hour; how far in 3?",
    "Two plus two, then half of it",
]
PROBLEMS = [Problem(question, "#### 1", 1) for question in QUESTIONS]
texts = st.lists(st.integers(1, 30).map(lambda n: [7] * n), max_size=12)


SUBJECTS = ["activations", "weights", "both"]


def config(formats=("mxfp4", "mxint8"), **settings):
    plain = {"scales": ["floor"], "more_scales": {}, "language_subjects": SUBJECTS, "embedding_subjects": SUBJECTS}
    return MxConfig(formats=list(formats), direct_cast=DirectCastConfig(**{**plain, **settings}))


@pytest.fixture(scope="module")
def model():
    return language_model()


@pytest.fixture(scope="module")
def language(model):
    return direct_cast_language(config(), PROBLEMS, model)


@pytest.fixture(scope="module")
def encoder():
    return embedding_model()


@pytest.fixture(scope="module")
def embedding(encoder):
    return direct_cast_embedding(config(), PROBLEMS, encoder)


def cross_entropy(model, text):
    tokens = torch.tensor(model.tokens(text))
    return float(functional.cross_entropy(model.network(tokens[None])[0, :-1], tokens[1:]))


def by_question(table, **where):
    return select.where(table, **where).sort_values("question")["value"].tolist()


def test_the_float32_loss_is_the_cross_entropy_of_each_question_alone(language, model):
    expected = [cross_entropy(model, question) for question in QUESTIONS]
    assert by_question(language, format="float32", metric="loss") == pytest.approx(expected, abs=1e-5)


def test_the_loss_under_a_weight_cast_is_that_of_the_cast_model(language, model):
    with weights_cast(model.network, partial(fake_quantize, fmt="mxfp4")):
        expected = [cross_entropy(model, question) for question in QUESTIONS]
    ours = by_question(language, format="mxfp4", subject="weights", metric="loss")
    assert ours == pytest.approx(expected, abs=1e-5)


def test_added_loss_is_the_difference_to_float32(language):
    float32 = by_question(language, format="float32", metric="loss")
    cast = by_question(language, format="mxfp4", subject="both", metric="loss")
    added = by_question(language, format="mxfp4", subject="both", metric="added_loss")
    assert added == pytest.approx([c - f for c, f in zip(cast, float32, strict=True)], abs=1e-9)


def test_divergence_is_never_negative(language):
    assert (language[language["metric"] == "kl"]["value"] >= -1e-7).all()


def test_a_coarser_format_diverges_more(language):
    kl = language[language["metric"] == "kl"].groupby("format")["value"].mean()
    assert kl["mxfp4"] > 10 * kl["mxint8"] > 0


def test_divergence_is_that_of_torch(model):
    a, b = (torch.randn(6, 61, generator=torch.Generator().manual_seed(seed)).log_softmax(-1) for seed in (0, 1))
    expected = functional.kl_div(b.double(), a.double(), reduction="batchmean", log_target=True)
    assert divergence(a, b) == pytest.approx(float(expected), abs=1e-5)


def test_divergence_of_a_distribution_from_itself_is_zero():
    a = torch.randn(6, 61).log_softmax(-1)
    assert divergence(a, a) == 0


def test_a_cast_that_changes_nothing_diverges_by_nothing(model):
    tokens = [model.tokens(question) for question in QUESTIONS]
    reference = log_probabilities(model, tokens)
    with weights_cast(model.network, torch.clone), activations_cast(model.network, torch.clone):
        cast = log_probabilities(model, tokens)
    assert [divergence(*pair) for pair in zip(reference, cast, strict=True)] == pytest.approx([0] * 5, abs=1e-6)


def test_every_row_counts_the_predicted_tokens_of_its_question(language, model):
    tokens = language.groupby("question")["tokens"].agg(set)
    assert tokens.to_dict() == {i: {len(model.tokens(text)) - 1} for i, text in enumerate(QUESTIONS)}


def test_there_is_a_row_per_question_cast_subject_and_metric(language):
    assert len(language) == len(QUESTIONS) * (1 + 2 * (3 * 3 + 1))


def in_small_batches(language, model):
    small = direct_cast_language(config(batch_tokens=30), PROBLEMS, model)
    both = small.merge(language, on=["format", "subject", "metric", "question"])
    assert len(both) == len(language)
    return both


def test_the_size_of_a_batch_does_not_change_the_results_of_exact_activations(language, model):
    both = in_small_batches(language, model)
    exact = both[both["subject"].isin(["none", "weights"])]
    assert exact["value_x"].tolist() == pytest.approx(exact["value_y"].tolist(), abs=1e-5)


def test_the_size_of_a_batch_hardly_changes_the_results_of_cast_activations(language, model):
    """The last bit of a matrix product depends on the batch, and sometimes changes the rounding of an activation."""
    both = in_small_batches(language, model)
    assert both["value_x"].tolist() == pytest.approx(both["value_y"].tolist(), abs=0.05)


def test_a_batch_gives_the_logits_of_each_text_alone(model):
    together = log_probabilities(model, [model.tokens(question) for question in QUESTIONS])
    for question, logits in zip(QUESTIONS, together, strict=True):
        (alone,) = log_probabilities(model, [model.tokens(question)])
        torch.testing.assert_close(logits, alone, atol=1e-5, rtol=0)


def test_only_as_many_questions_are_run_as_the_tokens_need(model):
    table = direct_cast_language(config(formats=["mxfp4"], tokens=30), PROBLEMS, model)
    assert sorted(set(table["question"])) == [0, 1]


def test_the_model_is_given_back_as_it_was(model, language):
    fresh = language_model().network.state_dict()
    assert all(torch.equal(value, fresh[name]) for name, value in model.network.state_dict().items())


def test_rows_come_in_the_order_of_the_questions(model):
    table = direct_cast_language(config(formats=["mxfp4"], batch_tokens=30), PROBLEMS, model)
    assert table["question"].is_monotonic_increasing and set(table["question"]) == set(range(len(QUESTIONS)))


def planned(**settings):
    return [(cast.name, cast.scale) for cast in planned_casts(config(**settings))]


def test_every_format_is_cast_under_every_rule_and_some_under_more():
    more = {"mxfp4": ["even", "floor_clip_only", "rceil"], "mxfp8_e4m3": ["ceil"]}
    assert planned(scales=["floor", "rceil"], more_scales=more) == [
        ("mxfp4", "floor"),
        ("mxint8", "floor"),
        ("mxfp4", "rceil"),
        ("mxint8", "rceil"),
        ("mxfp4", "even"),
        ("mxfp4", "floor_clip_only"),
    ]


def test_a_format_of_the_users_own_is_planned_by_the_name_in_the_config():
    name = "tests.extension_example.formats:FORMAT"
    assert planned(formats=[name], more_scales={name: ["tests.extension_example.formats:unit_scale"]}) == [
        (custom.FORMAT.name, "floor"),
        (custom.FORMAT.name, "unit_scale"),
    ]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [({"formats": ["mxfp5"]}, "mxfp5"), ({"more_scales": {"mxfp4": ["ceil_clip_only"]}}, "ceil_clip_only")],
)
def test_a_config_that_names_what_is_unknown_is_refused(settings, complaint):
    with pytest.raises(ValidationError, match=complaint):
        config(**settings)


def test_a_planned_cast_is_that_of_its_format_and_rule():
    x = torch.randn(3, 5, 64, generator=torch.Generator().manual_seed(0))
    fmt, floor = FORMATS["mxfp8_e4m3"], SCALE_RULES["floor"]
    assert torch.equal(PlannedCast("mine", fmt, "rceil", SCALE_RULES["rceil"])(x), fake_quantize(x, fmt, scale="rceil"))
    part = PlannedCast("mine", fmt, "floor_clip_only", floor, clip_only)
    assert torch.equal(part(x), torch.from_numpy(clip_only(x.numpy(), fmt, floor)))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_what_is_cast(model, subject):
    text, cast = [model.tokens(QUESTIONS[0])], partial(fake_quantize, fmt="mxfp4")
    with under_cast(model.network, cast, subject):
        ours = model.run(text)
    with ExitStack() as stack:
        for name, casting in (("weights", weights_cast), ("activations", activations_cast)):
            if subject in (name, "both"):
                stack.enter_context(casting(model.network, cast))
        expected = model.run(text)
    assert torch.equal(ours, expected)


def test_shares_of_saturated_activations_are_those_of_each_question_alone(language, model):
    (cast,) = planned_casts(config(formats=["mxfp4"]))
    expected = []
    for question in QUESTIONS:
        with saturation_seen(model.network, [cast], [len(model.tokens(question))]) as counts:
            model.run([model.tokens(question)])
        expected += counts[cast].tolist()
    ours = by_question(language, format="mxfp4", metric="saturated_elements")
    assert ours == pytest.approx(expected, abs=2e-4) and max(ours) > 0


def test_the_share_of_saturated_activations_is_counted_over_all_inputs_of_the_layers(model):
    """Every input of a linear layer is replaced by a block with one element that exceeds 6 times its scale."""
    block = torch.tensor([7.0] + [1.0] * 31)
    cast = PlannedCast("mxfp4", FORMATS["mxfp4"], "floor", SCALE_RULES["floor"])
    network = torch.nn.Sequential(torch.nn.Linear(64, 32))
    with saturation_seen(network, [cast], [2, 1]) as counts:
        network(torch.stack([block.repeat(2, 2), torch.stack([block, torch.ones(32)]).repeat(1, 2)]))
    assert counts[cast].tolist() == [1 / 32, 1 / 32]


def test_loss_is_the_mean_over_the_tokens_after_the_first():
    log_probabilities = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    expected = -(torch.log(torch.tensor(0.25)) + torch.log(torch.tensor(0.8))) / 2
    assert loss(log_probabilities, [0, 1, 2]) == pytest.approx(float(expected))


def test_cosines_are_those_of_the_cast_models_embeddings(embedding, encoder):
    tokens = [encoder.tokens(question) for question in QUESTIONS]
    reference = embeddings(encoder, tokens, 512)
    with weights_cast(encoder.network, partial(fake_quantize, fmt="mxfp4")):
        cast = embeddings(encoder, tokens, 512)
    expected = functional.cosine_similarity(reference, cast).tolist()
    ours = by_question(embedding, format="mxfp4", subject="weights", metric="cosine")
    assert ours == pytest.approx(expected, abs=1e-5)


def test_a_neighbour_is_the_same_or_not(embedding):
    same = embedding[embedding["metric"] == "same_neighbour"]
    assert set(same["unit"]) == {"share"} and set(same["value"]) <= {0.0, 1.0}


def test_a_batch_gives_the_embedding_of_each_text_alone(encoder):
    tokens = [encoder.tokens(question) for question in QUESTIONS]
    alone = torch.cat([embeddings(encoder, [text], 512) for text in tokens])
    torch.testing.assert_close(embeddings(encoder, tokens, 512), alone, atol=1e-5, rtol=0)


def test_only_as_many_questions_are_embedded_as_asked_for(encoder):
    table = direct_cast_embedding(config(formats=["mxfp4"], questions=3), PROBLEMS, encoder)
    assert sorted(set(table["question"])) == [0, 1, 2]


def test_the_nearest_other_vector_is_found():
    vectors = functional.normalize(torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.2, 0.9]]), dim=-1)
    assert nearest(vectors).tolist() == [1, 0, 3, 2]


def test_the_first_of_two_equally_near_vectors_is_taken():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert nearest(vectors).tolist() == [1, 0, 0]


def test_no_vector_is_its_own_neighbour():
    vectors = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert nearest(vectors).tolist() == [1, 0]


@REPEATABLE
@given(texts, st.integers(1, 60))
def test_enough_texts_are_the_first_that_hold_the_tokens_and_not_one_more(rows, tokens):
    chosen = enough_texts(iter(rows), tokens)
    usable = [row for row in rows if len(row) > 1]
    predicted = [len(row) - 1 for row in usable]
    assert chosen == usable[: len(chosen)]
    assert sum(predicted[: len(chosen)]) >= tokens or len(chosen) == len(usable)
    assert not chosen or sum(predicted[: len(chosen) - 1]) < tokens
