"""A margin that was set on one mix of workloads, and the risk that it comes to on others."""

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.workloads import MIXES
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Trial
from jouleproof.studies.placement.registry import information
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenario import CALIBRATION, hall, scenario
from jouleproof.studies.placement.table import HOSTED, Metrics, Row, rows

RULE = "asynchrony"
METRICS: Metrics = {
    **HOSTED,
    "over_target": ("x", "risk, over the one that the margin was set for"),
    "margin": ("x", "on the budgets, set on the ordinary mix, on all seeds' fleets together"),
}


def transfer(config: PlacementConfig) -> pd.DataFrame:
    """METRICS by information and mix. The margin of each kind of information is set on the ordinary mix and used on
    other fleets."""
    risk = config.hosting.risk
    known = information(config.transfer.information)
    seeds = range(config.hosting.seeds)
    step = steps("placement transfer", len(seeds) * (1 + len(MIXES)))
    learned = []
    for seed in seeds:
        learned.append(scenario(config.fleet, 100 + seed))
        step(f"fleet {seed} to set margins on")
    trial = Trial(learned, hall(config.fleet, config.transfer.row), RULES[RULE], risk)
    margins = {
        name: trial.margin([one.demand(told, CALIBRATION) for one in learned], CALIBRATION)
        for name, told in known.items()
    }
    table: list[Row] = []
    for mix in MIXES:
        for seed in seeds:
            other = scenario(config.fleet, seed, mix)
            for name, told in known.items():
                (hosted,) = Trial([other], trial.hall, trial.rule, risk).hosted([other.demand(told)], margins[name])
                values = {
                    **hosted.numbers("work", "servers", "risk"),
                    "over_target": hosted.risk / risk,
                    "margin": margins[name],
                }
                table += rows(METRICS, values, mix=mix, information=name, seed=seed)
            step(f"{mix}, fleet {seed}")
    return tidy(table, tier=SIMULATED)
