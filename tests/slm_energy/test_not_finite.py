"""NaN and infinite numbers are refused where they would count as an answer: every comparison with NaN is false."""

import pytest
import torch
from torch import nn

from jouleproof.errors import UserError
from jouleproof.models import stacked
from jouleproof.models.likelihood import Likelihood, NotFinite, most_likely
from jouleproof.studies.mx.experiments.decode import _compared
from jouleproof.studies.mx.experiments.direct_cast import embeddings, log_probabilities
from jouleproof.studies.slm_energy import tasks
from jouleproof.studies.slm_energy.experiments.quality import quality
from jouleproof.studies.slm_energy.tasks import Score, Task, some
from jouleproof.studies.slm_energy.weight_formats import WeightFormat
from jouleproof.studies.slm_energy.weight_tuning import Calculation, right
from tests.models.small import DECODER, embedding_model, language_model, random_decoder
from tests.slm_energy.small_models import CONFIG, PROBLEMS
from tests.slm_energy.test_tasks import ScriptedModel

HERE = "tests.slm_energy.test_not_finite"
NAN, INF = float("nan"), float("inf")
BROKEN = WeightFormat("broken", 8.0, lambda weights: weights * NAN)


def _scores_nan(model, problems):
    yield 0, Score("loss", "nats", NAN)


NAN_TASK = Task("losses", some, _scores_nan)


def with_nan(value=NAN):
    """Return a model with one weight that is no number."""
    model = language_model(seed=3)
    model.network.layers[1].mlp.up.weight.data[3, 5] = value
    return model


def with_infinity():
    return with_nan(INF)


def without_casts():
    model = language_model(seed=3)
    body = nn.Sequential(model.network)
    body.register_parameter("experts", nn.Parameter(torch.zeros(2, 4, 4)))
    return type("Experts", (type(model),), {"body": body})(**vars(model))


def config(**quality):
    changed = CONFIG.model_copy(deep=True)
    for knob, value in {"formats": ["float32"], **quality}.items():
        setattr(changed.quality, knob, value)
    return changed


@pytest.mark.parametrize("task", sorted(tasks.TASKS))
@pytest.mark.parametrize("make", ["with_nan", "with_infinity"])
def test_a_model_with_a_weight_that_is_no_number_has_no_scores(task, make):
    with pytest.raises(UserError) as caught:
        quality(config(models=[f"{HERE}:{make}"], tasks=[task]), PROBLEMS, PROBLEMS, None)
    assert f"models: small decoder gives NaN (task '{task}', weights in float32)" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize(("ask", "items"), [(tasks.read_solutions, PROBLEMS), (tasks.choose, tasks.sums([], [], 3, 0))])
def test_likelihoods_of_any_model_must_be_finite(ask, items, value):
    with pytest.raises(NotFinite, match="gives (NaN|infinite numbers)"):
        list(ask(ScriptedModel(nats=value), items))


def test_a_cast_that_makes_weights_nan_is_named():
    settings = config(formats=["float32", f"{HERE}:BROKEN"])
    with pytest.raises(UserError, match=r"gives NaN \(task 'solutions', weights in broken\)"):
        quality(settings, PROBLEMS, PROBLEMS, None)


def test_a_task_that_gives_nan_is_named():
    settings = config(tasks=[f"{HERE}:NAN_TASK"])
    with pytest.raises(UserError, match="config: task 'losses' gives loss nan for item 0"):
        quality(settings, PROBLEMS, PROBLEMS, None)


def test_a_model_that_a_cast_would_leave_half_in_float32_is_refused_before_it_is_scored():
    settings = config(models=[f"{HERE}:without_casts"], formats=["float32", "mxfp4"])
    with pytest.raises(UserError, match=r"models: small decoder: experts of Sequential .* formats: \[float32\]"):
        quality(settings, PROBLEMS, PROBLEMS, None)
    settings.quality.formats = ["float32"]
    assert len(quality(settings, PROBLEMS, PROBLEMS, None))


def test_the_most_likely_token_is_that_of_the_largest_logit():
    logits = torch.tensor([[1.0, 3.0, 2.0], [5.0, -INF, 5.0]])
    assert most_likely(logits).tolist() == [1, 0] and most_likely(logits[0]).item() == 1
    for value in (NAN, INF):
        with pytest.raises(NotFinite):
            most_likely(torch.tensor([[1.0, value]]))
    with pytest.raises(NotFinite):
        most_likely(torch.full((2, 3), -INF))


def test_a_likelihood_holds_numbers():
    Likelihood(torch.tensor([-1.0, 0.0]), torch.tensor([True, False]))
    with pytest.raises(NotFinite, match="models: a model gives NaN"):
        Likelihood(torch.tensor([-1.0, NAN]), torch.tensor([True, False]))


def test_nan_is_no_wrong_result_after_tuning_nor_in_training():
    decoder = with_nan().network
    with pytest.raises(NotFinite):
        right(decoder, [Calculation((1, 2, 3), (4,))])
    decoders = [random_decoder(), decoder]
    with pytest.raises(NotFinite):
        stacked.greedy(stacked.stacked(decoders), DECODER, torch.ones(2, 1, 4, dtype=torch.int64), 2, None)


def test_nan_is_no_equal_token_in_a_comparison_of_packed_weights():
    from jouleproof.formats import FORMATS
    from jouleproof.models.runner import Runner
    from jouleproof.studies.mx.config import DecodeConfig

    model, text = with_nan(), [1, 2, 3, 4, 5, 6]
    packed = Runner(model.network, 1, 8)
    with pytest.raises(NotFinite):
        list(_compared(model, FORMATS["mxfp4"], packed, text, DecodeConfig(prompt_tokens=3)))


def test_direct_casts_compare_numbers():
    encoder = embedding_model()
    encoder.network.layers[0].up.weight.data[0, 0] = NAN
    with pytest.raises(NotFinite, match="models: small encoder gives NaN"):
        embeddings(encoder, [[1, 2, 3], [4, 5]], 64)
    with pytest.raises(NotFinite, match="models: small decoder gives NaN"):
        log_probabilities(with_nan(), [[1, 2, 3], [4, 5]])
