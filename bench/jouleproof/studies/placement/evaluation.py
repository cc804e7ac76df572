"""Evaluation of placements: a rule places workloads that arrive and leave by their assumed profiles, and the placement
is scored against their true power."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from jouleproof.power.tree import Tree
from jouleproof.studies.placement.config import FleetConfig, PlacementConfig
from jouleproof.studies.placement.kernels import NOWHERE, node_power, place_all
from jouleproof.studies.placement.rules import RULES, Rule
from jouleproof.studies.placement.scenario import CALIBRATION, SCORE, Period, Scenario, hall, make_scenario
from jouleproof.studies.placement.table import HOSTED

LEAST, MOST, HALVINGS = 0.4, 2.4, 9  # range of margins, and steps of the bisection


@dataclass(frozen=True)
class Hosted:
    """The score of a placement. home: (workloads,) leaves, or NOWHERE. The numbers: table.HOSTED; work is measured in
    power, so that light workloads count less than heavy ones."""

    home: np.ndarray
    servers: float
    work: float
    turned_away: float
    risk: float
    stranded: float
    peak_to_mean: float
    joules_per_work: float

    def numbers(self, *names: str) -> dict[str, float]:
        """Return the named numbers, all if none is named."""
        return {name: getattr(self, name) for name in names or HOSTED}


@dataclass(frozen=True)
class Trial:
    """A rule that places the workloads of scenarios in one hall, and the target risk.

    A margin is a factor on the hall's budgets as the policy is given them. The risk of one scenario is a few events, so
    the best margin for it alone would reflect chance; one margin serves all scenarios. Demands are (workloads, slots)
    watts that the policy assumes, by scenario.
    """

    scenarios: Sequence[Scenario]
    hall: Tree
    rule: Rule
    risk: float

    @classmethod
    def of(cls, config: PlacementConfig, rule: Rule = RULES["asynchrony"], fleet: FleetConfig | None = None) -> "Trial":
        """Make a trial with one fleet for each seed, in rows of hosting.row. fleet: replaces the config's."""
        fleet = fleet or config.fleet
        scenarios = [make_scenario(fleet, seed) for seed in range(config.hosting.seeds)]
        return cls(scenarios, hall(fleet, config.hosting.row), rule, config.hosting.risk)

    def hosted(self, demands: Sequence[np.ndarray], margin: float) -> list[Hosted]:
        """Place and score the workloads of each scenario in the scored week."""
        return [
            score(period, home, self.hall)
            for period, home in zip(self._periods(SCORE), self._placed(demands, margin, SCORE), strict=True)
        ]

    def margin(self, demands: Sequence[np.ndarray], week: int) -> float:
        """Return the margin that keeps the mean risk of the scenarios in a week at the target."""
        periods = self._periods(week)

        def mean_risk(factor: float) -> float:
            homes = self._placed(demands, factor, week)
            return fmean(risk_of(period, home, self.hall) for period, home in zip(periods, homes, strict=True))

        return largest_margin(mean_risk, self.risk)

    def calibrated(self, before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> tuple[float, list[Hosted]]:
        """Set the margin in the first week, and return it with the scores of the second."""
        margin = self.margin(before, CALIBRATION)
        return margin, self.hosted(after, margin)

    def in_hindsight(self, demands: Sequence[np.ndarray]) -> list[Hosted]:
        """Score with the margin that meets the target risk in the scored weeks. A margin from the week before
        runs more risk with some information and less with other; this compares all at equal realised risk."""
        return self.hosted(demands, self.margin(demands, SCORE))

    def oracle(self) -> list[Hosted]:
        """Score a policy that knows the scored week beforehand, with a margin for each scenario that uses up the target
        risk."""
        return [
            replace(self, scenarios=[scenario]).in_hindsight([scenario.period(SCORE).fleet.watts])[0]
            for scenario in self.scenarios
        ]

    def _periods(self, week: int) -> list[Period]:
        return [scenario.period(week) for scenario in self.scenarios]

    def _placed(self, demands: Sequence[np.ndarray], margin: float, week: int) -> list[np.ndarray]:
        budgets = self.hall.scaled(margin)
        return [
            place(scenario.period(week), demand, budgets, self.rule, scenario.seed)
            for scenario, demand in zip(self.scenarios, demands, strict=True)
        ]


def place(period: Period, demand: np.ndarray, tree: Tree, rule: Rule, seed: int = 0) -> np.ndarray:
    """Place workloads; return (workloads,) leaves, or NOWHERE where one does not fit. demand: (workloads, slots)
    watts."""
    count = period.fleet.count
    slot = np.concatenate([period.stays.last, period.stays.first])
    comes = np.repeat([False, True], count)
    order = np.lexsort((comes, slot))  # departures first: they make room for arrivals
    workload = np.tile(np.arange(count), 2)
    leaves = tree.leaves[None, :]
    if rule.scattered:
        leaves = np.random.default_rng([seed, 3]).permuted(np.repeat(leaves, len(order), axis=0), axis=1)
    weights = np.array([rule.left, rule.rise, rule.above_mean])
    watts = np.ascontiguousarray(demand, np.float64)
    return place_all(workload[order], comes[order], watts, tree.parent, tree.budget_w, tree.servers, leaves, weights)


def risk_of(period: Period, home: np.ndarray, tree: Tree) -> float:
    """Return the share of leaves and slots over their budget."""
    return float((_leaf_power(period, home, tree) > tree.budget_w[tree.leaves][:, None]).mean())


def score(period: Period, home: np.ndarray, tree: Tree) -> Hosted:
    """Score a placement. tree: with its true budgets."""
    leaf_w = _leaf_power(period, home, tree)
    fleet, stay = period.fleet, period.stays.last - period.stays.first
    here = home != NOWHERE
    capacity = tree.budget_w[0] / fleet.nameplate_w * fleet.watts.shape[1]
    offered = float(fleet.watts.mean())
    total = float(leaf_w.sum())
    work = total - fleet.idle_w * float(stay[here].sum())
    budget = tree.budget_w[tree.leaves]
    return Hosted(
        home=home,
        servers=float(stay[here].sum() / capacity),
        work=work / ((offered - fleet.idle_w) * capacity),
        turned_away=float(1 - here.mean()),
        risk=float((leaf_w > budget[:, None]).mean()),
        stranded=float(np.mean(1 - np.percentile(leaf_w, 99.9, axis=1) / budget)),
        peak_to_mean=float(np.mean(leaf_w.max(axis=1) / np.maximum(leaf_w.mean(axis=1), 1.0))),
        joules_per_work=total / max(work, 1.0) / (offered / (offered - fleet.idle_w)),
    )


def largest_margin(risk_at: Callable[[float], float], risk: float) -> float:
    """Return the largest margin, to 0.4 %, at which the risk is at most the given one."""
    low, high = LEAST, MOST
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if risk_at(middle) <= risk:
            low = middle
        else:
            high = middle
    return low


def _leaf_power(period: Period, home: np.ndarray, tree: Tree) -> np.ndarray:
    """Return (leaves, slots) watts."""
    nodes = node_power(home, period.stays.first, period.stays.last, period.fleet.watts, tree.parent)
    return nodes[tree.leaves]
