"""What sensors and averages see of power that changes within seconds."""

from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.power.sensors import read
from jouleproof.power.time_grid import DAY, SAMPLE_S, SLOT_S
from jouleproof.power.traces import Textures, means, samples, textures
from jouleproof.progress import steps
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.evaluation import place
from jouleproof.studies.placement.experiments.levels import levels
from jouleproof.studies.placement.profiles import INFORMATION
from jouleproof.studies.placement.registry import sensors
from jouleproof.studies.placement.rules import RULES
from jouleproof.studies.placement.scenarios import Scene, calibrated, hall, scene, told

Row = dict[str, Any]
DAY_S = DAY * SLOT_S


def precision(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Highest mean of a window over the highest sample of 2 s, by window and by how many servers stand behind one
    budget, over a week. Workloads are placed by the mean, with the margin of the study's risk. servers: the most that
    stand at once behind a budget for so many, the mean over budgets. level_…: the same fleets in rows of hosting.row
    servers that are divided into racks, from one chip to the hall (levels)."""
    settings, known = config.precision, textures(power_trace)
    scenes = [scene(config.fleet, seed) for seed in range(config.hosting.seeds)]
    demands = [told(about, INFORMATION["mean"]) for about in scenes]
    step = steps("placement precision", len(settings.rows) * len(scenes))
    rows: list[Row] = []
    for size in settings.rows:
        where = hall(config.fleet, size)
        factor, done = calibrated(scenes, demands, where, RULES["asynchrony"], config.hosting.risk)
        looked = where.leaves[:: max(len(where.leaves) // settings.domains, 1)]
        for number, (about, hosted) in enumerate(zip(scenes, done, strict=True)):
            fleet, there = about.score.fleet, about.score.there()
            own = [np.flatnonzero(hosted.home == leaf) for leaf in looked]
            peaks = np.array([
                [means(row, window // SAMPLE_S).max() for window in settings.windows_s]
                for row in (samples(fleet, there, servers, known) for servers in own)
            ])  # fmt: skip
            base = {"row": size, "level": "row", "seed": about.seed}
            rows += [
                {**base, "window_s": window, "metric": "peak_seen", "value": value}
                for window, value in zip(settings.windows_s, (peaks / peaks[:, :1]).mean(axis=0), strict=True)
            ]
            most = fmean(float((there[servers] > 0).sum(axis=0).max()) for servers in own)
            rows.append({**base, "window_s": 0, "metric": "servers", "unit": "1", "value": most})
            if size == config.hosting.row:
                found = _levels(config, about, demands[number][1], factor, known)
                rows += [{"window_s": 0, **row, "row": size, "seed": about.seed} for row in found]
            step(f"rows of {size}, seed {about.seed}")
    return tidy(({"unit": "ratio", **row} for row in rows), tier=SIMULATED)


def _levels(config: PlacementConfig, about: Scene, demand: np.ndarray, factor: float, known: Textures) -> list[Row]:
    """The policy keeps to the budgets of racks, rows and hall, with the margin that is set for rows alone."""
    settings = config.precision
    where = hall(config.fleet, config.hosting.row, settings.racks)
    home = place(about.score, demand, where.scaled(factor), RULES["asynchrony"], about.seed)
    there = about.score.there()
    return levels(where, home, about.score.fleet, there, known, settings.windows_s, settings.opened)


def sensed(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """An hour of one prompt and one token machine of the simulated cluster through every sensor: readings (W); and what
    becomes of mean and peak. A sensor that does not read once in that time has no rows."""
    rows: list[Row] = []
    for pool in ("prompt", "token"):
        watts = _machine(power_trace, pool)
        for number, (name, sensor) in enumerate(sensors(config.sensors.sensors).items()):
            times, values = read(sensor, watts, [config.sensors.seed, number])
            if not len(values):
                continue
            about = {"pool": pool, "sensor": name, "t_s": -1.0}
            short = times <= config.sensors.shown_s
            rows += [{**about, "t_s": float(time), "metric": "reading", "unit": "W", "value": value}
                     for time, value in zip(times[short], values[short], strict=True)]  # fmt: skip
            rows += [
                {**about, "metric": "mean_error", "unit": "share", "value": values.mean() / watts.mean() - 1},
                {**about, "metric": "peak_seen", "unit": "ratio", "value": values.max() / watts.max()},
                {**about, "metric": "readings", "unit": "1", "value": float(len(values))},
                {**about, "metric": "delay", "unit": "s", "value": float(sensor.delay_s)},
            ]
    return tidy(rows, seed=config.sensors.seed, tier=SIMULATED)


def profile_error(config: PlacementConfig, power_trace: pd.DataFrame) -> pd.DataFrame:
    """Error of a profile (95th percentile by hour of the day) that a sensor has learned in so many days, against that
    of the true power in the week after: root mean square over the hours, over the nameplate. Days one after the other,
    of some three beginnings in the week, so that what is short is not the weekend."""
    settings, known = config.sensors, textures(power_trace)
    step = steps("placement profile_error", config.hosting.seeds)
    rows: list[Row] = []
    for seed in range(config.hosting.seeds):
        about = scene(config.fleet, seed)
        fleet = about.score.fleet
        chosen = np.random.default_rng([seed, 8]).choice(fleet.count, settings.workloads, replace=False)
        weeks = []
        for one in chosen:
            before, after = (samples(fleet, week, np.array([one]), known) for week in about.seen)
            weeks.append((int(one), before, _by_hour(np.arange(1, len(after) + 1) * SAMPLE_S, after)))
        for number, (name, sensor) in enumerate(sensors(settings.sensors).items()):
            errors: dict[int, list[float]] = {days: [] for days in settings.days}
            for one, before, truth in weeks:
                times, values = read(sensor, before, [one, number])
                times = times - sensor.delay_s
                for days in settings.days:
                    for begin in dict.fromkeys(np.linspace(0, 7 - days, 3).astype(int)):
                        within = slice(*np.searchsorted(times, [begin * DAY_S, (begin + days) * DAY_S], side="right"))
                        learned = _by_hour(times[within], values[within])
                        errors[days].append(float(np.sqrt(np.nanmean((learned - truth) ** 2)) / fleet.nameplate_w))
            rows += [{"sensor": name, "days": days, "metric": "error", "value": float(np.mean(found)), "seed": seed}
                     for days, found in errors.items()]  # fmt: skip
        step(f"seed {seed}")
    return tidy(rows, unit="share", tier=SIMULATED)


def _machine(power_trace: pd.DataFrame, pool: str) -> np.ndarray:
    """The machine of a pool whose power changes most."""
    watts = power_trace[power_trace["pool"] == pool].pivot(index="machine", columns="t_s", values="value").to_numpy()
    return watts[np.argmax(watts.std(axis=1))]


def _by_hour(times: np.ndarray, watts: np.ndarray) -> np.ndarray:
    """(24,) 95th percentiles; NaN for an hour without a reading."""
    hour = ((times - 1) // 3600 % 24).astype(np.uint8)
    ordered, counts = watts[np.argsort(hour, kind="stable")], np.bincount(hour, minlength=24)
    if (counts == counts[0]).all() and counts[0]:
        return np.percentile(ordered.reshape(24, -1), 95, axis=1)
    by_hour = np.split(ordered, np.cumsum(counts)[:-1])
    return np.array([np.percentile(own, 95) if len(own) else np.nan for own in by_hour])
