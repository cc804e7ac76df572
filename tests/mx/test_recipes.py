"""Linear layers under a recipe: each of the three products has cast operands, in blocks along its axis of summation."""

import pytest
import torch
from torch import nn

from jouleproof.errors import UserError
from jouleproof.formats import fake_quantize
from jouleproof.models.small import small_decoder, small_shape
from jouleproof.studies.mx.recipes import RECIPES, Recipe, RecipeLinear, recipes, use_recipe
from tests.extension_example import formats as custom
from tests.formats.refusals import refusal

pytestmark = pytest.mark.usefixtures("one_thread")
OWN = Recipe("of_a_users_own", custom.FORMAT, custom.FORMAT, custom.FORMAT)
TO_NEAREST = [name for name, recipe in RECIPES.items() if not recipe.stochastic]
BACKWARD_AT_RANDOM = [name for name, recipe in RECIPES.items() if recipe.stochastic]


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def products(layer, x, gradient):
    """Return Y, dX and dW of a layer, for input x and gradient dY."""
    x = x.clone().requires_grad_()
    layer.weight.grad = None
    y = layer(x)
    y.backward(gradient)
    return y.detach(), x.grad, layer.weight.grad


def case(recipe, seed=0):
    """Return a layer with 96 inputs and 64 outputs, an input of 4 x 32 tokens, and a gradient."""
    weight = nn.Parameter(normal(64, 96, seed=1) / 8)
    layer = RecipeLinear(weight, recipe, torch.Generator().manual_seed(seed))
    return layer, normal(4, 32, 96, seed=2), normal(4, 32, 64, seed=3)


def narrow(x, to, axis):
    """Return x as an operand of the product, in float64."""
    if to is None:
        return x.double()
    return (x.to(to) if isinstance(to, torch.dtype) else fake_quantize(x, to, axis=axis)).double()


@pytest.mark.parametrize("recipe", [*(RECIPES[name] for name in TO_NEAREST), OWN], ids=lambda recipe: recipe.name)
def test_the_three_products_are_those_of_cast_operands(recipe):
    layer, x, gradient = case(recipe)
    w, rows, dy = layer.weight.detach(), x.flatten(0, 1), gradient.flatten(0, 1)
    y = narrow(rows, recipe.activations, 1) @ narrow(w, recipe.weights, 1).T
    dx = narrow(dy, recipe.gradients, 1) @ narrow(w, recipe.weights, 0)
    dw = narrow(dy, recipe.gradients, 0).T @ narrow(rows, recipe.activations, 0)
    for ours, expected in zip(products(layer, x, gradient), (y, dx, dw), strict=True):
        torch.testing.assert_close(ours, expected.float().view(ours.shape), atol=1e-5, rtol=1e-5)


def test_without_a_cast_it_is_torchs_own_layer_bit_by_bit():
    layer, x, gradient = case(RECIPES["float32"])
    plain = nn.Linear(96, 64, bias=False)
    plain.weight = layer.weight
    for ours, torchs in zip(products(layer, x, gradient), products(plain, x, gradient), strict=True):
        assert torch.equal(ours, torchs)


def test_random_rounding_leaves_the_forward_product_as_in_mxfp4():
    nearest, x, gradient = case(RECIPES["mxfp4"])
    expected = products(nearest, x, gradient)[0]
    outputs = {name: products(case(RECIPES[name])[0], x, gradient)[0] for name in BACKWARD_AT_RANDOM}
    assert [name for name, product in outputs.items() if not torch.equal(product, expected)] == []


@pytest.mark.parametrize("name", BACKWARD_AT_RANDOM)
def test_randomly_rounded_gradients_are_right_in_the_mean(name):
    """Rounding to nearest is biased on gradients that are all equal. The mean is over 4 rotations with 50 copies of the
    weight and 4 x 32 tokens, each of which is rounded independently."""
    layer, x, _ = case(RECIPES[name])
    gradient = torch.full((4, 32, 64), 0.6)
    gradient[..., ::32] = 6.0  # along both sums, so that the step is 0.5 at the other elements
    exact = gradient[0, 0] @ layer.weight.detach()
    copies = RecipeLinear(nn.Parameter(layer.weight.detach().repeat(1, 50)), RECIPES[name], torch.Generator())
    gradients = torch.stack([products(copies, x.repeat(1, 1, 50), gradient)[1] for _ in range(4)])
    mean = gradients.view(4, 4, 32, 50, 96).mean(dim=(0, 1, 2, 3))
    nearest = products(case(RECIPES["mxfp4"])[0], x, gradient)[1].mean(dim=(0, 1))
    assert (mean - exact).abs().mean() < 0.2 * (nearest - exact).abs().mean()


def test_the_same_seed_gives_the_same_gradients_and_another_does_not():
    gradients = {name: [products(*case(RECIPES[name], seed))[2] for seed in (0, 0, 1)] for name in BACKWARD_AT_RANDOM}
    assert [name for name, (first, again, _) in gradients.items() if not torch.equal(first, again)] == []
    assert [name for name, (first, _, other) in gradients.items() if torch.equal(first, other)] == []


def test_a_rotation_tames_an_outlier():
    layer, x, gradient = case(RECIPES["mxfp4_hadamard"])
    plain, *_ = case(RECIPES["mxfp4_stochastic"])
    gradient[0, ::5] *= 100
    exact = products(case(RECIPES["float32"])[0], x, gradient)[2]
    ours, without = ((products(linear, x, gradient)[2] - exact).square().sum() for linear in (layer, plain))
    assert ours < without


def test_every_linear_layer_of_a_model_is_put_under_the_recipe_with_its_own_parameter():
    model = small_decoder(small_shape(layers=2, width=32), 0)
    before = dict(model.named_parameters())
    use_recipe(model, RECIPES["mxfp6"], seed=0)
    layers = [module for module in model.modules() if isinstance(module, RecipeLinear)]
    assert len(layers) == 14 and not any(isinstance(module, nn.Linear) for module in model.modules())
    after = dict(model.named_parameters())
    assert after.keys() == before.keys() and all(after[name] is before[name] for name in before)


def test_a_layer_with_a_bias_is_refused():
    with pytest.raises(ValueError, match="layer 0 must not have a bias"):
        use_recipe(nn.Sequential(nn.Linear(32, 32)), RECIPES["mxfp6"], seed=0)


def test_random_rounding_needs_a_block_format_for_every_operand():
    with pytest.raises(ValueError, match="half"):
        Recipe("half", weights=custom.FORMAT, activations=custom.FORMAT, stochastic=True)


def test_float32_comes_first_even_where_it_is_not_asked_for():
    assert list(recipes(["mxfp6", "mxfp4"])) == ["float32", "mxfp6", "mxfp4"]


def test_a_recipe_of_the_users_own_goes_by_its_name():
    assert recipes(["tests.mx.test_recipes:OWN"])["of_a_users_own"] == OWN


def test_what_is_no_recipe_is_refused():
    cases = [
        (["mxfp5"], "recipe 'mxfp5' is not known; built in: float32, bfloat16"),
        (["tests.extension_example.formats:FORMAT"], "is a MXFormat, not a jouleproof.studies.mx.recipes.Recipe"),
        (["tests.mx.test_recipes:OWN", "tests.mx.test_recipes:AGAIN"], "recipe: duplicate name 'of_a_users_own'"),
    ]
    messages = [(words, refusal(UserError, recipes, names, longest=1000)) for names, words in cases]
    assert [message for words, message in messages if words not in message] == []


AGAIN = Recipe("of_a_users_own")
