"""Models of rising size trained from scratch on generated grade school math, at equal steps and at equal FLOPs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.models.decoder_shape import parameters
from jouleproof.progress import steps as progress
from jouleproof.studies.slm_energy.config import LadderConfig, SlmEnergyConfig
from jouleproof.studies.slm_energy.ladder_ratios import ALL
from jouleproof.studies.slm_energy.training_run import Run, read_run, tested
from jouleproof.studies.slm_energy.training_spec import (
    EQUAL_FLOPS,
    EQUAL_STEPS,
    TrainingSpec,
    bytes_per_answer,
    flops_per_answer,
    ladder_checkpoint,
    ladder_specs,
)


def ladder(config: SlmEnergyConfig, checkpoints: Mapping[str, Path]) -> pd.DataFrame:
    """Tabulate all sizes, trained for the same number of steps."""
    return under_budget(config.ladder, EQUAL_STEPS, checkpoints)


def ladder_equal_flops(config: SlmEnergyConfig, checkpoints: Mapping[str, Path]) -> pd.DataFrame:
    """Tabulate all sizes, trained with the same FLOPs."""
    return under_budget(config.ladder, EQUAL_FLOPS, checkpoints)


def under_budget(settings: LadderConfig, budget: str, checkpoints: Mapping[str, Path]) -> pd.DataFrame:
    """Tabulate all sizes under one budget; a seed has the same problems at every size.

    accuracy: share of held-out problems with the right final answer, after a training step, and at the end also by the
    problems' number of steps. loss: of the last batch, per token of an answer. answer_tokens: tokens written, including
    the end. training_flops: up to a step. flops_per_answer, bytes_per_answer (one at a time), flops_per_correct: of the
    trained model.
    """
    specs = ladder_specs(settings, budget)
    step = progress(f"slm_energy ladder, {budget}", len(specs))
    rows: list[dict[str, Any]] = []
    for size, spec in specs.items():
        run = read_run(checkpoints[ladder_checkpoint(settings, size, budget)], spec)
        rows += [{"size": size, **row} for row in (*curve(spec, run), *_end(spec, run, settings.target))]
        step(size)
    return tidy(({"problem": ALL, "unit": "1", **row} for row in rows), budget=budget, tier=MEASURED)


def curve(spec: TrainingSpec, run: Run) -> Iterator[dict[str, Any]]:
    """Yield a row per mark, seed and metric."""
    units = {"loss": "nats/token", "accuracy": "share", "answer_tokens": "tokens"}
    for mark in run.curve:
        step, values = int(mark[0]), np.reshape(mark[1:], (len(units), -1))
        yield {"step": step, "metric": "training_flops", "unit": "FLOP", "value": step * spec.step_flops}
        for (metric, unit), by_seed in zip(units.items(), values, strict=True):
            for seed, value in zip(spec.seeds, by_seed, strict=True):
                yield {"step": step, "metric": metric, "unit": unit, "value": value, "seed": seed}


def _end(spec: TrainingSpec, run: Run, target: float) -> Iterator[dict[str, Any]]:
    at_end = {"step": spec.plan.steps}
    yield {**at_end, "metric": "parameters", "value": parameters(spec.shape)}
    yield {**at_end, "metric": "target", "unit": "share", "value": target}
    scores = tested(spec, run.weights)
    for place, seed in enumerate(spec.seeds):
        factors = {**at_end, "seed": seed}
        for steps in spec.task.steps:
            problem = {**factors, "problem": str(steps)}
            yield {**problem, "metric": "accuracy", "unit": "share", "value": scores.right[steps][place]}
            yield {**problem, "metric": "answer_tokens", "unit": "tokens", "value": scores.tokens[steps][place]}
        written = scores.written(place)
        flops, accuracy = flops_per_answer(spec.shape, written), scores.accuracy[place]
        yield {**factors, "metric": "flops_per_answer", "unit": "FLOP", "value": flops}
        yield {**factors, "metric": "bytes_per_answer", "unit": "B", "value": bytes_per_answer(spec.shape, written, 1)}
        if accuracy:
            yield {**factors, "metric": "flops_per_correct", "unit": "FLOP", "value": flops / accuracy}
