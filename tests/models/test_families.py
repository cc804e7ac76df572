"""A model of any family is scored by what `network(...)` itself gives, one text at a time and without a cache."""

import pytest
import torch

from jouleproof.models.hugging import HuggingModel
from jouleproof.models.network_checks import check_network, context_of
from tests.models.families import CONTEXT, FAMILIES, tiny, tiny_of_images_and_text
from tests.models.small import LetterTokenizer

TEXTS, FIRSTS = [[5, 9, 33, 3, 17, 44, 8], [1, 2], [7, 7, 3, 60, 2, 9, 11], list(range(20, 32))], [1, 1, 3, 4]
UNBOUND = {"bloom", "mamba", "recurrent_gemma"}


@pytest.fixture(scope="module", params=[*sorted(FAMILIES), "gemma3"])
def model(transformers, request):
    images = request.param == "gemma3"
    network = tiny_of_images_and_text(transformers) if images else tiny(transformers, request.param)
    return HuggingModel(request.param, network, LetterTokenizer(), None, CONTEXT)


@torch.inference_mode()
def logits(model, text):
    return model.network(torch.tensor([text]), use_cache=False).logits[0]


def test_likelihoods_are_those_of_the_network_itself(model):
    for text, first, likelihood in zip(TEXTS, FIRSTS, model.likelihoods(TEXTS, FIRSTS), strict=True):
        expected = logits(model, text).log_softmax(dim=1)[first - 1 : -1]
        wanted = torch.tensor(text[first:])
        torch.testing.assert_close(likelihood.nats, expected.gather(1, wanted[:, None])[:, 0], atol=1e-4, rtol=1e-4)
        assert torch.equal(likelihood.likeliest, expected.argmax(dim=1) == wanted)


@pytest.mark.parametrize("prefix", [[], [7, 8, 9]], ids=["alone", "after_a_prefix"])
def test_continuations_are_those_of_the_network_itself(model, prefix):
    for prompt, continuation in zip(TEXTS, model.continued(prefix, TEXTS, 3, lambda _: False), strict=True):
        expected = []
        while len(expected) < 3 and (not expected or expected[-1] not in model.ends):
            expected.append(int(logits(model, [*prefix, *prompt, *expected])[-1].argmax()))
        assert continuation == expected


def test_the_longest_text_that_a_family_reads_is_known(model):
    context = context_of(model.network)
    if model.name in UNBOUND:
        assert context > 2**40
    else:
        assert context == CONTEXT - 2 * (model.name == "roberta")
        assert len(logits(model, [3] * context)) == context


def test_a_causal_network_passes_the_check(model):
    check_network(model.name, model.network)


class Forgetful:
    """A network that takes its cache back and does not read it."""

    def __init__(self, network):
        self.network = network

    def __getattr__(self, name):
        return getattr(self.network, name)

    def __call__(self, input_ids, past_key_values=None, use_cache=True):
        return self.network(input_ids, use_cache=use_cache)


def test_a_cache_that_forgets_does_not_change_what_is_written(transformers):
    network = tiny(transformers, "qwen3")
    faithful, forgetful = (
        HuggingModel("qwen3", either, LetterTokenizer(), None, CONTEXT) for either in (network, Forgetful(network))
    )
    assert forgetful._has_cache
    expected = faithful.continued([7, 8, 9], TEXTS, 5, lambda _: False)
    assert forgetful.continued([7, 8, 9], TEXTS, 5, lambda _: False) == expected
