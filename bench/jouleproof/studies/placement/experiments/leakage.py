"""What releases are worth to a placement policy, and to an attacker."""

from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.workloads import Fleet
from jouleproof.progress import steps
from jouleproof.studies.placement.attackers import gain, gain_elsewhere, identified
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Hosted
from jouleproof.studies.placement.registry import releases
from jouleproof.studies.placement.releases import Released
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenarios import Scene, hall, in_hindsight, scene

RULE, SHIFTED = "asynchrony", "train_heavy"


def leakage(config: PlacementConfig) -> pd.DataFrame:
    """By release: work hosted at one risk run, over that with every reading told (value); gains of the best attacker
    over guessing, in shares, on the class, the model, the length of prompts, on the class in a fleet of another mix,
    and on who it is a week later. most: the largest of the gains. numbers: let out of a workload in a week.
    """
    settings = config.leakage
    found = {**releases(["raw"]), **releases(settings.releases)}
    where, rule, risk = hall(config.fleet, config.hosting.row), RULES[RULE], config.hosting.risk
    scenes = [scene(config.fleet, seed) for seed in range(config.hosting.seeds)]
    shifted = [_week(config, seed) for seed in range(config.hosting.seeds)]
    step = steps("placement leakage", len(found))
    rows: list[dict[str, Any]] = []
    whole: list[Hosted] = []
    for number, (name, release) in enumerate(found.items()):
        demands, gains = [], []
        for about, (other_fleet, other_week) in zip(scenes, shifted, strict=True):
            rng = np.random.default_rng([about.seed, 11, number])
            workloads = about.score.fleet
            before, after = (release.let_out(readings, workloads, rng) for readings in about.seen)
            demands.append((release.used(before, workloads), release.used(after, workloads)))
            gains.append(
                _gains(config, about, before, after, release.let_out(other_week, other_fleet, rng), other_fleet)
            )
        hosted = in_hindsight(scenes, demands, where, rule, risk)
        whole = whole or hosted
        for about, each, done, best in zip(scenes, gains, hosted, whole, strict=True):
            values = {**each, "most": max(each.values()), "numbers": float(release.numbers), "work": done.work,
                      "value": done.work / best.work}  # fmt: skip
            rows += [{"release": name, "metric": metric, "value": value, "seed": about.seed}
                     for metric, value in values.items()]  # fmt: skip
        step(name)
    return tidy([*rows, *_most_private(rows, settings.kept)], unit="1", tier=SIMULATED)


def _week(config: PlacementConfig, seed: int) -> tuple[Fleet, np.ndarray]:
    """Another fleet, of another mix, and a week of its readings."""
    other = scene(config.fleet, 200 + seed, SHIFTED)
    return other.score.fleet, other.seen[1]


def _gains(
    config: PlacementConfig, about: Scene, before: Released, after: Released, elsewhere: Released, other: Fleet
) -> dict[str, float]:
    fleet, seed = about.score.fleet, about.seed
    count = min(config.leakage.attacked, fleet.count)
    some = np.sort(np.random.default_rng([seed, 10]).choice(fleet.count, count, replace=False))
    found = {field: gain(after[some], getattr(fleet, field)[some], fleet.tenant[some], seed)
             for field in ("kind", "model", "length")}  # fmt: skip
    found["elsewhere"] = gain_elsewhere(after[some], fleet.kind[some], elsewhere[some], other.kind[some], seed)
    found["identity"] = identified(before[some], after[some])
    return found


def _most_private(rows: list[dict[str, Any]], kept: float) -> list[dict[str, Any]]:
    """Of the releases that keep so much of the value, the gain of the one whose mean gain is least, in each fleet; the
    other fleets tell which one that is."""
    table = pd.DataFrame(rows)
    wide = table.pivot_table(index=["release", "seed"], columns="metric", values="value")
    found = []
    for seed in sorted(set(table["seed"])):
        means = wide.drop(index=seed, level="seed").groupby(level="release").mean()
        chosen = means[means["value"] >= kept]["most"].idxmin()
        found.append({"release": f"told by the others: {chosen}", "metric": "gain_of_most_private",
                      "value": wide.loc[(chosen, seed), "most"], "seed": seed})  # fmt: skip
    return [*found, {"release": "limit", "metric": "kept", "value": kept, "seed": 0}]
