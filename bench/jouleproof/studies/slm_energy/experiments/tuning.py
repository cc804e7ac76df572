"""Gain and cost of fine-tuning real weights, either all of them or a few added ones."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import torch

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.inputs import Problem
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.power.meters import open_meter
from jouleproof.progress import steps
from jouleproof.studies.slm_energy.config import SlmEnergyConfig, TuningConfig
from jouleproof.studies.slm_energy.rows import repeat_rows
from jouleproof.studies.slm_energy.timing import CLOCK, cpu_s, joules, one_core
from jouleproof.studies.slm_energy.weight_tuning import Calculation, calculations, one_step, right, trainable, tuned


def tuning(
    config: SlmEnergyConfig, smollm2_135m: LanguageModel, gsm8k_train: Sequence[Problem], gsm8k_test: Sequence[Problem]
) -> pd.DataFrame:
    """Fine-tune, and test on held-out calculations.

    right: whether a calculation's result is the most likely text, before fine-tuning (step 0) and after a step. loss:
    of the step's batch. trained_parameters: of each way.
    """
    settings = config.tuning
    texts, held_out = _texts(settings, smollm2_135m, gsm8k_train, gsm8k_test)
    most = settings.checkpoints[-1]
    step = steps("slm_energy tuning", len(settings.ways) * len(settings.seeds) + 1)
    untouched = right(smollm2_135m.network, held_out)
    step("untouched")
    rows: list[dict[str, Any]] = []
    for way in settings.ways:
        for seed in settings.seeds:
            factors = {"way": way, "seed": seed}
            rows += _scores(factors, 0, untouched)
            decoder = deepcopy(smollm2_135m.network)
            weights = trainable(decoder, way, settings.rank, seed)
            count = sum(weight.numel() for weight in weights)
            rows.append({**factors, "step": 0, "metric": "trained_parameters", "unit": "1", "value": count})
            losses = tuned(decoder, weights, texts, most, settings.batch, settings.learning_rates[way], seed)
            for number, loss in enumerate(losses, 1):
                rows.append({**factors, "step": number, "metric": "loss", "unit": "nats/token", "value": loss})
                if number in settings.checkpoints:
                    rows += _scores(factors, number, right(decoder, held_out))
            step(f"{way}, seed {seed}")
    return tidy(({"item": 0, **row} for row in rows), tier=MEASURED, model=smollm2_135m.name)


def tuning_cost(config: SlmEnergyConfig, smollm2_135m: LanguageModel, gsm8k_train: Sequence[Problem]) -> pd.DataFrame:
    """Time the steps of all ways, which take turns, after a warm-up round.

    cpu_s_per_step: of each way, and of reading the same tokens without learning. over_full: a way's time over that of
    training all weights. joules_per_step: if this machine has counters.
    """
    settings, meter = config.tuning, open_meter(config.meters.meter)
    batch = list(islice(calculations(smollm2_135m, gsm8k_train, settings.most_tokens), settings.batch))
    seconds: dict[str, list[float]] = {}
    with one_core():
        runs: dict[str, Callable[[], object]] = {}
        for way in settings.ways:
            decoder = deepcopy(smollm2_135m.network)
            weights = trainable(decoder, way, settings.rank, 0)
            runs[way] = partial(one_step, decoder, weights, torch.optim.AdamW(weights, lr=0.0), batch)
        runs["reading"] = partial(right, smollm2_135m.network, batch)
        for _ in range(settings.timed_steps + 1):
            for name, run in runs.items():
                seconds.setdefault(name, []).append(cpu_s(run))
        counted = [
            {"way": name, "source": source, "metric": "joules_per_step", "unit": "J", "value": value}
            for name, run in runs.items()
            for source, value in joules(meter, run)
        ]
    return tidy(
        ({"source": CLOCK, **row} for row in (*_rows(seconds), *counted)), tier=MEASURED, model=smollm2_135m.name
    )


def _rows(seconds: dict[str, list[float]]) -> Iterator[dict[str, Any]]:
    for way, values in seconds.items():
        counted = np.array(values[1:])
        over_full = counted / np.array(seconds.get("full", values)[1:])
        yield from repeat_rows({"way": way, "metric": "cpu_s_per_step", "unit": "s"}, counted)
        yield from repeat_rows({"way": way, "metric": "over_full", "unit": "ratio"}, over_full)


def _texts(
    settings: TuningConfig, model: LanguageModel, train: Sequence[Problem], test: Sequence[Problem]
) -> tuple[list[Calculation], list[Calculation]]:
    training, held_out = (
        list(calculations(model, problems, settings.most_tokens)) for problems in (train[: settings.problems], test)
    )
    order = np.random.default_rng(0).permutation(len(held_out))[: settings.items]
    return training, [held_out[number] for number in order]


def _scores(factors: dict[str, Any], step: int, values: Sequence[float]) -> Iterator[dict[str, Any]]:
    for item, value in enumerate(values):
        yield {**factors, "step": step, "item": item, "metric": "right", "unit": "share", "value": value}
