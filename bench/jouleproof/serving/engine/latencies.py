"""Latencies of the requests that a run of the engine served."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jouleproof.serving.engine.router import Request, Served

ENOUGH_CPU = 0.95  # processor time over the iterations' time; a run with less is void
QUANTILES = (0.5, 0.9, 0.99)
FEWEST = {"ttft_s": 500, "gap_s": 200, "e2e_s": 200}  # samples that a 99th percentile needs


@dataclass(frozen=True)
class Latencies:
    """Seconds of the requests that count: ttft_s and e2e_s by request, gap_s by pair of consecutive tokens."""

    ttft_s: np.ndarray
    gap_s: np.ndarray
    e2e_s: np.ndarray


def latencies(asked: Sequence[Request], served: Served, warm_up: int) -> Latencies:
    """Return the latencies of all served requests but the first `warm_up`."""
    counted = [
        (request.arrival_s, outcome.times_s)
        for request, outcome in list(zip(asked, served.outcomes, strict=True))[warm_up:]
        if outcome.status == "done"
    ]
    return Latencies(
        ttft_s=np.array([times[0] - at for at, times in counted]),
        gap_s=np.concatenate([np.diff(times) for _, times in counted] or [np.zeros(0)]),
        e2e_s=np.array([times[-1] - at for at, times in counted]),
    )


def pooled(runs: Iterable[Latencies]) -> Latencies:
    runs = list(runs)
    return Latencies(**{name: np.concatenate([getattr(run, name) for run in runs]) for name in FEWEST})


def quantiles(measured: Latencies, levels: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Yield one row per metric and level, but no percentile from the 99th up that has too few samples."""
    for metric, fewest in FEWEST.items():
        values = getattr(measured, metric)
        for level in levels:
            if len(values) and (level < 0.99 or len(values) >= max(fewest, 2 / (1 - level))):
                yield {"metric": metric, "unit": "s", "quantile": level, "value": float(np.quantile(values, level))}


def starved(served: Served) -> bool:
    """Return whether a worker lacked processor time, so that the run is void."""
    return min(served.cpu_share) < ENOUGH_CPU
