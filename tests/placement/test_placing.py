"""Placement against a plain oracle; the power that rows then draw; margins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.errors import UserError
from jouleproof.power.tree import Tree, tree
from jouleproof.studies.placement.evaluation import largest_margin, place, risk_of, score
from jouleproof.studies.placement.kernels import NOWHERE, node_power
from jouleproof.studies.placement.rules import RULES, Rule
from tests.placement.small import period


def oracle(week, demand, where, rule, seed=0):
    """Apply the rules in plain Python: departures first; the lowest sum of features wins."""
    count = week.fleet.count
    events = [(week.stays.last[one], 0, one) for one in range(count)]
    events += [(week.stays.first[one], 1, one) for one in range(count)]
    events.sort(key=lambda event: (event[0], event[1], event[2]))
    orders = [where.leaves] * len(events)
    if rule.scattered:
        orders = np.random.default_rng([seed, 3]).permuted(np.array(orders), axis=1)
    held, home = {node: [] for node in range(len(where.parent))}, [NOWHERE] * count

    def path(node):
        while node >= 0:
            yield node
            node = where.parent[node]

    def total(node):
        return sum((demand[one] for one in held[node]), np.zeros(demand.shape[1]))

    for (_, comes, one), leaves in zip(events, orders, strict=True):
        if not comes:
            for node in path(home[one]) if home[one] != NOWHERE else ():
                held[node].remove(one)
            continue
        costs = []
        for leaf in leaves:
            if len(held[leaf]) >= where.servers[leaf]:
                continue
            if any((total(node) + demand[one]).max() > where.budget_w[node] for node in path(leaf)):
                continue
            after, before = total(leaf) + demand[one], total(leaf)
            cost = (
                rule.left * (where.budget_w[leaf] - after.max())
                + rule.rise * (after.max() - before.max())
                + rule.above_mean * (after.max() - after.mean())
            ) / where.budget_w[leaf]
            costs.append((cost, leaf))
        if costs:
            home[one] = min(costs, key=lambda pair: pair[0])[1]
            for node in path(home[one]):
                held[node].append(one)
    return home


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(RULES)), racks=st.sampled_from([1, 2]))
def test_every_rule_places_as_the_plain_oracle_does(seed, name, racks):
    rng = np.random.default_rng(seed)
    count = 14
    demand = rng.integers(1, 9, (count, 3)) * 12.5  # binary fractions: sums are exact in any order
    first = rng.integers(0, 10, count)
    week = period(demand.repeat(4, axis=1), first=first, last=first + rng.integers(1, 8, count))
    where = tree(2, 2, 100.0, crowding=1.5, racks=racks)
    home = place(week, demand, where, RULES[name], seed)
    assert home.tolist() == oracle(week, demand, where, RULES[name], seed)


def test_profiles_that_peak_at_other_times_share_a_place_only_where_times_are_told():
    demand = np.array([[90.0, 10.0], [10.0, 90.0]])
    week, where = period(demand), tree(1, 1, 100.0, crowding=2)
    assert (place(week, demand, where, RULES["spread"]) >= 0).all()
    assert (place(week, demand.max(axis=1, keepdims=True), where, RULES["spread"]) >= 0).sum() == 1


def test_the_budget_of_the_hall_holds_too():
    where = Tree(np.array([-1, 0, 0]), np.array([150.0, 100.0, 100.0]), np.array([0, 2, 2]))
    demand = np.full((2, 1), 90.0)
    assert place(period(demand[:, 0]), demand, where, RULES["spread"]).tolist() == [1, NOWHERE]


def test_no_more_servers_than_stand_there():
    demand = np.full((5, 1), 1.0)
    home = place(period(demand[:, 0]), demand, tree(1, 2, 100.0, crowding=1.5), RULES["best_fit"])
    assert (home >= 0).sum() == 3


def test_who_goes_makes_room():
    demand = np.full((2, 1), 90.0)
    week = period(np.full((2, 4), 90.0), first=[0, 2], last=[2, 4])
    assert (place(week, demand, tree(1, 1, 100.0), RULES["best_fit"]) >= 0).all()


def test_nodes_draw_what_their_workloads_do_while_they_are_there():
    week = period([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [5.0, 5.0, 5.0]], first=[0, 1, 0], last=[2, 3, 3])
    watts = node_power(
        np.array([1, 2, NOWHERE]), week.stays.first, week.stays.last, week.fleet.watts, np.array([-1, 0, 0])
    )
    assert watts.tolist() == [[1.0, 22.0, 30.0], [1.0, 2.0, 0.0], [0.0, 20.0, 30.0]]


def test_nameplates_without_a_margin_are_never_over_the_budget():
    rng = np.random.default_rng(0)
    week = period(rng.uniform(10, 100, (30, 48)))
    where = tree(2, 5, 100.0, crowding=3)
    demand = np.full((30, 1), 100.0)
    done = score(week, place(week, demand, where, RULES["best_fit"]), where)
    assert done.risk == 0 and done.servers == pytest.approx(1.0) and done.turned_away == pytest.approx(20 / 30)


def test_work_is_power_above_idle_and_risk_the_share_over_the_budget():
    week = period([[30.0, 50.0], [30.0, 90.0]])
    where = tree(1, 1, 100.0, crowding=2)
    done = score(week, np.array([1, 1]), where)
    assert done.servers == 2.0 and done.risk == 0.5 == risk_of(week, np.array([1, 1]), where)
    assert done.work == pytest.approx(2.0)  # of all that was offered, over a capacity of one server
    assert done.peak_to_mean == pytest.approx(140 / 100) and done.joules_per_work == pytest.approx(1.0)


def test_uneven_rows_differ_by_a_server_s_power_in_all_and_come_to_the_same():
    even, uneven = tree(4, 10, 100.0), tree(4, 10, 100.0, uneven=True)
    assert uneven.budget_w[uneven.leaves].tolist() == [962.5, 987.5, 1012.5, 1037.5]
    assert uneven.budget_w[0] == even.budget_w[0] == uneven.budget_w[uneven.leaves].sum()


def test_a_margin_is_the_largest_at_which_the_risk_holds():
    assert largest_margin(lambda factor: max(factor - 1.3, 0.0), 0.1) == pytest.approx(1.4, abs=0.005)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((0, 4, 100.0), "must be at least 1, got 0 and 4"),
        ((2, 4, -1.0), "nameplate must be above 0 W, got -1 W"),
        ((2, 2, 100.0, 2.0, 3), "at most its 2 servers, got 3"),
        ((2, 1, 100.0, 2.0, 1, True), "a budget of 75 W is too small for one server of 100 W"),
        ((9, 2, 100.0, 2.0, 2, True), "is too small for one server"),
    ],
)
def test_a_hall_that_holds_nothing_is_one_line(asked, message):
    with pytest.raises(UserError, match=message):
        tree(*asked)


def test_a_workload_that_fits_nowhere_is_turned_away_and_the_others_are_not():
    demand = np.array([[500.0], [50.0]])
    assert place(period(demand[:, 0]), demand, tree(1, 2, 100.0), Rule(left=1.0)).tolist() == [NOWHERE, 1]
