"""Scenarios of placement: a fleet, the week in which its margin is set, the week that is scored, and a data hall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jouleproof.power.time_grid import WEEK
from jouleproof.power.tree import Tree, tree
from jouleproof.power.workloads import Fleet, Rhythm, Server, Stays, fleet, stays
from jouleproof.studies.placement.config import FleetConfig
from jouleproof.studies.placement.profiles import Information, checked_watts
from jouleproof.studies.placement.recorded import fleet_of, recorded

HISTORY, CALIBRATION, SCORE = range(WEEKS := 3)  # weeks: readings of one are used in the next


@dataclass(frozen=True)
class Period:
    """A week of a fleet. fleet: with the true watts of that week alone, which no policy sees."""

    fleet: Fleet
    stays: Stays

    @classmethod
    def whole(cls, fleet: Fleet) -> "Period":
        """Return a week in which every workload is present throughout."""
        return cls(fleet, Stays(first=np.zeros(fleet.count, np.int64), last=np.full(fleet.count, WEEK)))

    def present(self) -> Fleet:
        """Return the fleet with 0 W where a workload is absent."""
        slots = np.arange(self.fleet.watts.shape[1])[None, :]
        here = (slots >= self.stays.first[:, None]) & (slots < self.stays.last[:, None])
        return replace(self.fleet, watts=np.where(here, self.fleet.watts, 0.0))


@dataclass(frozen=True)
class Scenario:
    """A fleet and the lifetimes of its workloads. fleet: with all of its weeks. stays: by week, of the two in which
    workloads are placed."""

    fleet: Fleet
    stays: Mapping[int, Stays]
    seed: int

    def period(self, week: int = SCORE) -> Period:
        return Period(replace(self.fleet, watts=self.fleet.week(week)), self.stays[week])

    def readings(self, week: int = SCORE) -> np.ndarray:
        """Return (workloads, slots) watts of the week before."""
        return self.fleet.week(week - 1)

    def demand(self, information: Information, week: int = SCORE) -> np.ndarray:
        """Return (workloads, slots) watts that a policy with this information assumes."""
        readings = self.readings(week)
        watts = information.of(readings, self.fleet)
        return checked_watts(f"information {information.words!r}", watts, len(readings))


def make_scenario(config: FleetConfig, seed: int, mix: str = "same", grouped: bool = True) -> Scenario:
    """Make a scenario. grouped: workloads of a tenant arrive one after the other."""
    workloads, at_once = offered(config, seed, mix), round(config.servers * config.at_once)
    weeks = {week: stays(workloads, at_once, config.days, grouped, seed * 10 + week) for week in (CALIBRATION, SCORE)}
    return Scenario(workloads, weeks, seed)


def offered(config: FleetConfig, seed: int, mix: str = "same") -> Fleet:
    """Return the workloads that arrive in a week, generated or from the config's trace."""
    count = round(config.servers * config.offered)
    if config.trace is not None:
        return fleet_of(recorded(config.trace), count, WEEKS, seed, mix, config.nameplate_w)
    rhythm = Rhythm(mix, config.predictable, server=replace(Server(), nameplate_w=config.nameplate_w))
    return fleet(count, WEEKS, seed, rhythm)


def demands(scenarios: Sequence[Scenario], information: Information) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the demands by scenario in the week that sets the margin, and in the week that is scored."""
    before, after = ([scenario.demand(information, week) for scenario in scenarios] for week in (CALIBRATION, SCORE))
    return before, after


def hall(config: FleetConfig, row: int, racks: int = 1) -> Tree:
    """Make a hall with as many rows as it feeds, each with the power of `row` servers."""
    return tree(max(config.servers // row, 1), row, config.nameplate_w, config.crowding, racks, uneven=True)
