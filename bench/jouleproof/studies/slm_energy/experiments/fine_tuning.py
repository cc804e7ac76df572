"""A small and a large model of the ladder fine-tuned to longer problems, trained anew for them, and left alone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.progress import steps as progress
from jouleproof.studies.slm_energy.arithmetic import vocabulary
from jouleproof.studies.slm_energy.checkpoints import accuracies, read_run
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments.ladder import curve
from jouleproof.studies.slm_energy.ladder_ratios import ALL, best_of, break_even
from jouleproof.studies.slm_energy.ladder_runs import anew, flops_per_answer, tuned
from jouleproof.studies.slm_energy.training_plan import ladder_checkpoint, scratch_checkpoint, tuned_checkpoint
from jouleproof.studies.slm_energy.training_runs import Course, Run, Tested, step_flops, tested

TUNED, ANEW, UNTOUCHED = "fine-tuned", "anew", "untouched"


def fine_tuning(
    config: SlmEnergyConfig, ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame, checkpoints: Mapping[str, Path]
) -> pd.DataFrame:
    """Accuracy on the longer problems by step and way; untouched: before the first step.

    old_accuracy: on the ladder's problems, before and after. steps_to_target, flops_to_target: up to the first test
    that reached the target, where one did (reached). flops_ratio: small model's over large one's, both fine-tuned.
    break_even: answers, or right answers, after which tuning the small model to the target has cost less than asking
    the large one untouched, in FLOPs; no row where it never does.
    """
    settings, own = config.ladder, config.fine_tuning
    sizes = (own.small, own.large)
    bests = best_of(pd.concat([ladder, ladder_equal_flops]), sizes, settings.seeds)
    courses = {(best.size, TUNED): tuned(settings, own, best.size, best.budget) for best in bests}
    courses |= {(size, ANEW): anew(settings, own, size, count) for size, count in own.anew_steps.items()}
    step = progress("slm_energy fine_tuning", len(courses))
    before = {
        best.size: read_run(
            checkpoints[ladder_checkpoint(settings, best.size, best.budget)], _before(courses[best.size, TUNED])
        )
        for best in bests
    }
    names = {TUNED: tuned_checkpoint, ANEW: scratch_checkpoint}
    ends = {(size, way): read_run(checkpoints[names[way](size)], each) for (size, way), each in courses.items()}
    rows: list[dict[str, Any]] = []
    for (size, way), each in courses.items():
        about = {"size": size, "way": way}
        rows += [{**about, **row} for row in curve(each, ends[size, way])]
        rows += [{**about, **row} for row in _reached(each, ends[size, way], own.target)]
        step(f"{size}, {way}")
    answers = {}
    for size in sizes:
        at = courses[size, TUNED]
        new, old = _tests(at, before[size]), _tests(_before(at), before[size])
        answers[size] = {UNTOUCHED: new, TUNED: _tests(at, ends[size, TUNED])}
        about = {"size": size, "way": UNTOUCHED}
        rows += [{**about, **row} for row in _shares(at, "accuracy", new)]
        rows += [{**about, **row} for row in _shares(at, "old_accuracy", old)]
        rows += [{"size": size, "way": TUNED, "step": own.steps, **row}
                 for row in _shares(at, "old_accuracy", _tests(_before(at), ends[size, TUNED]))]  # fmt: skip
        rows += [{"size": size, "way": way, "metric": "flops_per_answer", "unit": "FLOP", "seed": seed,
                  "value": _answer_flops(at, found, place)}
                 for way, found in answers[size].items() for place, seed in enumerate(at.seeds)]  # fmt: skip
        rows += [{"size": size, "way": way, "problem": str(steps), "metric": "answer_tokens", "unit": "tokens",
                  "seed": seed, "value": found.tokens[steps][place]} for way, found in answers[size].items()
                 for steps in at.task.steps for place, seed in enumerate(at.seeds)]  # fmt: skip
    rows += _compared(courses, ends, answers, own.small, own.large, own.target)
    return tidy(({"step": 0, "problem": ALL, "unit": "1", **row} for row in rows), tier=MEASURED)


def steps_to(target: float, course: Course, run: Run) -> dict[int, int]:
    """By seed: steps up to the first test that reached the target, where one did."""
    found: dict[int, int] = {}
    for mark in run.curve:
        for seed, accuracy in zip(course.seeds, accuracies(mark, len(course.seeds)), strict=True):
            if accuracy >= target:
                found.setdefault(seed, int(mark[0]))
    return found


def _before(course: Course) -> Course:
    assert course.after is not None
    return course.after


def _tests(at: Course, run: Run) -> Tested:
    return tested(at, run.weights, at.task.test_problems(), vocabulary(at.task.range))


def _shares(at: Course, metric: str, found: Tested) -> Iterator[dict[str, Any]]:
    for seed, value in zip(at.seeds, found.mean(found.right), strict=True):
        yield {"metric": metric, "unit": "share", "value": value, "seed": seed}


def _reached(at: Course, run: Run, target: float) -> Iterator[dict[str, Any]]:
    found = steps_to(target, at, run)
    yield {"metric": "flops_per_step", "unit": "FLOP", "value": step_flops(at)}
    yield {"metric": "target", "unit": "share", "value": target}
    for seed in at.seeds:
        yield {"metric": "reached", "value": float(seed in found), "seed": seed}
        if seed in found:
            yield {"metric": "steps_to_target", "unit": "steps", "value": found[seed], "seed": seed}
            yield {"metric": "flops_to_target", "unit": "FLOP", "value": found[seed] * step_flops(at), "seed": seed}


def _answer_flops(at: Course, found: Tested, place: int) -> float:
    return flops_per_answer(at.shape, {steps: tokens[place] for steps, tokens in found.tokens.items()})


def _compared(
    courses: Mapping[tuple[str, str], Course], ends: Mapping[tuple[str, str], Run],
    answers: Mapping[str, Mapping[str, Tested]], small: str, large: str, target: float,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Small against large, seed by seed."""
    pair = {"size": f"{small} over {large}"}
    lesser, greater = courses[small, TUNED], courses[large, TUNED]
    needed = [steps_to(target, at, ends[size, TUNED]) for size, at in ((small, lesser), (large, greater))]
    for place, seed in enumerate(lesser.seeds):
        if seed not in needed[0]:
            continue
        spent = needed[0][seed] * step_flops(lesser)
        if seed in needed[1]:
            yield {**pair, "way": TUNED, "metric": "flops_ratio", "unit": "ratio", "seed": seed,
                   "value": spent / (needed[1][seed] * step_flops(greater))}  # fmt: skip
        one, other = answers[small][TUNED], answers[large][UNTOUCHED]
        costs = _answer_flops(lesser, one, place), _answer_flops(greater, other, place)
        right = one.mean(one.right)[place], other.mean(other.right)[place]
        for metric, value in break_even(spent, costs, right).items():
            yield {**pair, "way": UNTOUCHED, "metric": metric, "unit": "answers", "seed": seed, "value": value}
