"""Decoders side by side compute and write what each of them does alone."""

import torch

from jouleproof.models.continuation import greedy as greedy_alone
from jouleproof.models.decoder import random_decoder
from jouleproof.models.decoder_shape import plain_shape
from jouleproof.models.runner import Runner
from jouleproof.models.stacked import greedy, hidden, logits, stacked
from tests.models.small import unstacked

SHAPE = plain_shape(50, 2, 16, 2)


def test_stacked_decoders_say_what_each_says_alone():
    decoders = [random_decoder(SHAPE, seed, spread=0.3) for seed in (1, 2)]
    tokens = torch.randint(50, (2, 3, 7), generator=torch.Generator().manual_seed(0))
    weights = stacked(decoders)
    together = logits(weights, hidden(weights, SHAPE, [tokens])).view(2, 3, 7, 50)
    for number, decoder in enumerate(decoders):
        torch.testing.assert_close(together[number], decoder(tokens[number]), rtol=1e-4, atol=1e-5)


def test_texts_of_several_lengths_are_read_as_each_would_be_alone():
    decoders = [random_decoder(SHAPE, seed, spread=0.3) for seed in (1, 2)]
    random = torch.Generator().manual_seed(0)
    short, long = (torch.randint(50, (2, rows, count), generator=random) for rows, count in ((3, 4), (2, 7)))
    asked = torch.tensor([2, 11, 13, 25])  # positions 0 to 11 are of the short texts, 12 to 25 of the long ones
    weights = stacked(decoders)
    predicted = logits(weights, hidden(weights, SHAPE, [short, long], asked=asked))
    for number, decoder in enumerate(decoders):
        alone = torch.cat([decoder(tokens[number]).flatten(0, 1) for tokens in (short, long)])
        torch.testing.assert_close(predicted[number], alone[asked], rtol=1e-4, atol=1e-5)


def test_stacked_decoders_come_apart_again():
    decoders = [random_decoder(SHAPE, seed) for seed in (1, 2)]
    again = unstacked(stacked(decoders), SHAPE, 1).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in decoders[1].state_dict().items())


def test_greedy_side_by_side_writes_what_one_text_at_a_time_writes():
    decoders = [random_decoder(SHAPE, seed, spread=0.4) for seed in (1, 2)]
    prompts = torch.randint(50, (2, 3, 5), generator=torch.Generator().manual_seed(0))
    written, lengths = greedy(stacked(decoders), SHAPE, prompts, 6, None)
    assert (lengths == 6).all()
    for number, decoder in enumerate(decoders):
        for row in range(3):
            alone = greedy_alone(Runner(decoder, 1, 20), prompts[number, row].tolist(), 6)
            assert written[number, row].tolist() == alone


def test_a_row_writes_no_more_after_its_end():
    weights = stacked([random_decoder(SHAPE, 1, spread=0.4)])
    prompts = torch.randint(50, (1, 4, 5), generator=torch.Generator().manual_seed(0))
    free, _ = greedy(weights, SHAPE, prompts, 6, None)
    end = int(free[0, 0, 2])
    tokens, lengths = greedy(weights, SHAPE, prompts, 6, end)
    for row, (text, written) in enumerate(zip(free[0].tolist(), lengths[0].tolist(), strict=True)):
        assert written == (text.index(end) + 1 if end in text else 6)
        assert tokens[0, row].tolist() == text[:written] + [end] * (6 - written)
