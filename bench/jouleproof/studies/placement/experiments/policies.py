"""Published policies at one risk aimed at and at one run, and how far they are from the best that can be."""

from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.capping import run
from jouleproof.power.controllers import Controller
from jouleproof.power.time_grid import DAY, WEEK
from jouleproof.power.traces import Textures, pieces, textures
from jouleproof.power.tree import Tree, tree
from jouleproof.power.workloads import KINDS, Stays
from jouleproof.progress import steps
from jouleproof.studies.placement.bounds import least_peak, peak_of
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Period, place
from jouleproof.studies.placement.profiles import INFORMATION, by_slot
from jouleproof.studies.placement.registry import controllers
from jouleproof.studies.placement.registry import policies as named_policies
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenarios import Scene, calibrated, hall, in_hindsight, oracle, outcome, scene, told

COMPARED = {
    "prediction_based": {"oversubscription": "blind_spread", "oversubscription_with_rule": "blind"},
    "smooth_operator": {"more_machines": "scattered"},
}


def policies(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Work and servers hosted over what nameplates allow for, margins set in the week before, grouped arrivals.
    oversubscription: servers beyond nameplates, over those of a margin without any knowledge and the same rule, and
    over those of best fit as well (…_with_rule). more_machines: servers beyond those of the policy
    that knows the same and puts workloads of a kind together. level_…: with margins set in hindsight, so that all run
    the risk that is aimed at. low_slowed, high_slowed: minutes a day that a workload of that priority runs at a slower
    clock, and brakes: a day and row, where a few rows of the scored week are replayed at 2 s under a controller, which
    reads the row against its budget; users wait for what workloads of high priority do. The brake's minutes are among
    them.
    """
    known = textures(power_trace)
    (controller,) = controllers([config.policies.controller]).values()
    found = named_policies(config.policies.policies)
    where, risk = hall(config.fleet, config.hosting.row), config.hosting.risk
    scenes = [scene(config.fleet, seed) for seed in range(config.hosting.seeds)]
    plain = [outcome(about.score, INFORMATION["nameplate"].of(about.seen[1], about.score.fleet), where,
                     RULES["best_fit"], 1.0, about.seed) for about in scenes]  # fmt: skip
    cells, level = {"nameplate": (1.0, plain)}, {}
    step = steps("placement policies", len(found))
    for name, each in found.items():
        demands = [told(about, each.information) for about in scenes]
        cells[name] = calibrated(scenes, demands, where, each.rule, risk)
        level[name] = in_hindsight(scenes, demands, where, each.rule, risk)
        step(name)
    cells["oracle"] = (1.0, [oracle(about, where, RULES["asynchrony"], risk) for about in scenes])
    rows: list[dict[str, Any]] = []
    for name, (factor, hosted) in cells.items():
        for number, (about, cell) in enumerate(zip(scenes, hosted, strict=True)):
            values = {"work": cell.work, "servers": cell.servers, "risk": cell.risk, "margin": factor,
                      "stranded": cell.stranded, "over_plain": cell.work / plain[number].work}  # fmt: skip
            if name in level:
                values["level_work"] = level[name][number].work
            values |= _replayed(about, cell.home, where, known, controller, config.policies.replayed)
            for metric, other in COMPARED.get(name, {}).items():
                if other in level:
                    values[metric] = BEYOND[metric](cell.servers, cells[other][1][number].servers)
                    values[f"level_{metric}"] = BEYOND[metric](
                        level[name][number].servers, level[other][number].servers
                    )
            rows += [{"policy": name, "metric": metric, "value": value, "seed": about.seed}
                     for metric, value in values.items()]  # fmt: skip
    return tidy(rows, unit="x", tier=SIMULATED)


def _replayed(
    about: Scene, home: np.ndarray, where: Tree, known: Textures, controller: Controller, rows: int
) -> dict[str, float]:  # fmt: skip
    """Means over rows that lie evenly in the hall. All of the work goes with the clock."""
    fleet, there = about.score.fleet, about.score.there()
    watts, begin, count = pieces(fleet, KINDS, known)
    days = there.shape[1] / DAY
    found: dict[str, list[float]] = {"brakes": [], "low_slowed": [], "high_slowed": []}
    for leaf in where.leaves[:: max(len(where.leaves) // rows, 1)][:rows]:
        own = np.flatnonzero(home == leaf)
        if not len(own):
            continue
        done = run(
            there[own], (watts, begin[own], count[own]), fleet.offset[own], fleet.critical[own],
            float(where.budget_w[leaf]), fleet.idle_w, fleet.most_w, controller, 1.0,
        )  # fmt: skip
        found["brakes"].append(done.brakes / days)
        for priority, word in enumerate(("low", "high")):
            found[f"{word}_slowed"].append(done.slowed_minutes(priority))
    return {name: float(np.mean(values)) if values else 0.0 for name, values in found.items()}


def _over_nameplates(servers: float, others: float) -> float:
    return (servers - 1) / (others - 1)


def _more(servers: float, others: float) -> float:
    return servers / others - 1


BEYOND = {
    "oversubscription": _over_nameplates, "oversubscription_with_rule": _over_nameplates, "more_machines": _more,
}  # fmt: skip


def bounds(config: PlacementConfig) -> pd.DataFrame:
    """A given set of workloads divided over a few rows: highest peak of a row by rule, over the least that there is
    (branch and bound). Profiles by hour of the day, which come true."""
    settings = config.bounds
    rows: list[dict[str, Any]] = []
    for seed in range(settings.seeds):
        about = scene(config.fleet, seed)
        for wide, count in settings.cases:
            chosen = np.random.default_rng([seed, 13]).choice(about.score.fleet.count, count, replace=False)
            few = about.score.fleet.of(chosen)
            profile = by_slot(few.week(2), 24).mean(axis=2)
            least, gap = least_peak(profile / few.nameplate_w, wide, settings.seconds)
            about_case = {"rows": wide, "workloads": count, "seed": seed}
            rows.append({**about_case, "rule": "least", "metric": "gap", "value": gap})
            period = Period(few, few.week(2), Stays(np.zeros(count, np.int64), np.full(count, WEEK)))
            for name in settings.rules:
                where = tree(wide, count, few.nameplate_w)
                home = place(period, profile, where, RULES[name], seed)
                peak = peak_of(profile / few.nameplate_w, home - 1, wide)
                rows.append({**about_case, "rule": name, "metric": "over_least", "value": peak / least})
    return tidy(rows, unit="x", tier=SIMULATED)
