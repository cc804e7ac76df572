"""Work hosted where half of the workloads are new, by the predictor of their profiles."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Trial
from jouleproof.studies.placement.predictors import Predictor, wrong_by
from jouleproof.studies.placement.profiles import INFORMATION, checked_watts
from jouleproof.studies.placement.registry import predictors
from jouleproof.studies.placement.scenario import Scenario, demands
from jouleproof.studies.placement.table import PLACED, Metrics, Row, rows

PROFILE, AVERAGE, PEAK = "slots24", "fleet_mean", "fleet_peak"
METRICS: Metrics = {
    **PLACED,
    "over_fleet": ("x", "work, over that of the fleet's average profile"),
    "level_over_fleet": ("x", "the same with margins set in hindsight, so that both run the target risk"),
    "oversubscription": ("x", "servers beyond nameplates, over those where new workloads count as the fleet's peak"),
}
Prediction = Callable[[np.ndarray, np.ndarray, Scenario], np.ndarray]  # from profiles, and which of them have a history


def prediction(config: PlacementConfig) -> pd.DataFrame:
    """Return METRICS by predictor, at equal target risk, and the same for true profiles with errors in level or in
    phase."""
    settings = config.prediction
    trial = Trial.of(config)
    scenarios = trial.scenarios
    seen = [
        np.random.default_rng([scenario.seed, 6]).random(scenario.fleet.count) < settings.with_history
        for scenario in scenarios
    ]
    profiles = demands(scenarios, INFORMATION[PROFILE])
    predictions: dict[str, Prediction] = {
        **{name: partial(_predicted, name, chosen) for name, chosen in predictors(settings.predictors).items()},
        **{f"level {level:g}": partial(_wrong_by, level, 0.0) for level in settings.level_errors},
        **{f"phase {hours:g}": partial(_wrong_by, 0.0, hours) for hours in settings.phase_errors_h},
    }
    step = steps("placement prediction", len(predictions))
    margins, cells, level = {}, {}, {}
    for name, predicted in predictions.items():
        before, after = ([predicted(*case) for case in zip(week, seen, scenarios, strict=True)] for week in profiles)
        margins[name], cells[name] = trial.calibrated(before, after)
        level[name] = trial.in_hindsight(after)
        step(name)
    best = trial.oracle()
    table: list[Row] = []
    for name, of_seeds in cells.items():
        for number, (scenario, hosted) in enumerate(zip(scenarios, of_seeds, strict=True)):
            values = {
                **hosted.numbers("work", "servers", "risk"),
                "margin": margins[name],
                "over_oracle": hosted.work / best[number].work,
            }
            if AVERAGE in cells:
                values["over_fleet"] = hosted.work / cells[AVERAGE][number].work
                values["level_over_fleet"] = level[name][number].work / level[AVERAGE][number].work
            if PEAK in cells:
                values["oversubscription"] = (hosted.servers - 1) / (cells[PEAK][number].servers - 1)
            table += rows(METRICS, values, predictor=name, seed=scenario.seed)
    return tidy(table, tier=SIMULATED)


def _predicted(
    name: str, predictor: Predictor, profiles: np.ndarray, seen: np.ndarray, scenario: Scenario
) -> np.ndarray:
    return checked_watts(f"predictor {name!r}", predictor(profiles, seen, scenario.fleet), *profiles.shape)


def _wrong_by(level: float, hours: float, profiles: np.ndarray, seen: np.ndarray, scenario: Scenario) -> np.ndarray:
    return wrong_by(profiles, seen, level, hours, scenario.seed)
