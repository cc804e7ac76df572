"""Risk of a margin that was set on one mix of workloads and is used on others."""

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.workloads import MIXES
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Trial
from jouleproof.studies.placement.registry import information
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenario import CALIBRATION, hall, make_scenario
from jouleproof.studies.placement.table import PLACED, Metrics, Row, rows

METRICS: Metrics = {
    **PLACED,
    "over_target": ("x", "risk, over the target risk of the margin"),
}


def transfer(config: PlacementConfig) -> pd.DataFrame:
    """Return METRICS by information and mix. The margin of each kind of information is set on the ordinary mix and used
    on other fleets."""
    risk = config.hosting.risk
    profiles = information(config.transfer.information)
    seeds = range(config.hosting.seeds)
    step = steps("placement transfer", len(seeds) * (1 + len(MIXES)))
    learned = []
    for seed in seeds:
        learned.append(make_scenario(config.fleet, 100 + seed))
        step(f"fleet {seed} to set margins on")
    trial = Trial(learned, hall(config.fleet, config.transfer.row), RULES["asynchrony"], risk)
    margins = {
        name: trial.margin([scenario.demand(profile, CALIBRATION) for scenario in learned], CALIBRATION)
        for name, profile in profiles.items()
    }
    table: list[Row] = []
    for mix in MIXES:
        for seed in seeds:
            other = make_scenario(config.fleet, seed, mix)
            for name, profile in profiles.items():
                (hosted,) = Trial([other], trial.hall, trial.rule, risk).hosted([other.demand(profile)], margins[name])
                values = {
                    **hosted.numbers("work", "servers", "risk"),
                    "over_target": hosted.risk / risk,
                    "margin": margins[name],
                }
                table += rows(METRICS, values, mix=mix, information=name, seed=seed)
            step(f"{mix}, fleet {seed}")
    return tidy(table, tier=SIMULATED)
