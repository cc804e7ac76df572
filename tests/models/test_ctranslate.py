"""The same weights in CTranslate2 give the decoder's logits and texts, and the decoder is left unchanged."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from jouleproof.models.continuation import greedy
from jouleproof.models.ctranslate import in_ctranslate2
from jouleproof.models.runner import Runner
from jouleproof.studies.slm_energy.engine_registry import ENGINES, Subject
from tests.models.small import random_decoder, unchanged

pytestmark = pytest.mark.skipif(find_spec("ctranslate2") is None, reason="the extra `engines` is not installed")
DECODER = random_decoder()
TEXT = [5, 9, 33, 2, 17, 60, 0, 41]


def logits_of(generator):
    return np.array(generator.forward_batch([TEXT]))[0]


@pytest.mark.parametrize(("weights", "tolerance"), [("float32", 1e-5), ("int8", 0.05)])
def test_logits_are_those_of_the_decoder_but_for_rounding(weights, tolerance):
    expected = DECODER(torch.tensor([TEXT]))[0].numpy()
    with unchanged(DECODER):
        logits = logits_of(in_ctranslate2(DECODER, weights))
    assert np.abs(logits - expected).max() < tolerance * np.abs(expected).max()


def test_a_text_goes_on_as_the_decoder_would_write_it():
    words = [str(token) for token in TEXT]
    results = in_ctranslate2(DECODER, "float32").generate_batch(
        [words], max_length=12, end_token=[], include_prompt_in_result=False
    )
    assert results[0].sequences_ids[0] == greedy(Runner(DECODER, 1, 40), TEXT, 12)


def test_the_engine_writes_as_many_tokens_as_it_is_asked_for(tmp_path, monkeypatch):
    import ctranslate2

    written, batch = [], ctranslate2.Generator.generate_batch

    def counted(*arguments, **options):
        result = batch(*arguments, **options)
        written.append(len(result[0].sequences_ids[0]))
        return result

    monkeypatch.setattr(ctranslate2.Generator, "generate_batch", counted)
    run = ENGINES["ctranslate2"].start(Subject(DECODER, tmp_path, 40))
    run(TEXT, 1)
    run(TEXT, 25)
    assert written == [1, 25]
