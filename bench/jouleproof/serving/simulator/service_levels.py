"""Service levels: limits on the slowdown of requests relative to an idle A100 machine.

Limits: Splitwise (ISCA 2024), table 6.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jouleproof.serving.simulator.cost_model import extrapolated
from jouleproof.serving.simulator.event_loop.records import BEND, MAX_BATCH
from jouleproof.serving.simulator.machines import MACHINES, Machine
from jouleproof.serving.simulator.performance import performance
from jouleproof.serving.simulator.simulate import Hopeless, Run, Semantics, Window
from jouleproof.serving.simulator.workload import Requests

PERCENTILES = (50, 90, 99)
MEASURES = ("ttft", "tbt", "e2e")
LIMITS = np.array([[2.0, 3.0, 6.0], [1.25, 1.5, 5.0], [1.25, 1.5, 5.0]])  # by measure and percentile
YARDSTICK = MACHINES["dgx-a100"]


@dataclass(frozen=True)
class Reading:
    """The definition of a run's latencies.

    per_gap: TBT is (E2E - TTFT) / (gaps between tokens), and only a window of the run counts; else TBT is
    (E2E - TTFT) / tokens, and the whole run counts, as in the published simulator.
    """

    per_gap: bool = True


def latencies(run: Run, reading: Reading, window: Window | None) -> np.ndarray:
    """Return (3, n) seconds by MEASURES of the requests that count: NaN for the TBT of a request without a gap,
    infinite for a request that did not finish."""
    tbt = run.tbt_s if reading.per_gap else (run.e2e_s - run.ttft_s) / run.output
    every = np.stack([run.ttft_s, tbt, run.e2e_s])
    every[:, np.isnan(run.e2e_s)] = np.inf
    return every[:, counts(run.arrival_s, reading, window)]


def counts(arrival_s: np.ndarray, reading: Reading, window: Window | None) -> np.ndarray:
    """Return which requests count, as (n,) bool."""
    if window is None or not reading.per_gap:
        return np.ones(len(arrival_s), dtype=bool)
    return (arrival_s >= window.first) & (arrival_s < window.last)


def alone(prompt: np.ndarray, output: np.ndarray, by_context: bool, model: str) -> np.ndarray:
    """Return (3, n) seconds by MEASURES of requests alone on an A100 machine, the denominators of slowdowns. The model
    is stored in 16 bits there, even if another format is simulated."""
    yardstick = performance(YARDSTICK, model.partition("/")[0], by_context)
    prompt, output = prompt.astype(float), output.astype(float)
    ttft = yardstick.unloaded_prompt_s(prompt)
    if by_context:
        tbt = yardstick.unloaded_token_s(prompt + output / 2)
    else:  # at the number of prompt tokens, as in the published notebooks
        tbt = extrapolated(prompt, yardstick.tokens, yardstick.decode_s)
    return np.stack([ttft, tbt, ttft + tbt * (output - 1)])


def hopeless(requests: Requests, semantics: Semantics, reading: Reading, window: Window | None, model: str) -> Hopeless:
    """Return the condition under which a run is certain to miss a limit."""
    counted = counts(requests.arrival_s, reading, window)
    ttft, tbt, e2e = alone(requests.prompt, requests.output, semantics.by_context, model)
    gaps = requests.output - 1 if reading.per_gap else requests.output
    seconds = np.stack([ttft, tbt * gaps, e2e])
    judged = np.stack([counted, counted & (gaps > 0), counted])
    many = judged.sum(axis=1)[:, None]
    allowed = many - (np.array(PERCENTILES) / 100 * (many - 1)).astype(np.int64) - 1
    return Hopeless(np.where(judged, seconds, np.inf).T, LIMITS * (1 + 1e-9), np.maximum(allowed, 0))


def most_decodes(machine: Machine, model: str, trace: pd.DataFrame) -> int:
    """Return how many decodes with the trace's mean context a machine can run at once within the limit on the median
    TBT."""
    law = performance(machine, model, True)
    context = float((trace["prompt_tokens"] + trace["output_tokens"] / 2).mean())
    limit = (
        LIMITS[1, 0] * performance(YARDSTICK, model.partition("/")[0], True).unloaded_token_s(np.array([context]))[0]
    )
    many = np.arange(1, MAX_BATCH + 1)
    per_decode, above, per_context = law.affine
    seconds = extrapolated(many, law.tokens, law.decode_s) + per_decode * many + above * np.maximum(many - BEND, 0)
    return max(int(np.searchsorted(seconds + per_context * context * many, limit)), 1)


def slowdowns(run: Run, semantics: Semantics, reading: Reading, window: Window | None, model: str) -> np.ndarray:
    """Return (3, 3) slowdowns by MEASURES and PERCENTILES; infinite if no request counts."""
    seconds = latencies(run, reading, window)
    if seconds.shape[1] == 0:
        return np.full((3, 3), np.inf)
    counted = counts(run.arrival_s, reading, window)
    over = alone(run.prompt[counted], run.output[counted], semantics.by_context, model)
    return np.stack([_percentiles(row) for row in seconds / over])


def _percentiles(values: np.ndarray) -> np.ndarray:
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return np.zeros(len(PERCENTILES))
    if np.isfinite(values).all():
        return np.percentile(values, PERCENTILES)
    ordered = np.sort(values)  # interpolation next to an infinite value would give NaN
    return ordered[np.ceil(np.array(PERCENTILES) / 100 * (len(ordered) - 1)).astype(int)]


def meets(ratios: np.ndarray) -> bool:
    """Return whether all nine limits are met."""
    return bool((ratios < LIMITS).all())


PUBLISHED_READING, CORRECTED_READING = Reading(per_gap=False), Reading()
