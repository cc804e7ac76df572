"""Whether a design bears a load: requests are drawn, served and held against the service levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from jouleproof.serving.config import LoadConfig
from jouleproof.serving.simulator.clusters import Prices
from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.service_levels import (
    CORRECTED_READING,
    PUBLISHED_READING,
    Reading,
    hopeless,
    meets,
    most_load,
    slowdowns,
)
from jouleproof.serving.simulator.simulate import CORRECTED, PUBLISHED, Run, Semantics, Window, simulate
from jouleproof.serving.simulator.workload import Requests, drawn, replayed, superposed

FIRST_GUESS = 60.0  # requests/s
FAR, NEAR = 1.5, 1.15  # factors by which loads are tried, without and with a guess


@dataclass(frozen=True)
class Setup:
    """One way to hold a design against its service levels.

    joint: lengths of prompt and output drawn together. arrivals: Poisson; `bursts`, an excerpt of the trace's own, its
    clock sped up to the rate; `hour`, the whole trace at its own pace, so many times over.
    """

    semantics: Semantics = CORRECTED
    reading: Reading = CORRECTED_READING
    joint: bool = True
    arrivals: Literal["poisson", "bursts", "hour"] = "poisson"
    model: str = "bloom-176b"
    prices: Prices = field(default_factory=Prices)


PUBLISHED_SETUP = Setup(PUBLISHED, PUBLISHED_READING, joint=False)
CORRECTED_SETUP = Setup()
VERSIONS: Mapping[str, Setup] = {"published": PUBLISHED_SETUP, "corrected": CORRECTED_SETUP}


@dataclass(frozen=True)
class Bench:
    """Traces and the load that is drawn from them. traces: by service."""

    traces: Mapping[str, pd.DataFrame]
    load: LoadConfig

    @property
    def window(self) -> Window:
        return self.window_of(CORRECTED_SETUP)

    def window_of(self, setup: Setup) -> Window:
        """Whose requests count."""
        seconds = self.load.hour_s if setup.arrivals == "hour" else self.load.seconds
        return Window(self.load.warm_up, seconds - self.load.drain)

    def requests(self, setup: Setup, service: str, rate: float, seed: int) -> Requests:
        trace = self.traces[service]
        if setup.arrivals == "hour":
            return superposed(trace, rate, self.load.hour_s, seed)
        if setup.arrivals == "bursts":
            return _excerpt(replayed(trace, rate), self.load.seconds, seed)
        return drawn(trace, rate, self.load.seconds, seed, setup.joint)

    def run(self, setup: Setup, design: Design, service: str, rate: float, seed: int) -> Run:
        return simulate(design, self.requests(setup, service, rate, seed), setup.semantics, setup.model, self.window)

    def passes(self, setup: Setup, design: Design, service: str, rate: float, seed: int) -> bool:
        requests, window = self.requests(setup, service, rate, seed), self.window_of(setup)
        enough = hopeless(requests, setup.semantics, setup.reading, window, setup.model)
        run = simulate(design, requests, setup.semantics, setup.model, hopeless=enough)
        return meets(slowdowns(run, setup.semantics, setup.reading, window, setup.model))

    def most_load(
        self, setup: Setup, design: Design, service: str, seed: int, precision: float, near: float = 0.0
    ) -> float:
        """Requests/s. near: a guess, found under another seed."""
        start, apart = (near, NEAR) if near else (FIRST_GUESS, FAR)
        return most_load(lambda rate: self.passes(setup, design, service, rate, seed), start, precision, apart)

    def more_load(self, setup: Setup, design: Design, service: str, seed: int, precision: float, beat: float) -> float:
        """Requests/s; 0 where the design does not bear `beat` and a little more."""
        if not beat:
            return self.most_load(setup, design, service, seed, precision)

        def passes(rate: float) -> bool:
            return self.passes(setup, design, service, rate, seed)

        more = beat * (1 + precision)
        return most_load(passes, more * NEAR, precision, NEAR, borne=more) if passes(more) else 0.0

    def loads(
        self, setup: Setup, design: Design, service: str, seeds: Sequence[int], precision: float
    ) -> dict[int, float]:
        """The most load by seed."""
        found: dict[int, float] = {}
        for seed in seeds:
            near = found[seeds[0]] if found else 0.0
            found[seed] = self.most_load(setup, design, service, seed, precision, near)
        return found


def _excerpt(requests: Requests, seconds: float, seed: int) -> Requests:
    """A stretch of so many seconds at a place that the seed draws; the whole where it is shorter."""
    span = float(requests.arrival_s[-1])
    if span <= seconds:
        return requests
    start = float(np.random.default_rng([seed, 2]).uniform(0, span - seconds))
    first, last = np.searchsorted(requests.arrival_s, [start, start + seconds])
    last = max(last, first + 1)
    arrival = requests.arrival_s[first:last] - start + 1e-6
    return Requests(arrival, requests.prompt[first:last], requests.output[first:last])
