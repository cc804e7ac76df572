"""Report what a run cost, and how long it would take on a cluster, from the provenance of its tables, in Markdown.

    jouleproof cost                                      # of the run in results/
    jouleproof cost elsewhere/results --nodes 2 --nodes 8 --cores 32

The prediction starts an experiment as soon as the tables that it reads exist and a core is free, the one with the
longest chain of dependents first; a timed experiment gets a node to itself. It covers the experiments alone: figures,
pages, job start-up and the cluster's queue come on top. Every job is assumed to take as long as it did where it ran.
"""

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

from tabulate import tabulate


@dataclass(frozen=True)
class Task:
    """One experiment. wall_s, cpu_s: seconds that it took. alone: it is timed, and gets a node to itself.

    after: names of the tasks whose tables it reads.
    """

    wall_s: float
    cpu_s: float = 0.0
    alone: bool = False
    after: tuple[str, ...] = ()


def tasks_of(results: Path, reads: Mapping[str, Sequence[str]]) -> dict[str, Task]:
    """Tasks of a run by `study/experiment`, from its records. A table without a record counts as available.

    reads: by experiment, the tables of others that it reads.
    """
    records = provenance_of(results)
    return {
        name: Task(
            wall_s=record["wall_s"],
            cpu_s=record["cpu_s"],
            alone=record["timed"],
            after=tuple(table for table in reads.get(name, ()) if table in records),
        )
        for name, record in records.items()
    }


def provenance_of(results: Path) -> dict[str, Any]:
    """Provenance records of a run, by `study/experiment`, sorted."""
    return {
        f"{path.parent.name}/{path.name.removesuffix('.provenance.json')}": json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(results.glob("*/*.provenance.json"))
    }


def makespan_s(tasks: Mapping[str, Task], nodes: int, cores: int) -> float:
    """Seconds until the last task has finished on `nodes` nodes of `cores` cores each."""
    chain = chains_s(tasks)
    waiting = sorted(tasks, key=lambda name: (-chain[name], name))
    free = [cores] * nodes
    running: list[tuple[float, str, int, int]] = []
    done: set[str] = set()
    now = 0.0
    while waiting or running:
        for name in list(waiting):
            task = tasks[name]
            wanted = cores if task.alone else 1
            node = max(
                range(nodes), key=lambda node: (free[node] >= wanted, -free[node])
            )  # the fullest node with enough free cores
            if set(task.after) <= done and free[node] >= wanted:
                free[node] -= wanted
                heapq.heappush(running, (now + task.wall_s, name, node, wanted))
                waiting.remove(name)
        now, name, node, held = heapq.heappop(running)
        free[node] += held
        done.add(name)
    return now


def chains_s(tasks: Mapping[str, Task]) -> dict[str, float]:
    """Seconds of each task plus the longest chain of its dependents, a lower bound on any cluster's time."""

    @cache
    def chain(name: str) -> float:
        behind = (chain(other) for other, task in tasks.items() if name in task.after)
        return tasks[name].wall_s + max(behind, default=0.0)

    return {name: chain(name) for name in tasks}


def report(tasks: Mapping[str, Task], nodes: Sequence[int], cores: Sequence[int], most: int = 10) -> str:
    wall_s = sum(task.wall_s for task in tasks.values())
    timed_s = sum(task.wall_s for task in tasks.values() if task.alone)
    summary = (
        f"{len(tasks)} experiments, {sum(task.cpu_s for task in tasks.values()) / 3600:.2f} core hours; "
        f"in sequence {_minutes(wall_s)} min, of which timed ones {_minutes(timed_s)} min; "
        f"the longest chain {_minutes(max(chains_s(tasks).values()))} min"
    )
    predicted = [
        (node_count, core_count, _minutes(makespan_s(tasks, node_count, core_count)))
        for node_count, core_count in product(nodes, cores)
    ]
    longest = [
        (f"`{name}`{' (timed)' if task.alone else ''}", _minutes(task.wall_s), _minutes(task.cpu_s))
        for name, task in sorted(tasks.items(), key=lambda item: -item[1].wall_s)[:most]
    ]
    table = partial(tabulate, tablefmt="github", disable_numparse=True)
    return "\n\n".join(
        [
            summary,
            table(predicted, ("nodes", "cores per node", "predicted (min)")),
            table(longest, ("longest experiments", "wall (min)", "CPU (min)")),
        ]
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}"
