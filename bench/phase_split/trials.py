"""Whether a design bears a load: requests are drawn, served and held against the service levels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bench.phase_split.clusters import Prices
from bench.phase_split.config import LoadConfig
from bench.phase_split.machines import Design
from bench.phase_split.service import (
    CORRECTED_READING,
    PUBLISHED_READING,
    Reading,
    meets,
    most_load,
    slowdowns,
)
from bench.phase_split.simulator import CORRECTED, PUBLISHED, Run, Semantics, Window, simulate
from bench.phase_split.workload import Requests, drawn, replayed

FIRST_GUESS = 60.0  # requests/s


@dataclass(frozen=True)
class Setup:
    """One way to hold a design against its service levels. joint: lengths of prompt and output drawn together.
    bursts: the trace's own arrivals, sped up, in place of Poisson ones."""

    semantics: Semantics = CORRECTED
    reading: Reading = CORRECTED_READING
    joint: bool = True
    bursts: bool = False
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
        return Window(self.load.warm_up, self.load.seconds - self.load.drain)

    def requests(self, setup: Setup, service: str, rate: float, seed: int) -> Requests:
        trace = self.traces[service]
        if setup.bursts:
            return _excerpt(replayed(trace, rate), self.load.seconds, seed)
        return drawn(trace, rate, self.load.seconds, seed, setup.joint)

    def run(self, setup: Setup, design: Design, service: str, rate: float, seed: int) -> Run:
        return simulate(design, self.requests(setup, service, rate, seed), setup.semantics, setup.model, self.window)

    def passes(self, setup: Setup, design: Design, service: str, rate: float, seed: int) -> bool:
        requests = self.requests(setup, service, rate, seed)
        run = simulate(design, requests, setup.semantics, setup.model)
        return meets(slowdowns(run, setup.semantics, setup.reading, self.window, setup.model))

    def most_load(
        self, setup: Setup, design: Design, service: str, seed: int, precision: float, beat: float = 0.0
    ) -> float:
        """Requests/s; 0 where the design does not bear `beat` and a little more."""

        def passes(rate: float) -> bool:
            return self.passes(setup, design, service, rate, seed)

        if beat:
            if not passes(beat * (1 + precision)):
                return 0.0
            return most_load(passes, beat * 1.15, precision, least=beat)
        return most_load(passes, FIRST_GUESS, precision)


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
