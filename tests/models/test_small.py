"""The small transformer over bytes: the same seed gives the same bits, and documents come back from the stream."""

import math

import pytest
import torch

from jouleproof.inputs import Problem
from jouleproof.models.small import END, VOCABULARY, document, small_decoder, small_shape, stream

SHAPE = small_shape(layers=2, width=32)


def bits(model):
    return b"".join(parameter.detach().numpy().tobytes() for parameter in model.parameters())


def test_the_same_seed_gives_the_same_bits_whatever_was_drawn_before():
    first = bits(small_decoder(SHAPE, 3))
    torch.rand(7)
    assert bits(small_decoder(SHAPE, 3)) == first


def test_another_seed_gives_other_weights():
    assert bits(small_decoder(SHAPE, 3)) != bits(small_decoder(SHAPE, 4))


def test_building_a_model_draws_nothing_from_the_global_generator():
    before = torch.get_rng_state()
    small_decoder(SHAPE, 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_untrained_model_knows_nothing_about_the_next_byte():
    model = small_decoder(small_shape(layers=2, width=96), 0)
    tokens = torch.randint(VOCABULARY, (4, 33), generator=torch.Generator().manual_seed(0))
    loss = torch.nn.functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
    assert float(loss.detach()) == pytest.approx(math.log(256), abs=0.2)


def test_every_parameter_is_set_and_learns():
    model = small_decoder(SHAPE, 0)
    model(torch.randint(VOCABULARY, (2, 16), generator=torch.Generator().manual_seed(0))).square().sum().backward()
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_heads_are_32_wide_so_that_blocks_of_32_are_full():
    assert small_shape(layers=1, width=96).head_width == 32
    with pytest.raises(ValueError, match="width must be a multiple of 32, got 100"):
        small_shape(layers=1, width=100)


def test_a_document_is_question_and_answer_in_bytes():
    assert document(Problem("Où?", "Là.\n#### 1", 1)) == "Où?\nLà.\n#### 1".encode()


def test_documents_come_back_from_the_stream():
    texts = [b"one", b"", "drüben".encode()]
    tokens = stream(texts)
    assert tokens.dtype == torch.uint8
    assert bytes(tokens.tolist()).split(bytes([END]))[:-1] == texts
