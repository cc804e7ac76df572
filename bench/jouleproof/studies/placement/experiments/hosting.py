"""Work hosted by rule and information, at equal target risk and at equal realised risk."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Hosted, Trial
from jouleproof.studies.placement.profiles import INFORMATION
from jouleproof.studies.placement.registry import information, rules
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenario import SCORE, demands, hall, make_scenario
from jouleproof.studies.placement.table import PLACED, Metrics, Row, rows

ARRIVALS = {"independent": False, "grouped": True}
BLIND, BASE_RULE, PROFILE_RULE, ONE_NUMBER = "nameplate", "best_fit", "asynchrony", "mean"
LEVEL_RULES = (BASE_RULE, PROFILE_RULE)  # that are compared at equal realised risk
RIVALS = {  # rule and information of the cell that a cell's work is divided by; None: the same
    "mean": (None, ONE_NUMBER),
    "nameplate": (None, BLIND),
    "best_fit": (BASE_RULE, None),
    "random": ("random", None),
    "spread": ("spread", None),
}
OVER: Metrics = {
    "over_mean": ("x", "work, over that of the same rule with one number"),
    "over_nameplate": ("x", "work, over that of the same rule with nameplates"),
    "over_best_fit": ("x", "work, over that of best fit with the same information"),
    "over_random": ("x", "work, over that of a random place with the same information"),
    "over_spread": ("x", "work, over that of the emptiest place with the same information"),
}
METRICS: Metrics = {
    **PLACED,
    "joules_over_plain": ("fraction", "joules per work, over those of nameplates without a margin, less 1"),
    **OVER,
    **{f"level_{name}": (unit, f"{meaning}, margins set in hindsight") for name, (unit, meaning) in OVER.items()},
}
Cell = tuple[str, str]  # rule and information
Cells = Mapping[Cell, list[Hosted]]


def hosting(config: PlacementConfig) -> pd.DataFrame:
    """Return METRICS by rule and information. One margin for all fleets is set in one week, and the next is scored.
    level_…: with margins set in hindsight, so that both sides of a ratio run the target risk; for two rules. plain:
    nameplates without a margin. oracle: knows the scored week beforehand. Budgets are those of rows of servers."""
    settings = config.hosting
    profiles, compared = information(settings.information), rules(settings.rules)
    others = [size for size in dict.fromkeys(settings.rows) if size != settings.row]
    step = steps("placement hosting", len(profiles) * (len(compared) * len(ARRIVALS) + len(others)))
    table: list[Row] = []
    for arrivals, grouped in ARRIVALS.items():
        scenarios = [make_scenario(config.fleet, seed, grouped=grouped) for seed in range(settings.seeds)]
        by_information = {name: demands(scenarios, profile) for name, profile in profiles.items()}
        sizes = {settings.row: compared, **{size: {PROFILE_RULE: RULES[PROFILE_RULE]} for size in others if grouped}}
        for size, by_name in sizes.items():
            trial = Trial(scenarios, hall(config.fleet, size), RULES[PROFILE_RULE], settings.risk)
            margins: dict[Cell, float] = {}
            cells: dict[Cell, list[Hosted]] = {}
            level: dict[Cell, list[Hosted]] = {}
            for (rule, chosen), (name, (before, after)) in product(by_name.items(), by_information.items()):
                ruled = replace(trial, rule=chosen)
                margins[rule, name], cells[rule, name] = ruled.calibrated(before, after)
                if rule in LEVEL_RULES:
                    level[rule, name] = ruled.in_hindsight(after)
                step(f"{arrivals} arrivals, rows of {size}, {rule}, {name}")
            table += [{"arrivals": arrivals, "row": size, **row} for row in _hall(trial, margins, cells, level)]
    return tidy(table, tier=SIMULATED)


def _hall(trial: Trial, margins: Mapping[Cell, float], cells: Cells, level: Cells) -> Iterator[Row]:
    """Yield the rows of one hall."""
    nameplates = [scenario.demand(INFORMATION[BLIND]) for scenario in trial.scenarios]
    plain, best = replace(trial, rule=RULES[BASE_RULE]).hosted(nameplates, 1.0), trial.oracle()
    seeds = [scenario.seed for scenario in trial.scenarios]
    for seed, hosted, most in zip(seeds, plain, best, strict=True):
        numbers = {**hosted.numbers(), "margin": 1.0}
        yield from rows(METRICS, numbers, seed=seed, rule=BASE_RULE, information="plain")
        yield from rows(METRICS, most.numbers(), seed=seed, rule=PROFILE_RULE, information="oracle")
    for cell, of_seeds in cells.items():
        for number, (seed, hosted) in enumerate(zip(seeds, of_seeds, strict=True)):
            values = {
                **hosted.numbers(),
                "margin": margins[cell],
                "over_plain": hosted.work / plain[number].work,
                "over_oracle": hosted.work / best[number].work,
                "joules_over_plain": hosted.joules_per_work / plain[number].joules_per_work - 1,
            }
            for (rival, (rule, name)), (prefix, run) in product(RIVALS.items(), (("", cells), ("level_", level))):
                other = (rule or cell[0], name or cell[1])
                if other in run and cell in run:
                    values[f"{prefix}over_{rival}"] = run[cell][number].work / run[other][number].work
            yield from rows(METRICS, values, seed=seed, rule=cell[0], information=cell[1])


def frontier(config: PlacementConfig) -> pd.DataFrame:
    """Return hosted work and realised risk in the scored week by information and margin, for one rule. Margins are
    relative to the one that runs the target risk in the scored weeks."""
    profiles = information(config.frontier.information)
    trial = Trial.of(config)
    step = steps("placement frontier", len(profiles))
    table: list[Row] = []
    for name, profile in profiles.items():
        demand = [scenario.demand(profile) for scenario in trial.scenarios]
        margin = trial.margin(demand, SCORE)
        for share in config.frontier.margins:
            for scenario, hosted in zip(trial.scenarios, trial.hosted(demand, share * margin), strict=True):
                factors = {"information": name, "over_margin": share, "seed": scenario.seed}
                table += rows(METRICS, hosted.numbers("work", "risk"), **factors)
        step(name)
    return tidy(table, tier=SIMULATED)


def predictability(config: PlacementConfig) -> pd.DataFrame:
    """Return hosted work over that with one number, at equal realised risk, by how well weeks repeat and by
    information, for one rule."""
    settings = config.predictability
    profiles = information(dict.fromkeys([ONE_NUMBER, *settings.information]))
    step = steps("placement predictability", len(settings.predictable))
    table: list[Row] = []
    for share in settings.predictable:
        trial = Trial.of(config, fleet=config.fleet.generated(share))
        cells = {
            name: trial.in_hindsight([scenario.demand(profile) for scenario in trial.scenarios])
            for name, profile in profiles.items()
        }
        for name, of_seeds in cells.items():
            for scenario, hosted, base in zip(trial.scenarios, of_seeds, cells[ONE_NUMBER], strict=True):
                values = {"level_over_mean": hosted.work / base.work, **hosted.numbers("work", "risk")}
                table += rows(METRICS, values, information=name, predictable=share, seed=scenario.seed)
        step(f"{share:g} predictable")
    return tidy(table, tier=SIMULATED)
