"""What is hosted by rule and information, where each keeps the same risk."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from bench.placement.config import PlacementConfig
from bench.placement.hosting import Hosted, margin
from bench.placement.named import information, rules
from bench.placement.profiles import INFORMATION
from bench.placement.rules import RULES, Rule
from bench.placement.scenes import Scene, Told, calibrated, hall, oracle, outcome, risk, scene, told
from bench.progress import steps
from bench.results import SIMULATED, tidy

ARRIVALS = {"independent": False, "grouped": True}
BLIND, BASE_RULE, OWN_RULE, ONE_NUMBER = "nameplate", "best_fit", "asynchrony", "mean"
MIDDLE = 1e-3  # risk around which a frontier is drawn
Row = dict[str, Any]


def hosting(config: PlacementConfig) -> pd.DataFrame:
    """Work and servers hosted, over what nameplates allow for, by rule and information; the margin is set in one week
    and the next is scored. over_…: of the work, over that of the same rule with one number, of best fit with the same
    information, and of nameplates. Every row's domain is a row of servers; `plain`: nameplates without any margin.
    """
    settings = config.hosting
    found, ruled = information(settings.information), rules(settings.rules)
    step = steps("placement hosting", settings.seeds * len(ARRIVALS))
    rows: list[Row] = []
    for seed in range(settings.seeds):
        for arrivals, grouped in ARRIVALS.items():
            about = scene(config.fleet, seed, grouped=grouped)
            known = {name: told(about, each) for name, each in found.items()}
            rows += _cells(config, about, arrivals, settings.row, known, ruled)
            if grouped:
                for size in set(settings.rows) - {settings.row}:
                    rows += _cells(config, about, arrivals, size, known, {OWN_RULE: RULES[OWN_RULE]})
            step(f"{arrivals} arrivals, seed {seed}")
    return tidy(rows, tier=SIMULATED)


def _cells(
    config: PlacementConfig,
    about: Scene,
    arrivals: str,
    size: int,
    found: Mapping[str, Told],
    ruled: Mapping[str, Rule],
) -> Iterator[Row]:
    where, at = hall(config.fleet, size), config.hosting.risk
    base = {"arrivals": arrivals, "row": size, "seed": about.seed}
    nameplates = INFORMATION[BLIND].of(about.seen[1], about.score.fleet)
    plain = outcome(about.score, nameplates, where, RULES[BASE_RULE], 1.0, about.seed)
    yield from _rows({**base, "rule": BASE_RULE, "information": "plain"}, plain, {"margin": 1.0})
    best = oracle(about, where, RULES[OWN_RULE], at)
    yield from _rows({**base, "rule": OWN_RULE, "information": "oracle"}, best, {})
    cells: dict[tuple[str, str], Hosted] = {}
    for rule_name, rule in ruled.items():
        for name, each in found.items():
            factor, cells[rule_name, name] = calibrated(about, each, where, rule, at)
            known = {"margin": factor, "over_plain": cells[rule_name, name].work / plain.work}
            for other, key in (("over_mean", (rule_name, ONE_NUMBER)), ("over_nameplate", (rule_name, BLIND)),
                               ("over_best_fit", (BASE_RULE, name))):  # fmt: skip
                if key in cells:
                    known[other] = cells[rule_name, name].work / cells[key].work
            known["over_oracle"] = cells[rule_name, name].work / best.work
            known["joules_over_plain"] = cells[rule_name, name].joules_per_work / plain.joules_per_work - 1
            yield from _rows({**base, "rule": rule_name, "information": name}, cells[rule_name, name], known)


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
    """Work hosted and risk run in the scored week, by information and margin, one rule."""
    settings = config.frontier
    found = information(settings.information)
    where, rule = hall(config.fleet, config.hosting.row), RULES[OWN_RULE]
    rows: list[Row] = []
    for seed in range(config.hosting.seeds):
        about = scene(config.fleet, seed)
        for name, each in found.items():
            demand = each.of(about.seen[1], about.score.fleet)
            middle = margin(partial(risk, about.score, demand, where, rule, seed=seed), MIDDLE)
            for part in settings.margins:
                done = outcome(about.score, demand, where, rule, middle * part, seed)
                base = {"information": name, "over_margin": part, "seed": seed}
                rows += [{**base, "metric": "work", "unit": "x", "value": done.work},
                         {**base, "metric": "risk", "unit": "share", "value": done.risk}]  # fmt: skip
    return tidy(rows, tier=SIMULATED)


def predictability(config: PlacementConfig) -> pd.DataFrame:
    """Work hosted at one risk by how far weeks repeat, over that with one number, by information, one rule."""
    settings = config.predictability
    found = information(dict.fromkeys([ONE_NUMBER, *settings.information]))
    where, rule = hall(config.fleet, config.hosting.row), RULES[OWN_RULE]
    rows: list[Row] = []
    for share in settings.predictable:
        fleet = config.fleet.model_copy(update={"predictable": share})
        for seed in range(config.hosting.seeds):
            about = scene(fleet, seed)
            cells = {name: calibrated(about, told(about, each), where, rule, config.hosting.risk)[1]
                     for name, each in found.items()}  # fmt: skip
            for name, done in cells.items():
                base = {"information": name, "predictable": share, "seed": seed}
                rows += [{**base, "metric": "over_mean", "unit": "x", "value": done.work / cells[ONE_NUMBER].work},
                         {**base, "metric": "work", "unit": "x", "value": done.work},
                         {**base, "metric": "risk", "unit": "share", "value": done.risk}]  # fmt: skip
    return tidy(rows, tier=SIMULATED)
