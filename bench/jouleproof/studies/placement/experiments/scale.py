"""Time that placement and replay take, by number of instances."""

from dataclasses import replace

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.measure.clocks import Stopwatch
from jouleproof.power.capping import simulate
from jouleproof.power.controllers import CONTROLLERS
from jouleproof.power.time_grid import WEEK
from jouleproof.power.traces import Textures, pieces_of, textures_of
from jouleproof.power.tree import tree
from jouleproof.power.workloads import Fleet, fleet
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import place
from jouleproof.studies.placement.kernels import NOWHERE, node_power
from jouleproof.studies.placement.profiles import INFORMATION
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenario import Period
from jouleproof.studies.placement.table import Row

ROW, SLOTS, DISTINCT = 40, (24, 168), 500
CAPPED_SLOTS = 24  # two hours; a week is 84 times as long


def scale(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Measure seconds and rates of placing workloads into rows of 40 servers (placements/s), and of replaying a week at
    five minutes and two hours at two seconds under a controller (server-steps/s). Instances repeat 500 generated
    workloads. First calls, which compile or load compiled code, do not count."""
    textures = textures_of(power_trace)
    few = fleet(DISTINCT, 1, 0)
    table: list[Row] = []
    step = steps("placement scale", len(config.scale.instances) * config.scale.repeats)
    _measured(few, 80, textures)
    for count in config.scale.instances:
        for repeat in range(config.scale.repeats):
            table += [{**row, "instances": count, "repeat": repeat} for row in _measured(few, count, textures)]
            step(f"{count} instances, repeat {repeat + 1}")
    return tidy(table, tier=MEASURED)


def _measured(few: Fleet, count: int, textures: Textures) -> list[Row]:
    chosen = np.arange(count) % few.count
    many = few.of(chosen)
    period = Period.whole(many)
    where = tree(-(-count // ROW), ROW, few.nameplate_w, crowding=1.5)
    rows: list[Row] = []
    home = np.full(count, NOWHERE)
    for slots in SLOTS:
        demand = INFORMATION[f"slots{slots}"].of(few.watts, few)[chosen]
        watch = Stopwatch()
        home = place(period, demand, where, RULES["asynchrony"])
        rows += _rate(f"placing, {slots} slots", watch.wall_s(), count, "placements/s")
    watch = Stopwatch()
    node_power(home, period.stays.first, period.stays.last, many.watts, where.parent)
    rows += _rate("replay of a week, 5 min", watch.wall_s(), count * WEEK, "server-steps/s")
    two_hours = replace(many, watts=many.watts[:, :CAPPED_SLOTS])
    pieces = pieces_of(many, textures)
    watch, done = Stopwatch(), 0
    for leaf in where.leaves:
        servers = np.flatnonzero(home == leaf)
        simulate(two_hours.of(servers), pieces.of(servers), where.budget_w[leaf], CONTROLLERS["polca"])
        done += len(servers) * CAPPED_SLOTS * pieces.watts.shape[1]
    rows += _rate("replay of 2 h, 2 s, capping", watch.wall_s(), done, "server-steps/s")
    return rows


def _rate(what: str, seconds: float, steps: int, unit: str) -> list[Row]:
    return [
        {"what": what, "metric": "time", "unit": "s", "value": seconds},
        {"what": what, "metric": "rate", "unit": unit, "value": steps / max(seconds, 1e-9)},
    ]
