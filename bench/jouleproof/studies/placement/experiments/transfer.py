"""A margin that was set on one mix of workloads, and the risk that it comes to on others."""

from typing import Any

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.workloads import MIXES
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.registry import information
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenarios import calibrated, hall, outcome, scene, told

RULE = "asynchrony"


def transfer(config: PlacementConfig) -> pd.DataFrame:
    """By information and mix: work hosted, the risk, and the risk over the one that the margin was set for. The margin
    of each kind of information is set on the ordinary mix, on all seeds' fleets together, and used on other fleets.
    """
    settings = config.transfer
    where, rule = hall(config.fleet, settings.row), RULES[RULE]
    found = information(settings.information)
    seeds = range(config.hosting.seeds)
    step = steps("placement transfer", len(seeds) * (1 + len(MIXES)))
    learned = []
    for seed in seeds:
        learned.append(scene(config.fleet, 100 + seed))
        step(f"fleet {seed} to set margins on")
    rows: list[dict[str, Any]] = []
    factors = {
        name: calibrated(learned, [told(about, each) for about in learned], where, rule, config.hosting.risk)[0]
        for name, each in found.items()
    }
    for mix in MIXES:
        for seed in seeds:
            about = scene(config.fleet, seed, mix)
            for name, each in found.items():
                done = outcome(about.score, each.of(about.seen[1], about.score.fleet), where, rule, factors[name], seed)
                values = {
                    "work": ("x", done.work), "servers": ("x", done.servers), "risk": ("share", done.risk),
                    "over_target": ("x", done.risk / config.hosting.risk), "margin": ("x", factors[name]),
                }  # fmt: skip
                rows += [{"mix": mix, "information": name, "metric": metric, "unit": unit, "value": value, "seed": seed}
                         for metric, (unit, value) in values.items()]  # fmt: skip
            step(f"{mix}, fleet {seed}")
    return tidy(rows, tier=SIMULATED)
