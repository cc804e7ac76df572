"""Training from scratch under MX recipes, and direct casts of the model that float32 training produces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, product
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import MXFormat, ScaleRule, fake_quantize
from jouleproof.inputs import Problem
from jouleproof.models.casting import SUBJECTS, under_cast
from jouleproof.models.decoder import Decoder
from jouleproof.models.schedule import Plan
from jouleproof.models.small import document, small_decoder, small_shape, stream
from jouleproof.models.training import held_out_loss, train, windows
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig, TrainingConfig
from jouleproof.studies.mx.recipes import BASELINE, recipes, use_recipe

NO_CAST = {"format": "none", "scale": "none", "subject": "none"}


def training(config: MxConfig, gsm8k_train: Sequence[Problem], gsm8k_test: Sequence[Problem]) -> pd.DataFrame:
    """Train a small transformer over bytes under every recipe; a seed fixes initial weights, batches and held-out text.

    train_loss: mean over the batches since the previous row, up to `step`. loss: final loss on windows of the test
    split that the seed draws, so the spread over seeds comes from weights, batches and texts; the model runs under its
    recipe. added_loss: difference from float32 of the same seed. cast_added_loss: loss that a direct cast adds to the
    final float32 model. parameters, trained_tokens: size and training tokens of one model.
    """
    settings = config.training
    plans, formats, rules = (
        recipes(settings.recipes),
        registry.formats(config.formats),
        registry.scale_rules(settings.scales),
    )
    texts = [stream(map(document, problems)) for problems in (gsm8k_train, gsm8k_test)]
    step = steps("mx training", len(settings.seeds) * (len(plans) + 1))
    rows: list[dict[str, Any]] = []
    for seed in settings.seeds:
        held_out = windows(texts[1], settings.held_out, settings.context, torch.Generator().manual_seed(seed))
        end_points = {}
        for recipe in plans.values():
            model = untrained(settings, seed)
            use_recipe(model, recipe, seed)
            losses = train(model, texts[0], plan(settings), seed)
            rows += [{"recipe": recipe.name, "seed": seed, **row} for row in curve(losses, settings.every)]
            loss = held_out_loss(model, held_out)
            end_points[recipe.name] = (loss, model.state_dict())
            step(f"{recipe.name}, seed {seed}: {loss:.3f} nats/byte on held-out text")
        base, weights = end_points[BASELINE]
        for name, (loss, _) in end_points.items():
            factors = {"recipe": name, "seed": seed, "step": settings.steps}
            rows.append({**factors, "metric": "loss", "value": loss})
            if name != BASELINE:
                rows.append({**factors, "metric": "added_loss", "value": loss - base})
        model = untrained(settings, seed)
        model.load_state_dict(weights)
        factors = {"recipe": BASELINE, "seed": seed, "step": settings.steps, "metric": "cast_added_loss"}
        for cast, loss in cast_losses(model, held_out, formats, rules):
            rows.append({**factors, **cast, "value": loss - base})
        step(f"direct casts, seed {seed}")
    factors = {"recipe": "none", "step": settings.steps, "unit": "1"}
    size = sum(parameter.numel() for parameter in untrained(settings, 0).parameters())
    rows.append({**factors, "metric": "parameters", "value": size})
    rows.append({**factors, "metric": "trained_tokens", "value": settings.steps * settings.batch * settings.context})
    return tidy(({**NO_CAST, "unit": "nats/byte", **row} for row in rows), tier=MEASURED)


def plan(settings: TrainingConfig) -> Plan:
    return Plan(
        steps=settings.steps,
        batch=settings.batch,
        context=settings.context,
        learning_rate=settings.learning_rate,
        warm_up=settings.warm_up,
    )


def untrained(settings: TrainingConfig, seed: int) -> Decoder:
    return small_decoder(small_shape(settings.layers, settings.width), seed)


def curve(losses: Iterable[float], every: int) -> Iterator[dict[str, Any]]:
    """Yield mean losses over runs of `every` steps; the last run may be shorter."""
    remaining, step = iter(losses), 0
    while run := list(islice(remaining, every)):
        step += len(run)
        yield {"step": step, "metric": "train_loss", "value": sum(run) / len(run)}


def cast_losses(
    model: Decoder, held_out: Tensor, formats: Mapping[str, MXFormat], rules: Mapping[str, ScaleRule]
) -> Iterator[tuple[dict[str, str], float]]:
    """Yield the factors of each cast (of inputs, weights or both, in all linear layers), and the loss under it."""
    for (scale, rule), (name, fmt), subject in product(rules.items(), formats.items(), SUBJECTS):
        with under_cast(model, partial(fake_quantize, fmt=fmt, scale=rule), subject):
            loss = held_out_loss(model, held_out)
        yield {"format": name, "scale": scale, "subject": subject}, loss
