"""Service levels: how much slower than on an idle A100 machine requests may be, and the most load that a design bears.

Limits: Splitwise (ISCA 2024), table 6.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.phase_split.machines import MACHINES
from bench.phase_split.performance import beyond, performance
from bench.phase_split.simulator import Run, Semantics, Window

PERCENTILES = (50, 90, 99)
MEASURES = ("ttft", "tbt", "e2e")
LIMITS = np.array([[2.0, 3.0, 6.0], [1.25, 1.5, 5.0], [1.25, 1.5, 5.0]])  # by measure and percentile
YARDSTICK = MACHINES["dgx-a100"]


@dataclass(frozen=True)
class Reading:
    """How latencies are read off a run.

    per_gap: TBT is E2E - TTFT over the gaps between tokens, and the whole run is not counted but a window; else over
    the tokens, and over the whole run, as the published simulator does.
    """

    per_gap: bool = True


def latencies(run: Run, reading: Reading, window: Window | None) -> np.ndarray:
    """(3, n) seconds by MEASURES, of the requests that count; NaN for the TBT of a request that has no gap, infinite
    where a request did not finish."""
    tbt = run.tbt_s if reading.per_gap else (run.e2e_s - run.ttft_s) / run.output
    every = np.stack([run.ttft_s, tbt, run.e2e_s])
    every[:, np.isnan(run.e2e_s)] = np.inf
    return every[:, counts(run, reading, window)]


def counts(run: Run, reading: Reading, window: Window | None) -> np.ndarray:
    """(n,) bool: which requests do."""
    if window is None or not reading.per_gap:
        return np.ones(len(run.arrival_s), dtype=bool)
    return (run.arrival_s >= window.first) & (run.arrival_s < window.last)


def slowdowns(run: Run, semantics: Semantics, reading: Reading, window: Window | None, model: str) -> np.ndarray:
    """(3, 3): percentiles of the slowdown by MEASURES and PERCENTILES; infinite where nothing counts."""
    own = latencies(run, reading, window)
    if own.shape[1] == 0:
        return np.full((3, 3), np.inf)
    counted = counts(run, reading, window)
    yardstick = performance(YARDSTICK, model, semantics.by_context)
    prompt, output = run.prompt[counted].astype(float), run.output[counted].astype(float)
    ttft = yardstick.unloaded_prompt_s(prompt)
    if semantics.by_context:
        tbt = yardstick.unloaded_token_s(prompt + output / 2)
    else:  # at the number of prompt tokens, as the published notebooks ask
        tbt = beyond(prompt, yardstick.tokens, yardstick.decode_s)
    alone = np.stack([ttft, tbt, ttft + tbt * (output - 1)])
    return np.stack([_percentiles(row) for row in own / alone])


def _percentiles(values: np.ndarray) -> np.ndarray:
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return np.zeros(len(PERCENTILES))
    if np.isfinite(values).all():
        return np.percentile(values, PERCENTILES)
    ordered = np.sort(values)  # an infinite neighbour makes NaN of an interpolated percentile
    return ordered[np.ceil(np.array(PERCENTILES) / 100 * (len(ordered) - 1)).astype(int)]


def meets(found: np.ndarray) -> bool:
    """Whether all nine limits hold."""
    return bool((found < LIMITS).all())


def most_load(passes: Callable[[float], bool], start: float, precision: float, least: float = 0.1) -> float:
    """The highest load, in requests/s, between one that passes and one that does not, `precision` apart (a share).

    0 where not even `least` passes. Bisects, so where passing is not monotone it finds one of the edges.
    """
    low, high = 0.0, start
    while passes(high):
        low, high = high, 1.5 * high
    while high > least and (low == 0 or high / low > 1 + precision):
        middle = 0.5 * (low + high) if low else high / 1.5
        if passes(middle):
            low = middle
        else:
            high = middle
    return low


PUBLISHED_READING, CORRECTED_READING = Reading(per_gap=False), Reading()
