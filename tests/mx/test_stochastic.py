"""Stochastic rounding gives format values without bias; the random rotation leaves products unchanged."""

import numpy as np
import pytest
import torch

from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.studies.mx.stochastic import random_signs, rotated, round_stochastically

pytestmark = pytest.mark.usefixtures("one_thread")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed))


def neighbours(x, fmt):
    """Return the format values just below and above each element, by linear search. x: (blocks, block) float64."""
    largest = np.abs(x).max(axis=1, keepdims=True)
    scale = 2.0 ** np.ceil(np.log2(largest / fmt.max_normal))
    values = np.unique(fmt.values[np.isfinite(fmt.values)]).astype(np.float64)
    place = np.searchsorted(values, x / scale, side="right")
    return values[np.maximum(place - 1, 0)] * scale, values[np.minimum(place, len(values) - 1)] * scale


def not_a_neighbour(fmt):
    x = normal(64, 32)
    below, above = neighbours(x.double().numpy(), fmt)
    rounded = round_stochastically(x, fmt, generator()).double().numpy()
    each_one = ((rounded == below) | (rounded == above)).all()
    return not (each_one and (rounded == below).any() and (rounded == above).any())


def test_every_element_goes_to_one_of_its_two_neighbours():
    assert [name for name, fmt in FORMATS.items() if not_a_neighbour(fmt)] == []


def moved(fmt):
    held = fake_quantize(normal(64, 32), fmt, scale="rceil")
    return not all(torch.equal(round_stochastically(held, fmt, generator(seed)), held) for seed in range(20))


def test_a_value_of_the_format_stays_where_it_is():
    assert [name for name, fmt in FORMATS.items() if moved(fmt)] == []


def biased(fmt, draws=4000):
    x = normal(4, 32)
    below, above = (torch.from_numpy(side) for side in neighbours(x.double().numpy(), fmt))
    many = round_stochastically(x.expand(draws, 4, 32), fmt, generator()).double()
    deviation = (above - below) / 2 / draws**0.5  # an upper bound: that of a coin toss
    return not ((many.mean(dim=0) - x).abs() <= 5 * deviation).all()


def test_the_mean_over_many_roundings_is_the_value():
    assert [name for name, fmt in FORMATS.items() if biased(fmt)] == []


def test_the_mean_of_rounding_to_nearest_is_not():
    x = torch.full((1, 32), 0.6)
    x[0, 0] = 6.0
    assert float(fake_quantize(x, "mxfp4")[0, 1]) == 0.5


def test_the_largest_element_of_a_block_never_saturates():
    x = torch.full((1, 32), 7.9)
    mean = round_stochastically(x.expand(4000, 32), FORMATS["mxfp4"], generator()).mean()
    assert float(mean) == pytest.approx(7.9, abs=0.03)


def test_zeros_stay_zeros_and_signs_stay_signs():
    zeros = torch.tensor([[0.0, -0.0] * 16])
    rounded = round_stochastically(zeros, FORMATS["mxfp4"], generator())
    assert torch.equal(rounded, zeros) and torch.equal(torch.signbit(rounded), torch.signbit(zeros))


def test_the_same_seed_rounds_alike_and_another_does_not():
    x = normal(8, 32)
    first, again, other = (round_stochastically(x, FORMATS["mxfp4"], generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_rotation_of_both_operands_leaves_the_product():
    a, b, signs = normal(5, 96).double(), normal(7, 96, seed=1).double(), random_signs(generator())
    torch.testing.assert_close(
        rotated(a.float(), signs) @ rotated(b.float(), signs).T, (a @ b.T).float(), atol=1e-4, rtol=0
    )


def test_a_rotation_spreads_an_outlier_evenly():
    x = torch.zeros(1, 64)
    x[0, 40] = 1.0
    spread = rotated(x, random_signs(generator()))
    assert not spread[0, :32].any()
    torch.testing.assert_close(spread[0, 32:].abs(), torch.full((32,), 32**-0.5))


def test_signs_are_plus_and_minus_one():
    assert set(random_signs(generator()).tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize("change", [rotated, lambda x, signs: round_stochastically(x, FORMATS["mxfp4"], generator())])
def test_a_block_that_is_not_full_is_refused(change):
    with pytest.raises(ValueError, match="a multiple of 32 elements, got 40"):
        change(normal(2, 40), random_signs(generator()))
