"""A small and a large model of the ladder on longer problems: fine-tuned on them, trained on them from scratch, and
untouched."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.progress import steps as progress
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments.ladder import curve
from jouleproof.studies.slm_energy.ladder_ratios import ALL, best_of, break_even
from jouleproof.studies.slm_energy.training_run import Run, Tested, accuracies, read_run, tested
from jouleproof.studies.slm_energy.training_spec import (
    FINE_TUNED,
    FROM_SCRATCH,
    TrainingSpec,
    fine_tuned_spec,
    flops_per_answer,
    ladder_checkpoint,
    longer_spec,
)

TUNED, ANEW, UNTOUCHED = "fine-tuned", "anew", "untouched"


@dataclass(frozen=True)
class Answers:
    """Scores of one size of the ladder before and after fine-tuning, on the longer problems and on the ladder's.

    spec: of the fine-tuning. needed: steps to the target by seed, for seeds that reached it.
    """

    spec: TrainingSpec
    needed: Mapping[int, int]
    untouched: Tested
    tuned: Tested
    old_untouched: Tested
    old_tuned: Tested

    def flops(self, scores: Tested, place: int) -> float:
        """Return the FLOPs of an answer of one model."""
        return flops_per_answer(self.spec.shape, scores.written(place))


def fine_tuning(
    config: SlmEnergyConfig, ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame, checkpoints: Mapping[str, Path]
) -> pd.DataFrame:
    """Tabulate accuracy on the longer problems by step and way; untouched: before the first step.

    old_accuracy: on the ladder's problems, before and after. steps_to_target, flops_to_target: up to the first test
    that reached the target, if any did (reached). flops_ratio: the small model's over the large one's, both fine-tuned.
    break_even, break_even_right: answers, or right answers, after which tuning the small model to the target has cost
    fewer FLOPs than asking the untouched large one; no row if it never does.
    """
    tuning = config.fine_tuning
    bests = best_of(pd.concat([ladder, ladder_equal_flops]), (tuning.small, tuning.large), config.ladder.seeds)
    step = progress("slm_energy fine_tuning", len(bests) + len(tuning.anew_steps))
    rows: list[dict[str, Any]] = []
    answers: dict[str, Answers] = {}
    for best in bests:
        spec = fine_tuned_spec(config, best.size, best.budget)
        assert spec.after is not None
        before = read_run(checkpoints[ladder_checkpoint(config.ladder, best.size, best.budget)], spec.after)
        end = read_run(checkpoints[FINE_TUNED + best.size], spec)
        rows += [{"size": best.size, "way": TUNED, **row} for row in _learning(spec, end, tuning.target)]
        answers[best.size] = _answers(spec, before, end, tuning.target)
        step(f"{best.size}, {TUNED}")
    for size, steps in tuning.anew_steps.items():
        spec = longer_spec(config, size, steps)
        end = read_run(checkpoints[FROM_SCRATCH + size], spec)
        rows += [{"size": size, "way": ANEW, **row} for row in _learning(spec, end, tuning.target)]
        step(f"{size}, {ANEW}")
    for size, of_size in answers.items():
        rows += [{"size": size, **row} for row in _answered(of_size)]
    pair = {"size": f"{tuning.small} over {tuning.large}"}
    rows += [{**pair, **row} for row in _compared(answers[tuning.small], answers[tuning.large])]
    return tidy(({"step": 0, "problem": ALL, "unit": "1", **row} for row in rows), tier=MEASURED)


def steps_to(target: float, spec: TrainingSpec, run: Run) -> dict[int, int]:
    """Return the steps up to the first test that reached the target, by seed, for seeds that reached it."""
    needed: dict[int, int] = {}
    for mark in run.curve:
        for seed, accuracy in zip(spec.seeds, accuracies(mark, len(spec.seeds)), strict=True):
            if accuracy >= target:
                needed.setdefault(seed, int(mark[0]))
    return needed


def _learning(spec: TrainingSpec, run: Run, target: float) -> Iterator[dict[str, Any]]:
    """Yield the learning curve of a run, and the steps and FLOPs at which it reached the target."""
    yield from curve(spec, run)
    needed, flops = steps_to(target, spec, run), spec.step_flops
    yield {"metric": "flops_per_step", "unit": "FLOP", "value": flops}
    yield {"metric": "target", "unit": "share", "value": target}
    for seed in spec.seeds:
        yield {"metric": "reached", "value": float(seed in needed), "seed": seed}
        if seed in needed:
            yield {"metric": "steps_to_target", "unit": "steps", "value": needed[seed], "seed": seed}
            yield {"metric": "flops_to_target", "unit": "FLOP", "value": needed[seed] * flops, "seed": seed}


def _answers(spec: TrainingSpec, before: Run, end: Run, target: float) -> Answers:
    assert spec.after is not None
    return Answers(
        spec=spec,
        needed=steps_to(target, spec, end),
        untouched=tested(spec, before.weights),
        tuned=tested(spec, end.weights),
        old_untouched=tested(spec.after, before.weights),
        old_tuned=tested(spec.after, end.weights),
    )


def _answered(answers: Answers) -> Iterator[dict[str, Any]]:
    spec = answers.spec
    for metric, way, step, scores in (
        ("accuracy", UNTOUCHED, 0, answers.untouched),
        ("old_accuracy", UNTOUCHED, 0, answers.old_untouched),
        ("old_accuracy", TUNED, spec.plan.steps, answers.old_tuned),
    ):
        for seed, value in zip(spec.seeds, scores.accuracy, strict=True):
            yield {"way": way, "step": step, "metric": metric, "unit": "share", "value": value, "seed": seed}
    ways = {UNTOUCHED: answers.untouched, TUNED: answers.tuned}
    for way, scores in ways.items():
        for place, seed in enumerate(spec.seeds):
            flops = answers.flops(scores, place)
            yield {"way": way, "metric": "flops_per_answer", "unit": "FLOP", "seed": seed, "value": flops}
    for way, scores in ways.items():
        for steps in spec.task.steps:
            for seed, tokens in zip(spec.seeds, scores.tokens[steps], strict=True):
                factors = {"way": way, "problem": str(steps), "seed": seed}
                yield {**factors, "metric": "answer_tokens", "unit": "tokens", "value": tokens}


def _compared(small: Answers, large: Answers) -> Iterator[dict[str, Any]]:
    """Compare the small model with the large one, by seed."""
    for place, seed in enumerate(small.spec.seeds):
        if seed not in small.needed:
            continue
        spent = small.needed[seed] * small.spec.step_flops
        if seed in large.needed:
            ratio = spent / (large.needed[seed] * large.spec.step_flops)
            yield {"way": TUNED, "metric": "flops_ratio", "unit": "ratio", "seed": seed, "value": ratio}
        costs = small.flops(small.tuned, place), large.flops(large.untouched, place)
        right = small.tuned.accuracy[place], large.untouched.accuracy[place]
        for metric, value in break_even(spent, costs, right).items():
            yield {"way": UNTOUCHED, "metric": metric, "unit": "answers", "seed": seed, "value": value}
