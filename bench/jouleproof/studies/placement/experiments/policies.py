"""Published policies at equal target risk and at equal realised risk, and their distance from the optimum."""

from dataclasses import replace

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.capping import PRIORITIES, simulate
from jouleproof.power.controllers import Controller
from jouleproof.power.time_grid import DAY
from jouleproof.power.traces import Textures, pieces_of, textures_of
from jouleproof.power.tree import Tree, tree
from jouleproof.progress import steps
from jouleproof.studies.placement.bounds import least_peak, peak_of
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Trial, place
from jouleproof.studies.placement.profiles import INFORMATION, by_slot
from jouleproof.studies.placement.registry import controllers
from jouleproof.studies.placement.registry import policies as named_policies
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenario import SCORE, Period, Scenario, demands, offered
from jouleproof.studies.placement.table import PLACED, Metrics, Row, rows

BEYOND: Metrics = {
    "oversubscription": ("x", "servers beyond nameplates, over those of nameplates with a margin, same rule"),
    "oversubscription_with_rule": ("x", "the same, over those of best fit"),
    "more_machines": (
        "fraction",
        "servers beyond those of the policy with the same information that packs kinds together",
    ),
}
METRICS: Metrics = {
    **PLACED,
    "level_work": ("x", "work, margins set in hindsight, so that all run the target risk"),
    "brakes": ("1/d", "per day and row"),
    "low_slowed": ("min/d", "time that a workload of low priority runs at a slower clock, braked ones included"),
    "high_slowed": ("min/d", "the same for high priority, for which users wait"),
    **BEYOND,
    **{f"level_{name}": (unit, f"{meaning}, margins set in hindsight") for name, (unit, meaning) in BEYOND.items()},
}


def _beyond_nameplates(servers: float, others: float) -> float:
    return (servers - 1) / (others - 1)


def _more(servers: float, others: float) -> float:
    return servers / others - 1


COMPARED = {  # policy: metrics, each with the policy that its servers are compared with
    "prediction_based": {
        "oversubscription": ("blind_spread", _beyond_nameplates),
        "oversubscription_with_rule": ("blind", _beyond_nameplates),
    },
    "smooth_operator": {"more_machines": ("scattered", _more)},
}


def policies(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Return METRICS by policy, for grouped arrivals. Slowing and brakes are those of a few rows in the scored week,
    replayed at 2 s under a controller that compares the power of a row with its budget."""
    textures = textures_of(power_trace)
    (controller,) = controllers([config.policies.controller]).values()
    named = named_policies(config.policies.policies)
    blind = Trial.of(config, RULES["best_fit"])
    scenarios = blind.scenarios
    plain = blind.hosted([scenario.demand(INFORMATION["nameplate"]) for scenario in scenarios], 1.0)
    margins, cells, level = {"nameplate": 1.0, "oracle": 1.0}, {"nameplate": plain}, {}
    step = steps("placement policies", len(named))
    for name, policy in named.items():
        trial = replace(blind, rule=policy.rule)
        before, after = demands(scenarios, policy.information)
        margins[name], cells[name] = trial.calibrated(before, after)
        level[name] = trial.in_hindsight(after)
        step(name)
    cells["oracle"] = replace(blind, rule=RULES["asynchrony"]).oracle()
    table: list[Row] = []
    for name, of_seeds in cells.items():
        for number, (scenario, hosted) in enumerate(zip(scenarios, of_seeds, strict=True)):
            values = {
                **hosted.numbers("work", "servers", "risk"),
                "margin": margins[name],
                "stranded": hosted.stranded,
                "over_plain": hosted.work / plain[number].work,
            }
            if name in level:
                values["level_work"] = level[name][number].work
            values |= _replayed(scenario, hosted.home, blind.hall, textures, controller, config.policies.replayed)
            for metric, (other, compare) in COMPARED.get(name, {}).items():
                for prefix, run in (("", cells), ("level_", level)) if other in level else ():
                    values[f"{prefix}{metric}"] = compare(run[name][number].servers, run[other][number].servers)
            table += rows(METRICS, values, policy=name, seed=scenario.seed)
    return tidy(table, tier=SIMULATED)


def _replayed(
    scenario: Scenario, home: np.ndarray, where: Tree, textures: Textures, controller: Controller, rows: int
) -> dict[str, float]:
    """Return brakes and minutes slowed, as means over rows spaced evenly over the hall. The time of all work scales
    with the clock."""
    present = scenario.period().present()
    pieces = pieces_of(present, textures)
    days = present.watts.shape[1] / DAY
    numbers: dict[str, list[float]] = {"brakes": [], "low_slowed": [], "high_slowed": []}
    for leaf in where.leaves[:: max(len(where.leaves) // rows, 1)][:rows]:
        servers = np.flatnonzero(home == leaf)
        if not len(servers):
            continue
        capped = simulate(present.of(servers), pieces.of(servers), where.budget_w[leaf], controller)
        numbers["brakes"].append(capped.brakes / days)
        for priority, word in enumerate(PRIORITIES):
            numbers[f"{word}_slowed"].append(capped.slowed(priority) * 24 * 60)
    return {name: float(np.mean(values)) if values else 0.0 for name, values in numbers.items()}


def bounds(config: PlacementConfig) -> pd.DataFrame:
    """Divide a given set of workloads over a few rows, and return the highest peak of a row by rule over the lowest
    possible (branch and bound). Profiles are by hour of the day and hold exactly."""
    table: list[Row] = []
    for seed in range(config.bounds.seeds):
        workloads = offered(config.fleet, seed)
        for wide, count in config.bounds.cases:
            chosen = np.random.default_rng([seed, 13]).choice(workloads.count, count, replace=False)
            few = workloads.of(chosen)
            profile = by_slot(few.week(SCORE), 24).mean(axis=2)
            least, gap = least_peak(profile / few.nameplate_w, wide, config.bounds.seconds)
            case = {"rows": wide, "workloads": count, "seed": seed}
            table.append({**case, "rule": "least", "metric": "gap", "unit": "share", "value": gap})
            for name in config.bounds.rules:
                home = place(Period.whole(few), profile, tree(wide, count, few.nameplate_w), RULES[name], seed)
                peak = peak_of(profile / few.nameplate_w, home - 1, wide)
                table.append({**case, "rule": name, "metric": "over_least", "value": peak / least})
    return tidy(table, unit="x", tier=SIMULATED)
