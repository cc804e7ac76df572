"""Decoding token by token gives what one pass over the whole text gives, and what transformers generates."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.models.generation import Decoding, greedy
from tests.models.small import DECODER, random_decoder

TOKENS = [3, 14, 15, 9, 26, 5, 35, 8, 9, 7]


@settings(derandomize=True, deadline=None, database=None, max_examples=20)
@given(st.lists(st.integers(1, len(TOKENS) - 1), max_size=4))
def test_however_a_text_is_fed_the_logits_are_those_of_one_pass(cuts):
    decoder = random_decoder()
    decoding = Decoding(decoder, len(TOKENS))
    whole = decoder(torch.tensor([TOKENS]))[0]
    places = sorted({0, *cuts, len(TOKENS)})
    for start, end in pairwise(places):
        torch.testing.assert_close(decoding.feed(TOKENS[start:end]), whole[end - 1], rtol=1e-5, atol=1e-5)


def test_greedy_tokens_are_the_likeliest_each_time():
    decoder, text = random_decoder(), TOKENS[:3]
    for _ in range(5):
        text = [*text, int(decoder(torch.tensor([text]))[0, -1].argmax())]
    assert greedy(Decoding(decoder, 9), TOKENS[:3], 5) == text[3:]


def test_more_tokens_than_there_is_room_for_are_refused():
    decoding = Decoding(random_decoder(), 3)
    with pytest.raises(ValueError, match="room for 3 tokens"):
        decoding.feed(TOKENS[:4])


def test_the_shape_has_grouped_heads():
    assert DECODER.heads > DECODER.kv_heads > 1


def test_a_branch_grows_on_its_own():
    network = random_decoder()
    trunk, alone = Decoding(network, 6), Decoding(network, 6)
    for decoding in (trunk, alone):
        decoding.feed([3, 1])
    branch = trunk.branch()
    branch.feed([5])
    torch.testing.assert_close(trunk.feed([4]), alone.feed([4]), rtol=0, atol=0)
