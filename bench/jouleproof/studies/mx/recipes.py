"""Training recipes: which operands of a linear layer's three matrix products are cast, and how.

A layer Y = X Wᵀ has three products in training: Y itself, dX = dY W and dW = dYᵀ X. A recipe casts both operands of
each, in blocks along the axis that the product sums over, so W, X and dY are each cast along both their axes. Sums,
results, master weights and the optimiser stay in float32; so do the embedding, the output projection that shares its
matrix, and the products inside attention.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from jouleproof import plugins
from jouleproof.formats import FORMATS, MXFormat, fake_quantize
from jouleproof.models.casting import linear_layers, replace_layer
from jouleproof.studies.mx.stochastic import random_signs, rotated, round_stochastically

BASELINE = "float32"
Operand = MXFormat | torch.dtype  # a block format, or a narrower float of torch


@dataclass(frozen=True)
class Recipe:
    """A training recipe: the formats to which the operands of products are cast; None for no cast.

    scale: rule for the shared scales when rounding is to nearest.
    stochastic: in the two backward products, both operands are rounded up or down at random, without bias, under a
        scale that saturates nothing (`rceil`), so the gradients are unbiased estimates of those of the exact product.
    hadamard: these operands are first rotated by a random orthogonal matrix along the axis of summation, which leaves
        the product unchanged and spreads outliers over their block (Tseng et al., arXiv 2502.20586).
    """

    name: str
    weights: Operand | None = None
    activations: Operand | None = None
    gradients: Operand | None = None
    scale: str = "floor"
    stochastic: bool = False
    hadamard: bool = False

    def __post_init__(self) -> None:
        formats = (self.weights, self.activations, self.gradients)
        if (self.stochastic or self.hadamard) and not all(isinstance(fmt, MXFormat) for fmt in formats):
            raise ValueError(f"recipe {self.name}: stochastic and hadamard require a block format for every operand")


def _uniform(name: str, fmt: Operand, stochastic: bool = False, hadamard: bool = False) -> Recipe:
    return Recipe(name, weights=fmt, activations=fmt, gradients=fmt, stochastic=stochastic, hadamard=hadamard)


E4M3, E3M2, E2M1 = (FORMATS[name] for name in ("mxfp8_e4m3", "mxfp6_e3m2", "mxfp4"))

# MXFP8 is E4M3 throughout, as in "Recipes for pre-training LLMs with MXFP8" (arXiv 2506.08027): block scales
# give gradients the range that E5M2 gives them under one scale per tensor. MXFP6 is E3M2 throughout, as in the MXFP6
# example of microxcaling, the library that came with arXiv 2310.10537.
RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(BASELINE),
        _uniform("bfloat16", torch.bfloat16),
        _uniform("mxfp8", E4M3),
        _uniform("mxfp6", E3M2),
        Recipe("mxfp4_weights", weights=E2M1, activations=E3M2, gradients=E3M2),
        _uniform("mxfp4", E2M1),
        _uniform("mxfp4_stochastic", E2M1, stochastic=True),
        _uniform("mxfp4_hadamard", E2M1, stochastic=True, hadamard=True),
    )
}


def recipes(names: Sequence[str]) -> Mapping[str, Recipe]:
    """Return recipes by name, float32 first even if it is not listed, because the others are compared with it.

    names: built-in names, or `package.module:object`. Raises UserError if an object is not a Recipe or two recipes have
    the same name.
    """
    every = dict.fromkeys([BASELINE, *names])
    return plugins.load_all("recipe", every, RECIPES, Recipe, called=lambda recipe: recipe.name)


class RecipeLinear(nn.Module):
    """A linear layer without bias under a recipe; it shares the parameter of the layer that it replaces."""

    def __init__(self, weight: nn.Parameter, recipe: Recipe, generator: torch.Generator) -> None:
        super().__init__()
        self.weight, self.recipe, self.generator = weight, recipe, generator

    def forward(self, x: Tensor) -> Tensor:
        """Return x Wᵀ of cast operands. x: (…, inputs) float32."""
        return LinearProducts.apply(x, self.weight, self.recipe, self.generator)  # type: ignore[no-untyped-call]


class LinearProducts(Function):
    """The three products of a layer, as an autograd function. x: (…, inputs); weight: (outputs, inputs)."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
        context.save_for_backward(x, weight)
        context.recipe, context.generator = recipe, generator
        rows = x.reshape(-1, x.shape[-1])
        y = nearest(rows, recipe.activations, recipe) @ nearest(weight, recipe.weights, recipe).T
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight = context.saved_tensors
        recipe: Recipe = context.recipe
        product = partial(backward_product, recipe=recipe, generator=context.generator)
        rows, gradient = x.reshape(-1, x.shape[-1]), gradients[0].reshape(-1, weight.shape[0])
        to_input = product(gradient, weight.T, recipe.gradients, recipe.weights)
        to_weight = product(gradient.T, rows.T, recipe.gradients, recipe.activations)
        return to_input.view(x.shape), to_weight, None, None


def backward_product(
    a: Tensor, b: Tensor, a_to: Operand | None, b_to: Operand | None, recipe: Recipe, generator: torch.Generator
) -> Tensor:
    """Return a bᵀ of cast operands. a: (m, k) and b: (n, k), in blocks along k."""
    if recipe.hadamard:
        signs = random_signs(generator)
        a, b = rotated(a, signs), rotated(b, signs)
    if recipe.stochastic and isinstance(a_to, MXFormat) and isinstance(b_to, MXFormat):
        return round_stochastically(a, a_to, generator) @ round_stochastically(b, b_to, generator).T
    return nearest(a, a_to, recipe) @ nearest(b, b_to, recipe).T


def nearest(x: Tensor, to: Operand | None, recipe: Recipe) -> Tensor:
    """Round to nearest, in blocks along the last axis, and convert back to float32."""
    if to is None:
        return x
    if isinstance(to, MXFormat):
        return fake_quantize(x.detach().contiguous(), to, scale=recipe.scale)
    return x.to(to).float()


def use_recipe(model: nn.Module, recipe: Recipe, seed: int) -> None:
    """Put every linear layer of the model under the recipe, in place; the parameters stay the same objects.

    seed: seed of stochastic rounding and of the rotations. Raises ValueError if a layer has a bias.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, layer in linear_layers(model).items():
        if layer.bias is not None:
            raise ValueError(f"use_recipe: layer {name} must not have a bias")
        replace_layer(model, name, RecipeLinear(layer.weight, recipe, generator))
