"""Power at the levels of a power domain tree, from one chip to the hall: over its budget, and as averages show it."""

from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np

from jouleproof.power.chips import one_chip
from jouleproof.power.time_grid import SAMPLE_S, SAMPLES, SLOT_S
from jouleproof.power.traces import Textures, means, pieces_of, samples
from jouleproof.power.tree import Tree
from jouleproof.power.workloads import Fleet
from jouleproof.studies.placement.table import Metrics, Row, rows

NAMES = ("hall", "row", "rack")  # levels of the tree, from the top; server and chip lie below
METRICS: Metrics = {  # means over nodes that hold workloads
    "level_nodes": ("1", "number of nodes that were examined"),
    "level_budget": ("W", "a server's is its nameplate, a chip's its highest power"),
    "level_peak": ("ratio", "highest sample of 2 s, over the budget"),
    "level_over": ("share", "five-minute slots over the budget"),
    "level_seen": ("ratio", "highest mean of a window over the highest sample, by window"),
    "level_of_parts": (
        "ratio",
        "peak, over the sum of the peaks one level below, of servers those present at the peak",
    ),
}


def levels(
    where: Tree, home: np.ndarray, present: Fleet, textures: Textures, windows_s: Sequence[int], opened: int
) -> Iterator[Row]:
    """Yield METRICS by level.

    home: (workloads,) leaves. present: the fleet, 0 W where a workload is absent. opened: number of leaves whose
    servers and chips are examined.
    """
    pieces = pieces_of(present, textures)
    members = {int(leaf): servers for leaf in where.leaves if len(servers := np.flatnonzero(home == leaf))}
    watts = {leaf: samples(present, servers, pieces) for leaf, servers in members.items()}
    for node in range(len(where.parent) - 1, 0, -1):  # children come after their parents
        above = int(where.parent[node])
        if node in watts:
            watts[above] = watts.get(above, 0.0) + watts[node]
    leaves = list(members)[:: max(len(members) // opened, 1)]
    inside = np.concatenate([members[leaf] for leaf in leaves])
    of_server = {int(server): samples(present, np.array([server]), pieces) for server in inside}
    peaks = {node: float(trace.max()) for node, trace in watts.items()}
    for depth in range(where.depth.max() + 1):
        nodes = [node for node in watts if where.depth[node] == depth]
        below = {node: sum(peaks[child] for child in peaks if where.parent[child] == node) for node in nodes}
        for leaf in set(leaves) & set(nodes):
            at_peak = present.watts[members[leaf], watts[leaf].argmax() // SAMPLES] > 0
            below[leaf] = sum(float(of_server[server].max()) for server in members[leaf][at_peak])
        of_parts = [peaks[node] / peaks_below for node, peaks_below in below.items() if peaks_below]
        yield from _level(NAMES[depth], [watts[node] for node in nodes], where.budget_w[nodes], windows_s)
        yield from rows(METRICS, {"level_of_parts": fmean(of_parts)}, level=NAMES[depth])
    count = len(inside)
    yield from _level("server", [*of_server.values()], np.full(count, present.nameplate_w), windows_s)
    chips, of_chips = one_chip(present.of(inside), textures)
    pieces = pieces_of(chips, of_chips)
    of_chip = [samples(chips, np.array([chip]), pieces) for chip in range(count)]
    yield from _level("chip", of_chip, np.full(count, chips.most_w), windows_s)


def _level(level: str, watts: Sequence[np.ndarray], budgets: np.ndarray, windows_s: Sequence[int]) -> Iterator[Row]:
    tops = np.array([trace.max() for trace in watts])
    slots = np.array([means(trace, SLOT_S // SAMPLE_S) for trace in watts])
    values = {
        "level_nodes": float(len(watts)),
        "level_budget": float(budgets.mean()),
        "level_peak": float((tops / budgets).mean()),
        "level_over": float((slots > budgets[:, None]).mean()),
    }
    yield from rows(METRICS, values, level=level)
    for window in windows_s:
        seen = np.mean([means(trace, window // SAMPLE_S).max() for trace in watts] / tops)
        yield from rows(METRICS, {"level_seen": float(seen)}, level=level, window_s=window)
