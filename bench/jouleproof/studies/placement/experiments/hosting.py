"""What is hosted by rule and information, where each aims at the same risk, and where each runs it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Hosted
from jouleproof.studies.placement.profiles import INFORMATION
from jouleproof.studies.placement.registry import information, rules
from jouleproof.studies.placement.rules import RULES, Rule
from jouleproof.studies.placement.scenarios import (
    Scene,
    Told,
    calibrated,
    hall,
    in_hindsight,
    oracle,
    outcome,
    scene,
    told,
)

ARRIVALS = {"independent": False, "grouped": True}
BLIND, BASE_RULE, OWN_RULE, ONE_NUMBER = "nameplate", "best_fit", "asynchrony", "mean"
LEVEL_RULES = (BASE_RULE, OWN_RULE)  # that are compared at one risk run
Row = dict[str, Any]


def hosting(config: PlacementConfig) -> pd.DataFrame:
    """Work and servers hosted, over what nameplates allow for, by rule and information; the margin is set in one week
    of all fleets together and the next is scored. over_…: of the work, over that of the same rule with one number, and
    with nameplates; over that of best fit, of any place and of the emptiest with the same information; over_plain: over
    nameplates without any margin, in best fit. level_over_…: the same with margins set in hindsight, so that both run
    the risk that is aimed at; of two rules. Every row's domain is a row of servers.
    """
    settings = config.hosting
    found, ruled = information(settings.information), rules(settings.rules)
    others = [size for size in dict.fromkeys(settings.rows) if size != settings.row]
    step = steps("placement hosting", len(found) * (len(ruled) * len(ARRIVALS) + len(others)))
    rows: list[Row] = []
    for arrivals, grouped in ARRIVALS.items():
        scenes = [scene(config.fleet, seed, grouped=grouped) for seed in range(settings.seeds)]
        known = {name: [told(about, each) for about in scenes] for name, each in found.items()}
        rows += _cells(config, scenes, arrivals, settings.row, known, ruled, step)
        for size in others if grouped else ():
            rows += _cells(config, scenes, arrivals, size, known, {OWN_RULE: RULES[OWN_RULE]}, step)
    return tidy(rows, tier=SIMULATED)


def _cells(
    config: PlacementConfig,
    scenes: Sequence[Scene],
    arrivals: str,
    size: int,
    found: Mapping[str, Sequence[Told]],
    ruled: Mapping[str, Rule],
    step: Callable[[str], None],
) -> Iterator[Row]:
    where, at = hall(config.fleet, size), config.hosting.risk
    base = {"arrivals": arrivals, "row": size}
    plain, best = [], []
    for about in scenes:
        nameplates = INFORMATION[BLIND].of(about.seen[1], about.score.fleet)
        plain.append(outcome(about.score, nameplates, where, RULES[BASE_RULE], 1.0, about.seed))
        best.append(oracle(about, where, RULES[OWN_RULE], at))
        own = {**base, "seed": about.seed}
        yield from _rows({**own, "rule": BASE_RULE, "information": "plain"}, plain[-1], {"margin": 1.0})
        yield from _rows({**own, "rule": OWN_RULE, "information": "oracle"}, best[-1], {})
    cells: dict[tuple[str, str], list[Hosted]] = {}
    margins = {}
    for rule_name, rule in ruled.items():
        for name, each in found.items():
            margins[rule_name, name], cells[rule_name, name] = calibrated(scenes, each, where, rule, at)
            step(f"{arrivals} arrivals, rows of {size}, {rule_name}, {name}")
    level = {(rule_name, name): in_hindsight(scenes, found[name], where, ruled[rule_name], at)
             for rule_name, name in cells if rule_name in LEVEL_RULES}  # fmt: skip
    for (rule_name, name), hosted in cells.items():
        others = {"mean": (rule_name, ONE_NUMBER), "nameplate": (rule_name, BLIND), "best_fit": (BASE_RULE, name),
                  "random": ("random", name), "spread": ("spread", name)}  # fmt: skip
        for number, (about, done) in enumerate(zip(scenes, hosted, strict=True)):
            more = {
                "margin": margins[rule_name, name],
                "over_plain": done.work / plain[number].work,
                "over_oracle": done.work / best[number].work,
                "joules_over_plain": done.joules_per_work / plain[number].joules_per_work - 1,
            }
            for (word, other), (prefix, table) in product(others.items(), (("", cells), ("level_", level))):
                if other in table and (rule_name, name) in table:
                    more[f"{prefix}over_{word}"] = table[rule_name, name][number].work / table[other][number].work
            yield from _rows({**base, "seed": about.seed, "rule": rule_name, "information": name}, done, more)


def _rows(about: Row, found: Hosted, more: dict[str, float]) -> Iterator[Row]:
    values = {
        "servers": ("x", found.servers), "work": ("x", found.work), "risk": ("share", found.risk),
        "turned_away": ("share", found.turned_away),
        "stranded": ("share", found.stranded), "peak_to_mean": ("x", found.peak_to_mean),
        "joules_per_work": ("x", found.joules_per_work),
        **{name: ("x", value) for name, value in more.items()},
    }  # fmt: skip
    for metric, (unit, value) in values.items():
        yield {**about, "metric": metric, "unit": unit, "value": value}


def frontier(config: PlacementConfig) -> pd.DataFrame:
    """Work hosted and risk run in the scored week, by information and by the margin over the one that runs the risk
    aimed at in the scored weeks themselves; one rule."""
    settings = config.frontier
    found = information(settings.information)
    where, rule = hall(config.fleet, config.hosting.row), RULES[OWN_RULE]
    scenes = [scene(config.fleet, seed) for seed in range(config.hosting.seeds)]
    step = steps("placement frontier", len(found))
    rows: list[Row] = []
    for name, each in found.items():
        demands = [told(about, each) for about in scenes]
        for part in settings.margins:
            done = in_hindsight(scenes, demands, where, rule, config.hosting.risk, part)
            for about, cell in zip(scenes, done, strict=True):
                base = {"information": name, "over_margin": part, "seed": about.seed}
                rows += [{**base, "metric": "work", "unit": "x", "value": cell.work},
                         {**base, "metric": "risk", "unit": "share", "value": cell.risk}]  # fmt: skip
        step(name)
    return tidy(rows, tier=SIMULATED)


def predictability(config: PlacementConfig) -> pd.DataFrame:
    """Work hosted by how far weeks repeat, over that with one number at one risk run, by information, one rule."""
    settings = config.predictability
    found = information(dict.fromkeys([ONE_NUMBER, *settings.information]))
    where, rule = hall(config.fleet, config.hosting.row), RULES[OWN_RULE]
    step = steps("placement predictability", len(settings.predictable))
    rows: list[Row] = []
    for share in settings.predictable:
        scenes = [scene(config.fleet.generated(share), seed) for seed in range(config.hosting.seeds)]
        cells = {name: in_hindsight(scenes, [told(about, each) for about in scenes], where, rule, config.hosting.risk)
                 for name, each in found.items()}  # fmt: skip
        for name, hosted in cells.items():
            for about, done, one in zip(scenes, hosted, cells[ONE_NUMBER], strict=True):
                base = {"information": name, "predictable": share, "seed": about.seed}
                rows += [{**base, "metric": "level_over_mean", "unit": "x", "value": done.work / one.work},
                         {**base, "metric": "work", "unit": "x", "value": done.work},
                         {**base, "metric": "risk", "unit": "share", "value": done.risk}]  # fmt: skip
        step(f"{share:g} predictable")
    return tidy(rows, tier=SIMULATED)
