"""Quality of real small models, on tasks that they can partly solve and on one that they cannot."""

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import pandas as pd

from jouleproof.errors import UserError
from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.inputs import Problem
from jouleproof.models.casting import check_castable, weights_cast
from jouleproof.models.likelihood import NotFinite
from jouleproof.progress import steps
from jouleproof.studies.slm_energy.config import QualityConfig, SlmEnergyConfig
from jouleproof.studies.slm_energy.language_models import BUILT_IN, TableNames, language_model
from jouleproof.studies.slm_energy.registry import tasks
from jouleproof.studies.slm_energy.tasks import Model, Score, Task
from jouleproof.studies.slm_energy.weight_formats import FLOAT32, WeightFormat, weight_formats


def quality(
    config: SlmEnergyConfig, gsm8k_test: Sequence[Problem], gsm8k_train: Sequence[Problem], smollm2_135m: Model
) -> pd.DataFrame:
    """Score every model on every item of every task, with weights in every format.

    Formats other than float32 are scored on the first items of the tasks that are asked in every format. Only the
    weights of the linear layers are cast; the embedding, which is also the head, stays float32. prompt, output: tokens
    read and written for the item.
    """
    settings = config.quality
    formats, asked = weight_formats(settings.formats), tasks(settings.tasks)
    table_names = TableNames(settings.models)
    step = steps("slm_energy quality", len(settings.models))
    rows: list[dict[str, Any]] = []
    for name in settings.models:
        model = language_model(name, {BUILT_IN: smollm2_135m}, settings.hub)
        if any(_is_asked(fmt, task) and not _is_plain(fmt) for fmt in formats for task in asked.values()):
            check_castable(model.body, model.name)
        factors = {"model": table_names.name_of(name, model), "rounded": model.rounded or "no"}
        rows += [
            {**factors, **row}
            for fmt in formats
            for task in asked.values()
            for row in _scores(model, fmt, task, gsm8k_test, gsm8k_train, settings)
        ]
        step(factors["model"])
    return tidy(rows, tier=MEASURED)


def _scores(
    model: Model,
    fmt: WeightFormat,
    task: Task,
    test: Sequence[Problem],
    train: Sequence[Problem],
    settings: QualityConfig,
) -> Iterator[dict[str, Any]]:
    if not _is_asked(fmt, task):
        return
    count = settings.items.get(task.name, settings.items_otherwise)
    items = task.items(test, train, count, settings.seed)
    items = items if _is_plain(fmt) else items[: settings.cast_items]
    if not items:
        raise UserError(f"config: task {task.name!r} has no items")
    with nullcontext() if _is_plain(fmt) else weights_cast(model.body, fmt.cast):
        for number, score in _finite(task, model, items, fmt):
            yield {
                "format": fmt.name,
                "bits": fmt.bits,
                "task": task.name,
                "item": number,
                "chance": task.chance,
                **asdict(score),
            }


def _finite(task: Task, model: Model, items: Sequence[Any], fmt: WeightFormat) -> Iterator[tuple[int, Score]]:
    """Yield the scores of items. Raises UserError if the model or the task gives NaN or an infinite number."""
    try:
        for number, score in task.score(model, items):
            if not math.isfinite(score.value):
                raise UserError(f"config: task {task.name!r} gives {score.metric} {score.value} for item {number}")
            yield number, score
    except NotFinite as error:
        raise NotFinite(error.values, model.name, f" (task {task.name!r}, weights in {fmt.name})") from error


def _is_plain(fmt: WeightFormat) -> bool:
    return fmt.name == FLOAT32.name


def _is_asked(fmt: WeightFormat, task: Task) -> bool:
    return _is_plain(fmt) or task.every_format
