"""A period with workloads that come and go, placed by a rule on what is known of them, and what that came to."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jouleproof.power.tree import Tree
from jouleproof.power.workloads import Fleet, Stays
from jouleproof.studies.placement.kernels import NOWHERE, drawn, placed
from jouleproof.studies.placement.rules import Rule

LEAST, MOST, HALVINGS = 0.4, 2.4, 9  # margins that are tried


@dataclass(frozen=True)
class Period:
    """A week. watts: (workloads, slots), what they truly draw, which no policy is told."""

    fleet: Fleet
    watts: np.ndarray
    stays: Stays

    def there(self) -> np.ndarray:
        """(workloads, slots) watts, 0 where a workload is not there."""
        slots = np.arange(self.watts.shape[1])[None, :]
        here = (slots >= self.stays.first[:, None]) & (slots < self.stays.last[:, None])
        return np.where(here, self.watts, 0.0)


@dataclass(frozen=True)
class Hosted:
    """home: (workloads,) leaves, or NOWHERE. leaf_w: (leaves, slots) watts.

    servers: server-time over what nameplates allow for. work: what was drawn above idle, over what the same server-time
    of the offered workloads draws on average, so that light workloads do not count as much as heavy ones. turned_away:
    share of the workloads that found no place. risk: share of leaves and slots over the budget. stranded: share of a
    leaf's budget above the 99.9th percentile of its power. peak_to_mean: of a leaf's power. joules_per_work: over those
    of the offered workloads.
    """

    home: np.ndarray
    leaf_w: np.ndarray
    servers: float
    work: float
    turned_away: float
    risk: float
    stranded: float
    peak_to_mean: float
    joules_per_work: float


def place(period: Period, demand: np.ndarray, tree: Tree, rule: Rule, seed: int = 0) -> np.ndarray:
    """(workloads,) leaves, or NOWHERE where a workload did not fit. demand: (workloads, slots) watts."""
    count = period.fleet.count
    slot = np.concatenate([period.stays.last, period.stays.first])
    comes = np.repeat([False, True], count)
    order = np.lexsort((comes, slot))  # who goes leaves room for who comes
    leaves = tree.leaves[None, :]
    if rule.scattered:
        leaves = np.random.default_rng([seed, 3]).permuted(np.repeat(leaves, len(order), axis=0), axis=1)
    weights = np.array([rule.left, rule.rise, rule.above_mean])
    who = np.tile(np.arange(count), 2)[order]
    return placed(who, comes[order], np.ascontiguousarray(demand, np.float64), tree.parent, tree.budget_w, tree.room,
                  leaves, weights)  # fmt: skip


def risk_of(period: Period, home: np.ndarray, tree: Tree) -> float:
    """Share of leaves and slots over their budget."""
    leaf_w = drawn(home, period.stays.first, period.stays.last, period.watts, tree.parent)[tree.leaves]
    return float((leaf_w > tree.budget_w[tree.leaves][:, None]).mean())


def hosted(period: Period, home: np.ndarray, tree: Tree) -> Hosted:
    """tree: with its true budgets."""
    nodes = drawn(home, period.stays.first, period.stays.last, period.watts, tree.parent)
    leaf_w = nodes[tree.leaves]
    fleet, stay = period.fleet, period.stays.last - period.stays.first
    here = home != NOWHERE
    capacity = tree.budget_w[0] / fleet.nameplate_w * period.watts.shape[1]
    offered = float(period.watts.mean())
    total = float(leaf_w.sum())
    work = total - fleet.idle_w * float(stay[here].sum())
    budget = tree.budget_w[tree.leaves]
    high = np.percentile(leaf_w, 99.9, axis=1)
    return Hosted(
        home, leaf_w, float(stay[here].sum() / capacity), work / ((offered - fleet.idle_w) * capacity),
        float(1 - here.mean()),
        float((leaf_w > budget[:, None]).mean()), float(np.mean(1 - high / budget)),
        float(np.mean(leaf_w.max(axis=1) / np.maximum(leaf_w.mean(axis=1), 1.0))),
        total / max(work, 1.0) / (offered / (offered - fleet.idle_w)),
    )  # fmt: skip


def margin(risk_at: Callable[[float], float], risk: float) -> float:
    """The largest factor on the budgets, to 0.4 %, at which the risk stays at or below the one asked for."""
    low, high = LEAST, MOST
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if risk_at(middle) <= risk:
            low = middle
        else:
            high = middle
    return low
