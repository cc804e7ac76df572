"""Models of rising size trained from scratch on generated grade school math, at equal steps and at equal FLOPs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.progress import steps as progress
from jouleproof.studies.slm_energy.arithmetic import vocabulary
from jouleproof.studies.slm_energy.checkpoints import read_run
from jouleproof.studies.slm_energy.config import LadderConfig, SlmEnergyConfig
from jouleproof.studies.slm_energy.ladder_ratios import ALL
from jouleproof.studies.slm_energy.ladder_runs import budget_steps, bytes_per_answer, course, flops_per_answer
from jouleproof.studies.slm_energy.training_plan import EQUAL_FLOPS, EQUAL_STEPS, ladder_checkpoint
from jouleproof.studies.slm_energy.training_runs import Course, Run, parameters, step_flops, tested


def ladder(config: SlmEnergyConfig, checkpoints: Mapping[str, Path]) -> pd.DataFrame:
    """All sizes trained in equally many steps."""
    return under_budget(config.ladder, EQUAL_STEPS, checkpoints)


def ladder_equal_flops(config: SlmEnergyConfig, checkpoints: Mapping[str, Path]) -> pd.DataFrame:
    """All sizes trained with equal FLOPs."""
    return under_budget(config.ladder, EQUAL_FLOPS, checkpoints)


def under_budget(settings: LadderConfig, budget: str, checkpoints: Mapping[str, Path]) -> pd.DataFrame:
    """All sizes under one budget, every seed on the same problems as the others of its number.

    accuracy: share of held-out problems with the right final answer, after a step, and at the end by number of steps.
    loss: of the last batch, per token of an answer. answer_tokens: written, the end included. training_flops: up to a
    step. flops_per_answer, bytes_per_answer (one at a time), flops_per_correct: of the model at its end.
    """
    counts = budget_steps(settings, budget)
    step = progress(f"slm_energy ladder, {budget}", len(counts))
    rows: list[dict[str, Any]] = []
    for size, count in counts.items():
        own = course(settings, size, count)
        run = read_run(checkpoints[ladder_checkpoint(settings, size, budget)], own)
        rows += [{"size": size, **row} for row in (*curve(own, run), *_end(settings, own, run))]
        step(size)
    return tidy(({"problem": ALL, "unit": "1", **row} for row in rows), budget=budget, tier=MEASURED)


def curve(own: Course, run: Run) -> Iterator[dict[str, Any]]:
    """A row per mark, seed and metric."""
    units = {"loss": "nats/token", "accuracy": "share", "answer_tokens": "tokens"}
    for mark in run.curve:
        step, values = int(mark[0]), np.reshape(mark[1:], (len(units), -1))
        yield {"step": step, "metric": "training_flops", "unit": "FLOP", "value": step * step_flops(own)}
        for (metric, unit), each in zip(units.items(), values, strict=True):
            for seed, value in zip(own.seeds, each, strict=True):
                yield {"step": step, "metric": metric, "unit": unit, "value": value, "seed": seed}


def _end(settings: LadderConfig, own: Course, run: Run) -> Iterator[dict[str, Any]]:
    about = {"step": own.plan.steps}
    yield {**about, "metric": "parameters", "value": parameters(own.shape)}
    yield {**about, "metric": "target", "unit": "share", "value": settings.target}
    found = tested(own, run.weights, own.task.test_problems(), vocabulary(own.task.range))
    for place, seed in enumerate(own.seeds):
        for steps in own.task.steps:
            each = {**about, "seed": seed, "problem": str(steps)}
            yield {**each, "metric": "accuracy", "unit": "share", "value": found.right[steps][place]}
            yield {**each, "metric": "answer_tokens", "unit": "tokens", "value": found.tokens[steps][place]}
        written = {steps: tokens[place] for steps, tokens in found.tokens.items()}
        flops, accuracy = flops_per_answer(own.shape, written), found.mean(found.right)[place]
        each = {**about, "seed": seed}
        yield {**each, "metric": "flops_per_answer", "unit": "FLOP", "value": flops}
        yield {**each, "metric": "bytes_per_answer", "unit": "B", "value": bytes_per_answer(own.shape, written, 1)}
        if accuracy:
            yield {**each, "metric": "flops_per_correct", "unit": "FLOP", "value": flops / accuracy}
