"""Cost per right answer by seed, from CPU time and accuracy, and from modelled joules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.intervals import draws_interval
from jouleproof.studies.slm_energy.config import LadderConfig, SlmEnergyConfig
from jouleproof.studies.slm_energy.power import modelled_interval, order_probability, prior_draws, ratio
from jouleproof.studies.slm_energy.rows import interval_rows
from jouleproof.studies.slm_energy.training_spec import bytes_per_answer, shape_of

ALL = "all"  # problems of any number of steps
SMALLEST_OVER_LARGEST, OVER_LARGEST_REACHED = "smallest over largest", "smallest over largest that reached it"
Cell = tuple[str, str, int]  # size, what is timed, how many side by side
Medians = dict[tuple[str, str, int, int], float]  # CPU seconds by cell and seed


@dataclass(frozen=True)
class Best:
    """A size, under the budget that gave it the highest accuracy.

    accuracy, flops: of an answer, (seeds,). written: tokens of an answer by number of steps.
    """

    size: str
    budget: str
    accuracy: np.ndarray
    flops: np.ndarray
    written: Mapping[int, int]


def best_of(runs: pd.DataFrame, sizes: Sequence[str], seeds: Sequence[int]) -> list[Best]:
    """Return every size, under the budget that gave it the highest accuracy."""
    runs = runs[runs["step"] == runs.groupby(["size", "budget"])["step"].transform("max")]
    bests = []
    for size in sizes:
        of_size = runs[runs["size"] == size]
        accuracy = of_size[(of_size["metric"] == "accuracy") & (of_size["problem"] == ALL)]
        budget = str(accuracy.groupby("budget", sort=False)["value"].mean().idxmax())
        of_size, accuracy = of_size[of_size["budget"] == budget], accuracy[accuracy["budget"] == budget]
        flops = of_size[of_size["metric"] == "flops_per_answer"].set_index("seed")["value"]
        by_seed = accuracy.set_index("seed")["value"]
        bests.append(
            Best(
                size=size,
                budget=budget,
                accuracy=by_seed.loc[list(seeds)].to_numpy(),
                flops=flops.loc[list(seeds)].to_numpy(),
                written=written(of_size),
            )
        )
    return bests


def written(runs: pd.DataFrame) -> dict[int, int]:
    """Return the tokens of an answer by number of steps, as a rounded mean over seeds."""
    tokens = runs[(runs["metric"] == "answer_tokens") & (runs["problem"] != ALL)]
    return {int(str(steps)): round(value) for steps, value in tokens.groupby("problem")["value"].mean().items()}


def ends(bests: Sequence[Best], target: float) -> tuple[str, Best, Best] | None:
    """Return the smallest and the largest size that reach a mean accuracy, after the name of the pair, which says
    whether a larger size failed to reach it. None if fewer than two reach it."""
    reached = [best for best in bests if best.accuracy.mean() >= target]
    if len(reached) < 2:
        return None
    return (SMALLEST_OVER_LARGEST if reached[-1] is bests[-1] else OVER_LARGEST_REACHED), reached[0], reached[-1]


def right_answers(
    settings: LadderConfig, bests: Sequence[Best], medians: Medians, batches: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield the cost of right answers.

    cpu_ms_per_correct: CPU time of an answer over the share of right answers. cost_ratio, flops_ratio: this cost in CPU
    time and in FLOPs, for the smallest size that reaches the target over the largest, if every seed has a right answer.
    """
    pair = ends(bests, settings.target)
    for batch in batches:
        costs = {
            best.size: np.array([medians[best.size, "answer", batch, seed] for seed in settings.seeds]) / best.accuracy
            for best in bests
            if best.accuracy.all()
        }
        for size, values in costs.items():
            factors = {"size": size, "what": "answer", "batch": batch}
            for seed, value in zip(settings.seeds, values, strict=True):
                yield {**factors, "metric": "cpu_ms_per_correct", "unit": "ms", "value": 1e3 * value, "seed": seed}
        if pair and {pair[1].size, pair[2].size} <= set(costs):
            name, small, large = pair
            pair_factors = {"size": f"{small.size} over {large.size}", "what": name, "batch": batch, "unit": "ratio"}
            flops = (small.flops / small.accuracy) / (large.flops / large.accuracy)
            for seed, cost, flop in zip(settings.seeds, costs[small.size] / costs[large.size], flops, strict=True):
                yield {**pair_factors, "metric": "cost_ratio", "value": cost, "seed": seed}
                yield {**pair_factors, "metric": "flops_ratio", "value": flop, "seed": seed}


