"""Cost of the ladder's models on one core: an answer, a right answer, a training step, and fine-tuning to a target."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from jouleproof.evidence.tables import MEASURED, SIMULATED, tidy
from jouleproof.models.small import small_decoder
from jouleproof.models.stacked import greedy, stacked
from jouleproof.power.meters import open_meter
from jouleproof.progress import steps as progress
from jouleproof.studies.slm_energy.arithmetic import draw_problems, prompt_length, texts, vocabulary
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments.fine_tuning import TUNED, UNTOUCHED
from jouleproof.studies.slm_energy.ladder_ratios import (
    ALL,
    Best,
    Cell,
    Medians,
    best_of,
    modelled,
    right_answers,
    tunings,
    written,
)
from jouleproof.studies.slm_energy.rows import repeat_rows
from jouleproof.studies.slm_energy.timing import CLOCK, cpu_s, joules, one_core
from jouleproof.studies.slm_energy.training_run import one_update
from jouleproof.studies.slm_energy.training_spec import TrainingSpec, ladder_spec, longer_spec

ANSWER, STEP, LONGER_ANSWER, LONGER_STEP = "answer", "step", "longer answer", "longer step"


def ladder_cost(
    config: SlmEnergyConfig, ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame, fine_tuning: pd.DataFrame
) -> pd.DataFrame:
    """Time the ladder's models with random weights, which take the same time as trained ones; answers are as long as
    those that the trained models wrote. All take turns in a round, after a warm-up round; each seed has separate
    rounds.

    cpu_ms: of an answer, by the number written side by side (batch), and of a training step of one model; longer: on
    the problems of fine-tuning. joules: of the same, for the first seed, if this machine has counters. Everything else
    is computed from the median of a seed's rounds: see jouleproof.studies.slm_energy.ladder_ratios.
    """
    settings, meter = config.ladder, open_meter(config.meters.meter)
    bests = best_of(pd.concat([ladder, ladder_equal_flops]), list(settings.sizes), settings.seeds)
    step = progress("slm_energy ladder_cost", len(settings.seeds) * (config.ladder_cost.rounds + 1))
    rows: list[dict[str, Any]] = []
    medians: Medians = {}
    with one_core():
        for seed in settings.seeds:
            work, rounds = _timed_work(config, bests, fine_tuning, seed), []
            for number in range(config.ladder_cost.rounds + 1):
                rounds.append([cpu_s(run) / count for run, count in work.values()])
                step(f"seed {seed}, round {number}")
            counted = np.array(rounds[1:])  # rounds, cells
            for place, cell in enumerate(work):
                medians[(*cell, seed)] = float(np.median(counted[:, place]))
                factors = {**_factors(cell), "metric": "cpu_ms", "unit": "ms", "seed": seed}
                rows += repeat_rows(factors, 1e3 * counted[:, place])
            for cell, (run, count) in work.items() if seed == settings.seeds[0] else ():
                factors = {**_factors(cell), "metric": "joules", "unit": "J", "seed": seed}
                rows += [{**factors, "source": source, "value": j / count} for source, j in joules(meter, run)]
    rows += right_answers(settings, bests, medians, config.ladder_cost.batches)
    rows += tunings(config, fine_tuning, medians)
    defaults = {"size": ALL, "what": "none", "batch": 0, "source": CLOCK, "unit": "1", "tier": MEASURED}
    return tidy({**defaults, **row} for row in rows)


def ladder_energy(
    config: SlmEnergyConfig, ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame, ladder_cost: pd.DataFrame
) -> pd.DataFrame:
    """Model the joules of a right answer from the CPU seconds of `ladder_cost` and from bytes."""
    settings = config.ladder
    bests = best_of(pd.concat([ladder, ladder_equal_flops]), list(settings.sizes), settings.seeds)
    times = ladder_cost[ladder_cost["metric"] == "cpu_ms"].groupby(["size", "what", "batch", "seed"])["value"].median()
    medians: Medians = dict(zip(times.index, times / 1e3, strict=True))
    return tidy(modelled(config, bests, medians), tier=SIMULATED)


def _timed_work(
    config: SlmEnergyConfig, bests: Sequence[Best], fine_tuning: pd.DataFrame, seed: int
) -> dict[Cell, tuple[Callable[[], None], int]]:
    """Return the functions to time, each with the number of answers or steps that one call does."""
    work: dict[Cell, tuple[Callable[[], None], int]] = {}

    def add(spec: TrainingSpec, size: str, words: tuple[str, str], tokens: Mapping[int, int]) -> None:
        for batch in config.ladder_cost.batches:
            work[size, words[0], batch] = answering(spec, tokens, batch), batch * len(tokens)
        work[size, words[1], spec.plan.batch] = one_update(spec), 1

    for best in bests:
        spec = ladder_spec(config.ladder, best.size, config.ladder.steps).alone(seed)
        add(spec, best.size, (ANSWER, STEP), best.written)
    tuning = config.fine_tuning
    for size, way in ((tuning.small, TUNED), (tuning.large, UNTOUCHED)):
        tokens = written(fine_tuning[(fine_tuning["size"] == size) & (fine_tuning["way"] == way)])
        add(longer_spec(config, size, tuning.steps).alone(seed), size, (LONGER_ANSWER, LONGER_STEP), tokens)
    return work


def answering(spec: TrainingSpec, tokens: Mapping[int, int], batch: int) -> Callable[[], None]:
    """Return a function in which one model answers `batch` problems of each number of steps, side by side. tokens:
    written per answer, by number of steps."""
    words, rng = vocabulary(spec.task.range), np.random.default_rng(0)
    weights = stacked([small_decoder(spec.shape, spec.seeds[0])])
    prompts = []
    for steps, most in tokens.items():
        questions = texts(draw_problems(spec.task.range, steps, batch, True, rng), words)[
            None, :, : prompt_length(steps)
        ]
        prompts.append((torch.from_numpy(questions), most))

    def answer() -> None:
        for questions, most in prompts:
            greedy(weights, spec.shape, questions, most, None)

    return answer


def _factors(cell: Cell) -> dict[str, Any]:
    return dict(zip(("size", "what", "batch"), cell, strict=True))
