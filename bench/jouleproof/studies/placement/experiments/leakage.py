"""The value of releases to a placement policy, and to an attacker."""

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.workloads import Fleet
from jouleproof.progress import steps
from jouleproof.studies.placement.attackers import gain, gain_elsewhere, identified
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Hosted, Trial
from jouleproof.studies.placement.registry import releases
from jouleproof.studies.placement.releases import Released
from jouleproof.studies.placement.scenario import CALIBRATION, SCORE, Scenario, offered
from jouleproof.studies.placement.table import Metrics, Row, rows

SHIFTED = "train_heavy"
METRICS: Metrics = {  # gains: of the best attacker, over guessing
    "kind": ("share", "gain on the class"),
    "model": ("share", "gain on the model"),
    "length": ("share", "gain on the length of prompts"),
    "elsewhere": ("share", "gain on the class in a fleet of another mix"),
    "identity": ("share", "gain on the identity a week later"),
    "most": ("share", "the largest of the gains"),
    "numbers": ("1", "numbers disclosed of a workload in a week"),
    "work": ("x", "work hosted at equal realised risk"),
    "value": ("ratio", "work hosted at equal realised risk, over that where every reading is disclosed"),
    "gain_of_most_private": ("share", "gain of the most private release that keeps enough of the value"),
    "kept": ("share", "of the value that is enough"),
}


def leakage(config: PlacementConfig) -> pd.DataFrame:
    """Return METRICS by release."""
    settings = config.leakage
    named = {**releases(["raw"]), **releases(settings.releases)}
    trial = Trial.of(config)
    shifted = [offered(config.fleet, 200 + seed, SHIFTED) for seed in range(config.hosting.seeds)]
    step = steps("placement leakage", len(named))
    table: list[Row] = []
    whole: list[Hosted] = []
    for number, (name, release) in enumerate(named.items()):
        demand, gains = [], []
        for scenario, other in zip(trial.scenarios, shifted, strict=True):
            rng = np.random.default_rng([scenario.seed, 11, number])
            before, after = (
                release.disclose(scenario.readings(week), scenario.fleet, rng) for week in (CALIBRATION, SCORE)
            )
            demand.append(release.used(after, scenario.fleet))
            elsewhere = release.disclose(other.week(CALIBRATION), other, rng)
            gains.append(_gains(settings.attacked, scenario, before, after, elsewhere, other))
        of_seeds = trial.in_hindsight(demand)
        whole = whole or of_seeds
        for scenario, gained, hosted, best in zip(trial.scenarios, gains, of_seeds, whole, strict=True):
            values = {
                **gained,
                "most": max(gained.values()),
                "numbers": float(release.numbers),
                "work": hosted.work,
                "value": hosted.work / best.work,
            }
            table += rows(METRICS, values, release=name, seed=scenario.seed)
        step(name)
    return tidy([*table, *_most_private(table, settings.kept)], tier=SIMULATED)


def _gains(
    attacked: int, scenario: Scenario, before: Released, after: Released, elsewhere: Released, other: Fleet
) -> dict[str, float]:
    fleet, seed = scenario.fleet, scenario.seed
    count = min(attacked, fleet.count)
    some = np.sort(np.random.default_rng([seed, 10]).choice(fleet.count, count, replace=False))
    return {
        **{
            field: gain(after[some], getattr(fleet, field)[some], fleet.tenant[some], seed)
            for field in ("kind", "model", "length")
        },
        "elsewhere": gain_elsewhere(after[some], fleet.kind[some], elsewhere[some], other.kind[some], seed),
        "identity": identified(before[some], after[some]),
    }


def _most_private(table: list[Row], kept: float) -> list[Row]:
    """Return, for each fleet, the gain of the most private release that keeps enough of the value: the one with the
    lowest mean gain in the other fleets."""
    wide = pd.DataFrame(table).pivot_table(index=["release", "seed"], columns="metric", values="value")
    chosen: list[Row] = []
    for seed in sorted(set(wide.index.get_level_values("seed"))):
        means = wide.drop(index=seed, level="seed").groupby(level="release").mean()
        name = means[means["value"] >= kept]["most"].idxmin()
        most = {"gain_of_most_private": wide.loc[(name, seed), "most"]}
        chosen += rows(METRICS, most, release=f"told by the others: {name}", seed=seed)
    return [*chosen, *rows(METRICS, {"kept": kept}, release="limit", seed=0)]
