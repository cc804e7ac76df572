"""Half of the workloads are new: what is hosted by what is reckoned with for them."""

from typing import Any

import numpy as np
import pandas as pd

from bench.placement.config import PlacementConfig
from bench.placement.named import predictors
from bench.placement.prediction import wrong_by
from bench.placement.profiles import INFORMATION
from bench.placement.rules import RULES
from bench.placement.scenes import calibrated, hall, oracle, scene, told
from bench.progress import steps
from bench.results import SIMULATED, tidy

PROFILE, RULE, AVERAGE = "slots24", "asynchrony", "fleet_mean"


def prediction(config: PlacementConfig) -> pd.DataFrame:
    """Work hosted at the same risk by predictor; the same for a workload's own profile made wrong in level or in phase.
    over_fleet: over that of the fleet's average profile. oversubscription: servers beyond what nameplates allow for,
    over those without prediction, where new workloads count as the fleet's peak.
    """
    settings = config.prediction
    found = predictors(settings.predictors)
    where, rule, risk = hall(config.fleet, config.hosting.row), RULES[RULE], config.hosting.risk
    step = steps("placement prediction", config.hosting.seeds)
    rows: list[dict[str, Any]] = []
    for seed in range(config.hosting.seeds):
        about = scene(config.fleet, seed)
        workloads = about.score.fleet
        known = np.random.default_rng([seed, 6]).random(workloads.count) < settings.with_history
        profiles = told(about, INFORMATION[PROFILE])
        demands = {name: tuple(each(part, known, workloads) for part in profiles) for name, each in found.items()}
        for level in settings.level_errors:
            demands[f"level {level:g}"] = tuple(wrong_by(part, known, level, 0.0, seed) for part in profiles)
        for hours in settings.phase_errors_h:
            demands[f"phase {hours:g}"] = tuple(wrong_by(part, known, 0.0, hours, seed) for part in profiles)
        cells = {name: calibrated(about, (demand[0], demand[1]), where, rule, risk) for name, demand in demands.items()}
        best = oracle(about, where, rule, risk)
        for name, (factor, cell) in cells.items():
            values = {
                "work": cell.work, "servers": cell.servers, "risk": cell.risk, "margin": factor,
                "over_oracle": cell.work / best.work,
            }  # fmt: skip
            if AVERAGE in cells:
                values["over_fleet"] = cell.work / cells[AVERAGE][1].work
            if "fleet_peak" in cells:
                values["oversubscription"] = (cell.servers - 1) / (cells["fleet_peak"][1].servers - 1)
            rows += [{"predictor": name, "metric": metric, "value": value, "seed": seed}
                     for metric, value in values.items()]  # fmt: skip
        step(f"seed {seed}")
    return tidy(rows, unit="x", tier=SIMULATED)
