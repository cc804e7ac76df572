"""What every experiment begins with: a fleet, the week that its margin is set in, and the week that is scored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from bench.placement.config import FleetConfig
from bench.placement.hosting import Hosted, Period, hosted, margin, place, risk_of
from bench.placement.profiles import Information
from bench.placement.rules import Rule
from bench.placement.tree import Tree, tree
from bench.placement.workloads import Rhythm, Server, fleet, stays

Told = tuple[np.ndarray, np.ndarray]  # (workloads, slots) watts, before each of the two weeks
HISTORY, CALIBRATION, SCORE = range(3)  # weeks: what is read of the one before is used in the next


@dataclass(frozen=True)
class Scene:
    """calibration, score: periods of the same workloads, of which `seen` holds what was read in the week before."""

    calibration: Period
    score: Period
    seen: tuple[np.ndarray, np.ndarray]
    seed: int


def scene(config: FleetConfig, seed: int, mix: str = "same", grouped: bool = True) -> Scene:
    count = round(config.servers * config.offered)
    at_once = round(config.servers * config.at_once)
    rhythm = Rhythm(mix, config.predictable, server=replace(Server(), nameplate_w=config.nameplate_w))
    workloads = fleet(count, 3, seed, rhythm)
    periods = [
        Period(workloads, workloads.week(week), stays(workloads, at_once, config.days, grouped, seed * 10 + week))
        for week in (CALIBRATION, SCORE)
    ]
    return Scene(periods[0], periods[1], (workloads.week(HISTORY), workloads.week(CALIBRATION)), seed)


def hall(config: FleetConfig, row: int) -> Tree:
    """Rows of so many servers' power, as many as the hall feeds."""
    return tree(max(config.servers // row, 1), row, config.nameplate_w, config.crowding, uneven=True)


def outcome(period: Period, demand: np.ndarray, where: Tree, rule: Rule, factor: float, seed: int) -> Hosted:
    """factor: of the budgets, as the policy is told them."""
    return hosted(period, place(period, demand, where.scaled(factor), rule, seed), where)


def risk(period: Period, demand: np.ndarray, where: Tree, rule: Rule, factor: float, seed: int) -> float:
    return risk_of(period, place(period, demand, where.scaled(factor), rule, seed), where)


def told(about: Scene, known: Information) -> Told:
    """Before the week that the margin is set in, and before the one that is scored."""
    before, after = (known.of(readings, about.score.fleet) for readings in about.seen)
    return before, after


def calibrated(
    scenes: Sequence[Scene], demands: Sequence[Told], where: Tree, rule: Rule, at: float
) -> tuple[float, list[Hosted]]:
    """at: a risk. The margin that keeps it in the first week of all scenes together, and what comes of it in the second
    of each. One scene's risk is a few events: a margin of its own would be the one that happened to see few."""

    def risk_before(factor: float) -> float:
        return fmean(
            risk(about.calibration, before, where, rule, factor, about.seed)
            for about, (before, _) in zip(scenes, demands, strict=True)
        )

    factor = margin(risk_before, at)
    return factor, [
        outcome(about.score, after, where, rule, factor, about.seed)
        for about, (_, after) in zip(scenes, demands, strict=True)
    ]


def in_hindsight(
    scenes: Sequence[Scene], demands: Sequence[Told], where: Tree, rule: Rule, at: float, part: float = 1.0
) -> list[Hosted]:
    """What comes of the margin that would have run the risk `at` in the scored weeks themselves, or of a part of it. A
    margin from the week before runs more risk with one kind of information, and less with another: this compares them
    at one risk run."""

    def risk_after(factor: float) -> float:
        return fmean(
            risk(about.score, after, where, rule, factor, about.seed)
            for about, (_, after) in zip(scenes, demands, strict=True)
        )

    factor = part * margin(risk_after, at)
    return [
        outcome(about.score, after, where, rule, factor, about.seed)
        for about, (_, after) in zip(scenes, demands, strict=True)
    ]


def oracle(about: Scene, where: Tree, rule: Rule, at: float) -> Hosted:
    """The scored week known beforehand, and a margin that spends the whole risk `at` in it."""
    factor = margin(lambda each: risk(about.score, about.score.watts, where, rule, each, about.seed), at)
    return outcome(about.score, about.score.watts, where, rule, factor, about.seed)
