"""How long placing and replaying take, by servers and instances."""

from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.measure.clocks import Stopwatch
from jouleproof.power.capping import run
from jouleproof.power.controllers import CONTROLLERS
from jouleproof.power.time_grid import WEEK
from jouleproof.power.traces import pieces, textures
from jouleproof.power.tree import tree
from jouleproof.power.workloads import KINDS, Fleet, Stays, fleet
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Period, place
from jouleproof.studies.placement.kernels import NOWHERE, drawn
from jouleproof.studies.placement.profiles import by_slot
from jouleproof.studies.placement.rules import RULES

ROW, SLOTS, DISTINCT = 40, (24, 168), 500
CAPPED_SLOTS = 24  # two hours of 2 s, of which the week is 84


def scale(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Seconds, and what they come to: placements/s into rows of 40 servers, a week's replay at five minutes, and the
    replay of two hours at two seconds under a controller, server-steps/s; instances repeat 500 generated ones. First
    calls, which compile or load compiled code, do not count."""
    known = textures(power_trace)
    few = fleet(DISTINCT, 1, 0)
    rows: list[dict[str, Any]] = []
    step = steps("placement scale", len(config.scale.instances) * config.scale.repeats)
    _measured(few, 80, known)
    for count in config.scale.instances:
        for repeat in range(config.scale.repeats):
            rows += [{**row, "instances": count, "repeat": repeat} for row in _measured(few, count, known)]
            step(f"{count} instances, repeat {repeat + 1}")
    return tidy(rows, tier=MEASURED)


def _measured(few: Fleet, count: int, known: Any) -> list[dict[str, Any]]:
    chosen = np.arange(count) % few.count
    many = few.of(chosen)
    period = Period(many, many.watts, Stays(np.zeros(count, np.int64), np.full(count, WEEK)))
    where = tree(-(-count // ROW), ROW, few.nameplate_w, crowding=1.5)
    rows = []
    home = np.full(count, NOWHERE)
    for slots in SLOTS:
        demand = np.percentile(by_slot(few.watts, slots), 95, axis=2)[chosen]
        watch = Stopwatch()
        home = place(period, demand, where, RULES["asynchrony"])
        rows += _rate(f"placing, {slots} slots", watch.wall_s(), count, "placements/s")
    watch = Stopwatch()
    drawn(home, period.stays.first, period.stays.last, period.watts, where.parent)
    rows += _rate("replay of a week, 5 min", watch.wall_s(), count * WEEK, "server-steps/s")
    all_pieces, begin, many_of = pieces(many, KINDS, known)
    watch, done = Stopwatch(), 0
    for leaf in where.leaves:
        own = np.flatnonzero(home == leaf)
        run(many.watts[own][:, :CAPPED_SLOTS], (all_pieces, begin[own], many_of[own]), many.offset[own],
            many.critical[own], float(where.budget_w[leaf]), many.idle_w, many.most_w,
            CONTROLLERS["polca"], 1.0)  # fmt: skip
        done += len(own) * CAPPED_SLOTS * all_pieces.shape[1]
    rows += _rate("replay of 2 h, 2 s, capping", watch.wall_s(), done, "server-steps/s")
    return rows


def _rate(what: str, seconds: float, steps: int, unit: str) -> list[dict[str, Any]]:
    return [
        {"what": what, "metric": "time", "unit": "s", "value": seconds},
        {"what": what, "metric": "rate", "unit": unit, "value": steps / max(seconds, 1e-9)},
    ]
