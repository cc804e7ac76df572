"""A tree of power from one chip to the hall: what each level draws of its budget, and what averages see of it."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import numpy as np

from jouleproof.power.chips import one_chip
from jouleproof.power.time_grid import SAMPLE_S, SAMPLES, SLOT_S
from jouleproof.power.traces import Textures, means, samples
from jouleproof.power.tree import Tree
from jouleproof.power.workloads import Fleet

NAMES = ("hall", "row", "rack")  # of the tree's levels, from its top; below them server and chip
Row = dict[str, Any]


def levels(
    where: Tree, home: np.ndarray, fleet: Fleet, there: np.ndarray, known: Textures, windows_s: Sequence[int],
    looked: int,
) -> list[Row]:  # fmt: skip
    """By level: level_budget (W); level_peak: highest sample of 2 s over the budget; level_seen: by window, its highest
    mean over that sample; level_over: share of slots of five minutes over the budget; level_of_parts: peak over the sum
    of the peaks one level below, of servers those that stand at that moment; level_nodes: how many were looked at.
    Means over nodes in which something stands.

    home: (workloads,) leaves. there: (workloads, slots) watts, 0 where one is not there. looked: leaves whose servers
    and chips are looked at. A server's budget is its nameplate, a chip's the most that it can draw.
    """
    own = {int(leaf): found for leaf in where.leaves if len(found := np.flatnonzero(home == leaf))}
    drawn = {leaf: samples(fleet, there, servers, known) for leaf, servers in own.items()}
    for node in range(len(where.parent) - 1, 0, -1):  # children come after their parents
        above = int(where.parent[node])
        if node in drawn:
            drawn[above] = drawn.get(above, 0.0) + drawn[node]
    few = list(own)[:: max(len(own) // looked, 1)]
    some = np.concatenate([own[leaf] for leaf in few])
    alone = {int(one): samples(fleet, there, np.array([one]), known) for one in some}
    chips, textured = one_chip(replace(fleet.of(some), watts=there[some]), known)
    of_chips = np.where(there[some] > 0, chips.watts, 0.0)
    lone = [samples(chips, of_chips, np.array([place]), textured) for place in range(len(some))]
    peaks = {node: float(each.max()) for node, each in drawn.items()}
    rows: list[Row] = []
    for depth in range(where.depth.max() + 1):
        nodes = [node for node in drawn if where.depth[node] == depth]
        below = {node: sum(peaks[child] for child in peaks if where.parent[child] == node) for node in nodes}
        for leaf in set(few) & set(nodes):
            then = there[own[leaf], drawn[leaf].argmax() // SAMPLES] > 0
            below[leaf] = sum(float(alone[one].max()) for one in own[leaf][then])
        of_parts = [peaks[node] / part for node, part in below.items() if part]
        rows += _rows(NAMES[depth], [drawn[node] for node in nodes], where.budget_w[nodes], windows_s)
        rows.append({"level": NAMES[depth], "metric": "level_of_parts", "value": fmean(of_parts)})
    count = len(some)
    rows += _rows("server", list(alone.values()), np.full(count, fleet.nameplate_w), windows_s)
    return rows + _rows("chip", lone, np.full(count, chips.most_w), windows_s)


def _rows(level: str, drawn: Sequence[np.ndarray], budgets: np.ndarray, windows_s: Sequence[int]) -> list[Row]:
    tops = np.array([each.max() for each in drawn])
    slots = np.array([means(each, SLOT_S // SAMPLE_S) for each in drawn])
    values = {
        "nodes": len(drawn), "budget": budgets.mean(), "peak": (tops / budgets).mean(),
        "over": (slots > budgets[:, None]).mean(),
    }  # fmt: skip
    seen = {window: np.mean([means(each, window // SAMPLE_S).max() for each in drawn] / tops) for window in windows_s}
    return [
        *({"level": level, "metric": f"level_{name}", "value": float(value)} for name, value in values.items()),
        *({"level": level, "window_s": window, "metric": "level_seen", "value": float(value)}
          for window, value in seen.items()),
    ]  # fmt: skip