def break_even(spent: float, costs: tuple[float, float], right: tuple[float, float]) -> dict[str, float]:
    """Return the number of answers, and of right answers, after which the expense for the small model is recovered; no
    entry if it never is.

    costs: of an answer; right: share of right answers; both for the tuned small model and for the untouched large one.
    """
    answers = {}
    if costs[1] > costs[0]:
        answers["break_even"] = spent / (costs[1] - costs[0])
    if min(right) > 0 and costs[1] / right[1] > costs[0] / right[0]:
        answers["break_even_right"] = spent / (costs[1] / right[1] - costs[0] / right[0])
    return answers


def tunings(config: SlmEnergyConfig, fine_tuning: pd.DataFrame, medians: Medians) -> Iterator[dict[str, Any]]:
    """Yield the cost of fine-tuning, and when it is recovered.

    cpu_s_to_target: of fine-tuning and of training from scratch, if the target was reached. tuning_ratio: small over
    large, both fine-tuned. break_even: see break_even(); the small model is tuned, the large one untouched.
    """
    tuning = config.fine_tuning
    rows = tuning.problems * len(tuning.problem_steps)
    needed = fine_tuning[fine_tuning["metric"] == "steps_to_target"]
    cells = needed[["size", "way", "seed", "value"]].itertuples(index=False)
    spent = {(size, way, seed): steps * medians[size, "longer step", rows, seed] for size, way, seed, steps in cells}
    for (size, way, seed), value in spent.items():
        yield {"size": size, "what": way, "metric": "cpu_s_to_target", "unit": "s", "value": value, "seed": seed}
    pair = {"size": f"{tuning.small} over {tuning.large}"}
    shares = fine_tuning[(fine_tuning["metric"] == "accuracy")].sort_values("step").groupby(["size", "way", "seed"])
    right = shares["value"].last()
    for seed in config.ladder.seeds:
        small, large = (spent.get((size, "fine-tuned", seed)) for size in (tuning.small, tuning.large))
        if small and large:
            ratio_of_seed = {"metric": "tuning_ratio", "unit": "ratio", "seed": seed, "value": small / large}
            yield {**pair, "what": "fine-tuned", **ratio_of_seed}
        for batch in config.ladder_cost.batches if small else []:
            costs = (
                medians[tuning.small, "longer answer", batch, seed],
                medians[tuning.large, "longer answer", batch, seed],
            )
            accuracies = (right[tuning.small, "fine-tuned", seed], right[tuning.large, "untouched", seed])
            for metric, value in break_even(small or 0.0, costs, accuracies).items():
                factors = {**pair, "what": "untouched", "batch": batch, "seed": seed}
                yield {**factors, "metric": metric, "unit": "answers", "value": value}


def modelled(config: SlmEnergyConfig, bests: Sequence[Best], medians: Medians) -> Iterator[dict[str, Any]]:
    """Yield energies modelled from CPU seconds and bytes, as if all bytes came from memory.

    joules_per_answer, joules_per_correct, and joules_ratio of the same pair as cost_ratio: median and ends of the
    prior. joules_order: share of the prior in which the smaller model takes fewer joules.
    """
    settings, draws = config.ladder, prior_draws(config.power)
    pair = ends(bests, settings.target)
    for batch in config.ladder_cost.batches:
        work: dict[str, tuple[float, float]] = {}
        for best in bests:
            seconds = float(np.mean([medians[best.size, "answer", batch, seed] for seed in settings.seeds]))
            moved = bytes_per_answer(shape_of(settings, best.size), best.written, batch)
            factors = {"size": best.size, "what": "answer", "batch": batch, "unit": "J"}
            yield from interval_rows(factors, "joules_per_answer", modelled_interval(seconds, moved, draws))
            if accuracy := float(best.accuracy.mean()):
                work[best.size] = (seconds / accuracy, moved / accuracy)
                yield from interval_rows(factors, "joules_per_correct", modelled_interval(*work[best.size], draws))
        if pair:
            name, small, large = pair[0], work[pair[1].size], work[pair[2].size]
            factors = {"size": f"{pair[1].size} over {pair[2].size}", "what": name, "batch": batch, "unit": "ratio"}
            yield from interval_rows(factors, "joules_ratio", draws_interval(ratio(small, large, draws)))
            yield {
                **factors,
                "metric": "joules_order",
                "unit": "share",
                "value": order_probability(small, large, draws),
            }
