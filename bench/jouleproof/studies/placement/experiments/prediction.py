"""Half of the workloads are new: what is hosted by what is reckoned with for them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.predictors import Predictor, wrong_by
from jouleproof.studies.placement.profiles import INFORMATION
from jouleproof.studies.placement.registry import predictors
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenarios import (
    Scene,
    calibrated,
    hall,
    in_hindsight,
    oracle,
    scene,
    told,
    watts_by_slot,
)

PROFILE, RULE, AVERAGE = "slots24", "asynchrony", "fleet_mean"
Reckoning = Callable[[np.ndarray, np.ndarray, Scene], np.ndarray]


def prediction(config: PlacementConfig) -> pd.DataFrame:
    """Work hosted at the same aim of risk by predictor; the same for a workload's own profile made wrong in level or in
    phase. over_fleet: over that of the fleet's average profile; level_over_fleet: with margins set in hindsight, so
    that both run the risk that is aimed at. oversubscription: servers beyond what nameplates allow for, over those
    without prediction, where new workloads count as the fleet's peak.
    """
    settings = config.prediction
    found = predictors(settings.predictors)
    where, rule, risk = hall(config.fleet, config.hosting.row), RULES[RULE], config.hosting.risk
    scenes = [scene(config.fleet, seed) for seed in range(config.hosting.seeds)]
    known = [np.random.default_rng([about.seed, 6]).random(about.score.fleet.count) < settings.with_history
             for about in scenes]  # fmt: skip
    profiles = [told(about, INFORMATION[PROFILE]) for about in scenes]
    reckoned: dict[str, Reckoning] = {
        **{name: partial(_predicted, name, each) for name, each in found.items()},
        **{f"level {level:g}": partial(_wrong_by, level, 0.0) for level in settings.level_errors},
        **{f"phase {hours:g}": partial(_wrong_by, 0.0, hours) for hours in settings.phase_errors_h},
    }
    step = steps("placement prediction", len(reckoned))
    cells, level = {}, {}
    for name, reckon in reckoned.items():
        demands = [(reckon(before, seen, about), reckon(after, seen, about))
                   for about, seen, (before, after) in zip(scenes, known, profiles, strict=True)]  # fmt: skip
        cells[name] = calibrated(scenes, demands, where, rule, risk)
        level[name] = in_hindsight(scenes, demands, where, rule, risk)
        step(name)
    best = [oracle(about, where, rule, risk) for about in scenes]
    rows: list[dict[str, Any]] = []
    for name, (factor, hosted) in cells.items():
        for number, (about, cell) in enumerate(zip(scenes, hosted, strict=True)):
            values = {
                "work": cell.work, "servers": cell.servers, "risk": cell.risk, "margin": factor,
                "over_oracle": cell.work / best[number].work,
            }  # fmt: skip
            if AVERAGE in cells:
                values["over_fleet"] = cell.work / cells[AVERAGE][1][number].work
                values["level_over_fleet"] = level[name][number].work / level[AVERAGE][number].work
            if "fleet_peak" in cells:
                values["oversubscription"] = (cell.servers - 1) / (cells["fleet_peak"][1][number].servers - 1)
            rows += [{"predictor": name, "metric": metric, "value": value, "seed": about.seed}
                     for metric, value in values.items()]  # fmt: skip
    return tidy(rows, unit="x", tier=SIMULATED)


def _predicted(name: str, predictor: Predictor, profiles: np.ndarray, seen: np.ndarray, about: Scene) -> np.ndarray:
    return watts_by_slot(f"predictor {name!r}", predictor(profiles, seen, about.score.fleet), *profiles.shape)


def _wrong_by(level: float, hours: float, profiles: np.ndarray, seen: np.ndarray, about: Scene) -> np.ndarray:
    return wrong_by(profiles, seen, level, hours, about.seed)
