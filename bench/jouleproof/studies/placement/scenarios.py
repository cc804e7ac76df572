"""What every experiment begins with: a fleet, the week that its margin is set in, and the week that is scored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from jouleproof.errors import UserError
from jouleproof.power.tree import Tree, tree
from jouleproof.power.workloads import Rhythm, Server, fleet, stays
from jouleproof.studies.placement.config import FleetConfig
from jouleproof.studies.placement.evaluation import Hosted, Period, hosted, margin, place, risk_of
from jouleproof.studies.placement.profiles import Information
from jouleproof.studies.placement.recorded import fleet_of, recorded
from jouleproof.studies.placement.rules import Rule

Told = tuple[np.ndarray, np.ndarray]  # (workloads, slots) watts, before each of the two weeks
HISTORY, CALIBRATION, SCORE = range(WEEKS := 3)  # weeks: what is read of the one before is used in the next


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
    if config.trace is None:
        workloads = fleet(count, WEEKS, seed, rhythm)
    else:
        workloads = fleet_of(recorded(config.trace), count, WEEKS, seed, mix, config.nameplate_w)
    periods = [
        Period(workloads, workloads.week(week), stays(workloads, at_once, config.days, grouped, seed * 10 + week))
        for week in (CALIBRATION, SCORE)
    ]
    return Scene(periods[0], periods[1], (workloads.week(HISTORY), workloads.week(CALIBRATION)), seed)


def hall(config: FleetConfig, row: int, racks: int = 1) -> Tree:
    """Rows of so many servers' power, as many as the hall feeds."""
    return tree(max(config.servers // row, 1), row, config.nameplate_w, config.crowding, racks, uneven=True)


def outcome(period: Period, demand: np.ndarray, where: Tree, rule: Rule, factor: float, seed: int) -> Hosted:
    """factor: of the budgets, as the policy is told them."""
    return hosted(period, place(period, demand, where.scaled(factor), rule, seed), where)


def risk(period: Period, demand: np.ndarray, where: Tree, rule: Rule, factor: float, seed: int) -> float:
    return risk_of(period, place(period, demand, where.scaled(factor), rule, seed), where)


def told(about: Scene, known: Information) -> Told:
    """Before the week that the margin is set in, and before the one that is scored."""
    what = f"information {known.words!r}"
    before, after = (
        watts_by_slot(what, known.of(readings, about.score.fleet), len(readings)) for readings in about.seen
    )
    return before, after


def watts_by_slot(what: str, found: object, workloads: int, slots: int | None = None) -> np.ndarray:
    """What a function that may be a user's own gave. Raises UserError where it is no watts of (workloads, slots): the
    kernels that it goes on to check no bounds. slots: None where any number will do."""
    if isinstance(found, np.ndarray):
        wide = found.ndim == 2 and (found.shape[1] > 0 if slots is None else found.shape[1] == slots)
        if wide and len(found) == workloads and ((found >= 0) & (found < np.inf)).all():
            return found
    gave = f"an array of shape {found.shape}" if isinstance(found, np.ndarray) else f"a {type(found).__name__}"
    raise UserError(f"placement: {what} gave {gave}; needed: finite watts, none below 0, of shape (workloads, slots), "
                    f"here ({workloads}, {'slots' if slots is None else slots})")  # fmt: skip


def calibrated(
    scenes: Sequence[Scene], demands: Sequence[Told], where: Tree, rule: Rule, at: float
) -> tuple[float, list[Hosted]]:
    """at: a risk. The margin that keeps it in the first week of all scenes together, and what comes of it in the second
    of each. One scene's risk is a few events: a margin of its own would be the one that happened to see few."""
    before, after = zip(*demands, strict=True)
    factor = _margin([about.calibration for about in scenes], before, scenes, where, rule, at)
    return factor, _outcomes(scenes, after, where, rule, factor)


def in_hindsight(
    scenes: Sequence[Scene], demands: Sequence[Told], where: Tree, rule: Rule, at: float, part: float = 1.0
) -> list[Hosted]:
    """What comes of the margin that would have run the risk `at` in the scored weeks themselves, or of a part of it. A
    margin from the week before runs more risk with one kind of information, and less with another: this compares them
    at one risk run."""
    _, after = zip(*demands, strict=True)
    factor = part * _margin([about.score for about in scenes], after, scenes, where, rule, at)
    return _outcomes(scenes, after, where, rule, factor)


def oracle(about: Scene, where: Tree, rule: Rule, at: float) -> Hosted:
    """The scored week known beforehand, and a margin that spends the whole risk `at` in it."""
    coming = about.score.watts
    return in_hindsight([about], [(coming, coming)], where, rule, at)[0]


def _margin(
    periods: Sequence[Period],
    demands: Sequence[np.ndarray],
    scenes: Sequence[Scene],
    where: Tree,
    rule: Rule,
    at: float,
) -> float:
    seeds = [about.seed for about in scenes]

    def mean_risk(factor: float) -> float:
        return fmean(risk(period, demand, where, rule, factor, seed)
                     for period, demand, seed in zip(periods, demands, seeds, strict=True))  # fmt: skip

    return margin(mean_risk, at)


def _outcomes(
    scenes: Sequence[Scene], demands: Sequence[np.ndarray], where: Tree, rule: Rule, factor: float
) -> list[Hosted]:
    return [outcome(about.score, demand, where, rule, factor, about.seed)
            for about, demand in zip(scenes, demands, strict=True)]  # fmt: skip
