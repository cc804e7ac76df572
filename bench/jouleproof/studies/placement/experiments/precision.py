"""Effect of sensors and averages on readings of a power that changes within seconds."""

from dataclasses import replace
from statistics import fmean

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.sensors import read
from jouleproof.power.time_grid import DAY, SAMPLE_S, SLOT_S
from jouleproof.power.traces import means, pieces_of, samples, textures_of
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import Trial, place
from jouleproof.studies.placement.levels import METRICS as LEVEL_METRICS
from jouleproof.studies.placement.levels import levels
from jouleproof.studies.placement.profiles import INFORMATION
from jouleproof.studies.placement.registry import sensors
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenario import CALIBRATION, HISTORY, demands, hall, make_scenario, offered
from jouleproof.studies.placement.table import Metrics, Row, rows

DAY_S = DAY * SLOT_S
RULE = "asynchrony"
METRICS: Metrics = {
    "peak_seen": ("ratio", "highest mean of a window, over the highest sample of 2 s, over a week"),
    "servers": ("1", "most servers present at once behind a budget, mean over budgets"),
    **LEVEL_METRICS,
}
SENSED: Metrics = {
    "reading": ("W", "by time"),
    "mean_error": ("share", "of the mean of all readings"),
    "peak_seen": ("ratio", "highest reading, over the highest sample"),
    "readings": ("1", "number of readings"),
    "delay": ("s", "until a reading is available"),
}


def precision(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Return METRICS by averaging window and size of row. Workloads are placed by the mean, with the margin for the
    target risk. level_…: from one chip to the hall, for the same fleets in rows of hosting.row servers divided into
    racks; the policy keeps to the budgets of racks, rows and hall, with the margin that was set for rows alone."""
    settings, textures = config.precision, textures_of(power_trace)
    scenarios = [make_scenario(config.fleet, seed) for seed in range(config.hosting.seeds)]
    before, after = demands(scenarios, INFORMATION["mean"])
    step = steps("placement precision", len(settings.rows) * len(scenarios))
    table: list[Row] = []
    for size in settings.rows:
        where = hall(config.fleet, size)
        margin, of_seeds = Trial(scenarios, where, RULES[RULE], config.hosting.risk).calibrated(before, after)
        examined = where.leaves[:: max(len(where.leaves) // settings.domains, 1)]
        for scenario, demand, hosted in zip(scenarios, after, of_seeds, strict=True):
            present = scenario.period().present()
            pieces = pieces_of(present, textures)
            members = [np.flatnonzero(hosted.home == leaf) for leaf in examined]
            traces = [samples(present, servers, pieces) for servers in members]
            peaks = np.array(
                [[means(trace, window // SAMPLE_S).max() for window in settings.windows_s] for trace in traces]
            )
            case = {"row": size, "level": "row", "seed": scenario.seed}
            for window, seen in zip(settings.windows_s, (peaks / peaks[:, :1]).mean(axis=0), strict=True):
                table += rows(METRICS, {"peak_seen": seen}, **case, window_s=window)
            most = fmean(float((present.watts[servers] > 0).sum(axis=0).max()) for servers in members)
            table += rows(METRICS, {"servers": most}, **case, window_s=0)
            if size == config.hosting.row:
                racks = hall(config.fleet, size, settings.racks)
                home = place(scenario.period(), demand, racks.scaled(margin), RULES[RULE], scenario.seed)
                for row in levels(racks, home, present, textures, settings.windows_s, settings.opened):
                    table.append({"window_s": 0, **row, "row": size, "seed": scenario.seed})
            step(f"rows of {size}, seed {scenario.seed}")
    return tidy(table, tier=SIMULATED)


def sensed(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Return SENSED for an hour of one prompt and one token machine of the simulated cluster through every sensor. A
    sensor without a reading in that time has no rows."""
    table: list[Row] = []
    for pool in ("prompt", "token"):
        watts = _machine(power_trace, pool)
        for number, (name, sensor) in enumerate(sensors(config.sensors.sensors).items()):
            times, readings = read(sensor, watts, [config.sensors.seed, number])
            if not len(readings):
                continue
            for time, reading in zip(times, readings, strict=True):
                if time <= config.sensors.shown_s:
                    table += rows(SENSED, {"reading": reading}, pool=pool, sensor=name, t_s=float(time))
            values = {
                "mean_error": readings.mean() / watts.mean() - 1,
                "peak_seen": readings.max() / watts.max(),
                "readings": float(len(readings)),
                "delay": float(sensor.delay_s),
            }
            table += rows(SENSED, values, pool=pool, sensor=name, t_s=-1.0)
    return tidy(table, seed=config.sensors.seed, tier=SIMULATED)


def profile_error(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Return the error of a profile (95th percentile by hour of the day) learned through a sensor over some days
    against that of the true power in the week after: root mean square over the hours, over the nameplate. The days are
    consecutive, from up to three starts in the week, so that short observations do not all fall on the weekend."""
    settings, textures = config.sensors, textures_of(power_trace)
    step = steps("placement profile_error", config.hosting.seeds)
    table: list[Row] = []
    for seed in range(config.hosting.seeds):
        fleet = offered(config.fleet, seed)
        pieces = pieces_of(fleet, textures)
        weeks = [replace(fleet, watts=fleet.week(week)) for week in (HISTORY, CALIBRATION)]
        learned_from = []
        for workload in np.random.default_rng([seed, 8]).choice(fleet.count, settings.workloads, replace=False):
            before, after = (samples(week, np.array([workload]), pieces) for week in weeks)
            truth = _by_hour(np.arange(1, len(after) + 1) * SAMPLE_S, after)
            learned_from.append((int(workload), before, truth))
        for number, (name, sensor) in enumerate(sensors(settings.sensors).items()):
            errors: dict[int, list[float]] = {days: [] for days in settings.days}
            for workload, before, truth in learned_from:
                times, readings = read(sensor, before, [workload, number])
                times = times - sensor.delay_s
                for days in settings.days:
                    for begin in dict.fromkeys(np.linspace(0, 7 - days, 3).astype(int)):
                        within = slice(*np.searchsorted(times, [begin * DAY_S, (begin + days) * DAY_S], side="right"))
                        error = _by_hour(times[within], readings[within]) - truth
                        errors[days].append(float(np.sqrt(np.nanmean(error**2)) / fleet.nameplate_w))
            table += [
                {"sensor": name, "days": days, "value": float(np.mean(of_days)), "seed": seed}
                for days, of_days in errors.items()
            ]
        step(f"seed {seed}")
    return tidy(table, metric="error", unit="share", tier=SIMULATED)


def _machine(power_trace: pd.DataFrame, pool: str) -> np.ndarray:
    """Return (samples,) watts of the machine of a pool whose power changes most."""
    watts = power_trace[power_trace["pool"] == pool].pivot(index="machine", columns="t_s", values="value").to_numpy()
    return watts[np.argmax(watts.std(axis=1))]


def _by_hour(times: np.ndarray, watts: np.ndarray) -> np.ndarray:
    """Return (24,) 95th percentiles; NaN for an hour without a reading."""
    hour = ((times - 1) // 3600 % 24).astype(np.uint8)
    ordered, counts = watts[np.argsort(hour, kind="stable")], np.bincount(hour, minlength=24)
    if (counts == counts[0]).all() and counts[0]:
        return np.percentile(ordered.reshape(24, -1), 95, axis=1)
    by_hour = np.split(ordered, np.cumsum(counts)[:-1])
    return np.array([np.percentile(readings, 95) if len(readings) else np.nan for readings in by_hour])
