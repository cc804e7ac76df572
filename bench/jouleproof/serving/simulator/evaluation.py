"""Evaluation of a design: the rules, the requests, and whether the service levels are met."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from jouleproof.serving.config import LoadConfig
from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.service_levels import (
    CORRECTED_READING,
    PUBLISHED_READING,
    Reading,
    hopeless,
    meets,
    slowdowns,
)
from jouleproof.serving.simulator.simulate import CORRECTED, PUBLISHED, Run, Semantics, Window, simulate
from jouleproof.serving.simulator.workload import Requests, poisson_requests, replayed, superposed


@dataclass(frozen=True)
class Setup:
    """The rules and arrivals under which a design is evaluated.

    joint: whether the lengths of prompt and output are drawn together. arrivals: `poisson`; `bursts`, an excerpt of the
    trace, sped up to the rate; `hour`, the whole trace at its original pace, superposed until it has the rate.
    """

    semantics: Semantics = CORRECTED
    reading: Reading = CORRECTED_READING
    joint: bool = True
    arrivals: Literal["poisson", "bursts", "hour"] = "poisson"
    model: str = "bloom-176b"


PUBLISHED_SETUP = Setup(PUBLISHED, PUBLISHED_READING, joint=False)
CORRECTED_SETUP = Setup()
VERSIONS: Mapping[str, Setup] = {"published": PUBLISHED_SETUP, "corrected": CORRECTED_SETUP}


@dataclass(frozen=True)
class Workload:
    """Traces by service, and the load that is generated from them."""

    traces: Mapping[str, pd.DataFrame]
    load: LoadConfig

    @property
    def window(self) -> Window:
        return self.window_of(CORRECTED_SETUP)

    def window_of(self, setup: Setup) -> Window:
        """Return the window of arrivals that count."""
        seconds = self.load.hour_s if setup.arrivals == "hour" else self.load.seconds
        return Window(self.load.warm_up, seconds - self.load.drain)

    def requests(self, setup: Setup, service: str, rate: float, seed: int) -> Requests:
        trace = self.traces[service]
        if setup.arrivals == "hour":
            return superposed(trace, rate, self.load.hour_s, seed)
        if setup.arrivals == "bursts":
            return _excerpt(replayed(trace, rate), self.load.seconds, seed)
        return poisson_requests(trace, rate, self.load.seconds, seed, setup.joint)

    def run(self, setup: Setup, design: Design, service: str, rate: float, seed: int) -> Run:
        return simulate(design, self.requests(setup, service, rate, seed), setup.semantics, setup.model, self.window)

    def meets(self, setup: Setup, design: Design, service: str, rate: float, seed: int) -> bool:
        """Return whether all nine service levels are met; the run stops as soon as one is certain to be missed."""
        requests, window = self.requests(setup, service, rate, seed), self.window_of(setup)
        enough = hopeless(requests, setup.semantics, setup.reading, window, setup.model)
        run = simulate(design, requests, setup.semantics, setup.model, hopeless=enough)
        return meets(slowdowns(run, setup.semantics, setup.reading, window, setup.model))


def _excerpt(requests: Requests, seconds: float, seed: int) -> Requests:
    """Return the requests of `seconds` s from a random start, or all requests if they span less."""
    span = float(requests.arrival_s[-1])
    if span <= seconds:
        return requests
    start = float(np.random.default_rng([seed, 2]).uniform(0, span - seconds))
    first, last = np.searchsorted(requests.arrival_s, [start, start + seconds])
    last = max(last, first + 1)
    arrival = requests.arrival_s[first:last] - start + 1e-6
    return Requests(arrival, requests.prompt[first:last], requests.output[first:last])
