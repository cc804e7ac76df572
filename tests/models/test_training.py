"""Training by steps: the schedule, the batches, what is learned, and the loss on held-out text."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from jouleproof.models.schedule import Plan, learning_rate
from jouleproof.models.small import small_decoder, small_shape
from jouleproof.models.training import held_out_loss, train, windows

PLAN = Plan(steps=12, batch=4, context=16, learning_rate=1e-2, warm_up=3)
TEXT = torch.frombuffer(bytearray(b"abcdefgh" * 50), dtype=torch.uint8)


class Uniform(nn.Module):
    """A model that finds every byte equally likely."""

    def forward(self, tokens):
        return torch.zeros(*tokens.shape, 256)


def trained(seed=0, **changes):
    model = small_decoder(small_shape(layers=1, width=32), 0)
    return model, list(train(model, TEXT, Plan(**{**PLAN.__dict__, **changes}), seed))


def generator(seed):
    return torch.Generator().manual_seed(seed)


def test_the_rate_rises_to_its_peak_over_the_warm_up_and_falls_almost_to_zero():
    rates = [learning_rate(step, PLAN) for step in range(PLAN.steps)]
    assert rates[:3] == pytest.approx([1e-2 / 3, 2e-2 / 3, 1e-2])
    assert rates[3] == pytest.approx(1e-2) and 0 < rates[-1] < 1e-3
    assert rates[3:] == sorted(rates[3:], reverse=True)


def test_the_first_step_is_that_of_adamw_on_the_clipped_gradient():
    model, (first,) = trained(steps=1, warm_up=1, clip=0.1)
    by_hand = small_decoder(small_shape(layers=1, width=32), 0)
    tokens = windows(TEXT, PLAN.batch, PLAN.context, generator(0))
    loss = functional.cross_entropy(by_hand(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
    loss.backward()
    norm = math.sqrt(sum(float(parameter.grad.double().square().sum()) for parameter in by_hand.parameters()))
    assert norm > 0.1 and first == pytest.approx(float(loss.detach()), rel=1e-5)
    for ours, start in zip(model.parameters(), by_hand.parameters(), strict=True):
        decay = 0.1 if start.dim() > 1 else 0.0
        gradient = start.grad * 0.1 / norm
        step = gradient / (gradient.abs() + 1e-8)  # Adam's moments after one step, bias-corrected
        torch.testing.assert_close(ours, start * (1 - 1e-2 * decay) - 1e-2 * step, atol=2e-4, rtol=0)


def test_a_repeating_text_is_learned():
    _, losses = trained(steps=60)
    assert losses[0] > 5 and losses[-1] < 0.5


def test_the_same_seed_twice_gives_the_same_bits():
    (first, losses), (second, again) = trained(), trained()
    assert losses == again
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_another_seed_takes_other_batches():
    assert trained(seed=0)[1] != trained(seed=1)[1]


def test_windows_are_runs_of_the_text():
    text = torch.arange(40, dtype=torch.uint8)
    cut = windows(text, 200, 7, generator(0))
    assert cut.shape == (200, 8) and cut.dtype == torch.int64
    assert torch.equal(cut, cut[:, :1] + torch.arange(8))
    assert (int(cut.min()), int(cut.max())) == (0, 39)


def test_the_loss_of_a_uniform_guess_is_the_logarithm_of_the_vocabulary():
    assert held_out_loss(Uniform(), windows(TEXT, 19, 16, generator(0))) == pytest.approx(math.log(256), rel=1e-6)


def test_held_out_loss_is_the_cross_entropy_over_all_windows():
    model, _ = trained(steps=2)
    tokens = windows(TEXT, 19, 16, generator(5))
    expected = functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
    assert held_out_loss(model, tokens) == pytest.approx(float(expected.detach()), rel=1e-5)
