"""Stand-ins for the two Azure LLM inference traces of 2023, drawn from their published statistics (azure_facts.json).

Reproduced: the number of requests, start and span; the marginal distributions of prompt and output tokens, by 23
quantiles each with straight lines between; their dependence, by the 20 x 20 table of joint ranks; the number of
requests in every 5 minutes, exactly; how bursty arrivals are, as variance over mean of the count per 1, 10 and 60 s.
Not reproduced: values that recur far more often than their neighbours; the shape of the tail between the last
quantiles (the mean output of the code trace comes out about 3 % high); silences of minutes and clumps within a
second (the coefficient of variation of the gaps of the code trace comes out low); any order among the lengths.

Every step is integer arithmetic on drawn integers, so a seed gives the same bytes on any machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FACTS = Path(__file__).with_name("azure_facts.json")
HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"

_RANKS = 1 << 32
_PERIOD_S = 300
_SECOND_US = 1_000_000


@dataclass(frozen=True)
class Bursts:
    """Burstiness of arrivals: in each window of 60, 10 and 1 s, nothing happens with some probability, else a random
    rate holds.

    silent_percent: the probability, by window length.  spread: rates are drawn uniformly from 1 … spread.
    Both were chosen so that the counts per window vary as published; no silence and a spread of 1 give a Poisson
    process.
    """

    silent_percent: tuple[int, int, int]
    spread: tuple[int, int, int]


CODE_BURSTS = Bursts(silent_percent=(20, 50, 30), spread=(4, 2, 1))
CONV_BURSTS = Bursts(silent_percent=(0, 0, 0), spread=(1, 1, 1))


def code_trace(seed: int) -> bytes:
    """Generate the trace of the coding service, as a CSV file."""
    return trace("code", CODE_BURSTS, seed)


def conv_trace(seed: int) -> bytes:
    """Generate the trace of the conversation service, as a CSV file."""
    return trace("conv", CONV_BURSTS, seed)


def trace(name: str, bursts: Bursts, seed: int) -> bytes:
    """Generate a trace in the format of the real file, by time: local timestamp to 100 ns, prompt tokens, output
    tokens."""
    published = facts()[name]
    rng = np.random.Generator(np.random.PCG64(seed))
    arrivals_us = _arrivals_us(published, bursts, rng)
    prompt_rank, output_rank = _joint_ranks(np.array(published["dependence"]), len(arrivals_us), rng)
    prompts = _quantile(published["prompt"]["quantiles"], prompt_rank)
    outputs = _quantile(published["output"]["quantiles"], output_rank)
    start = datetime.fromisoformat(published["start"])
    rows = (
        f"{start + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S.%f}0,{prompt},{output}"
        for at, prompt, output in zip(arrivals_us.tolist(), prompts.tolist(), outputs.tolist(), strict=True)
    )
    return ("\n".join([HEADER, *rows]) + "\n").encode()


@cache
def facts() -> dict[str, Any]:
    """Load the published statistics, by name of the trace."""
    statistics: dict[str, Any] = json.loads(FACTS.read_text(encoding="utf-8"))
    return statistics


def _arrivals_us(published: dict[str, Any], bursts: Bursts, rng: np.random.Generator) -> np.ndarray:
    """(requests,) int64 microseconds since the first, ascending; the first is 0, the last the published span."""
    span_us = round(published["span_s"] * _SECOND_US)
    weight = _rates_per_second(span_us // _SECOND_US, bursts, rng)
    arrivals = np.sort(
        np.concatenate(
            [
                _within(weight, period * _PERIOD_S, count, rng)
                for period, count in enumerate(_counts_per_period(published))
            ]
        )
    )
    arrivals[0], arrivals[-1] = 0, span_us
    return arrivals


def _counts_per_period(published: dict[str, Any]) -> list[int]:
    counts = [round(rate * _PERIOD_S) for rate in published["rate_per_5min_rps"]]
    if sum(counts) != published["requests"]:
        raise ValueError(f"{FACTS.name}: the rates make {sum(counts)} requests, not {published['requests']}")
    return counts


def _rates_per_second(seconds: int, bursts: Bursts, rng: np.random.Generator) -> np.ndarray:
    """(seconds,) int64 relative arrival rate: the product of the rates drawn for its minute, its 10 s and its
    second."""
    rate = np.ones(seconds, dtype=np.int64)
    for window, silent, spread in zip((60, 10, 1), bursts.silent_percent, bursts.spread, strict=True):
        windows = -(-seconds // window)
        factor = rng.integers(1, spread + 1, windows) * (rng.integers(0, 100, windows) >= silent)
        rate *= np.repeat(factor, window)[:seconds]
    return rate


def _within(weight: np.ndarray, start_s: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) int64 microseconds, distributed over the 5 minutes from start_s by the weight of each second."""
    here = weight[start_s : start_s + _PERIOD_S]
    cumulative = np.cumsum(here if here.any() else np.ones_like(here))
    second = start_s + np.searchsorted(cumulative, rng.integers(0, cumulative[-1], count), side="right")
    within: np.ndarray = second * _SECOND_US + rng.integers(0, _SECOND_US, count)
    return within


def _joint_ranks(dependence: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two (count,) int64 in [0, 2^32): a cell drawn by its share of the table, and a uniform place inside the cell."""
    cumulative = np.cumsum(dependence.ravel())
    cell = np.searchsorted(cumulative, rng.integers(0, cumulative[-1], count), side="right")
    rows, columns = dependence.shape

    def rank(interval: np.ndarray, intervals: int) -> np.ndarray:
        place: np.ndarray = (interval * _RANKS + rng.integers(0, _RANKS, count)) // intervals
        return place

    return rank(cell // columns, rows), rank(cell % columns, columns)


def _quantile(knots: dict[str, float], rank: np.ndarray) -> np.ndarray:
    """Tokens at each rank, rounded to whole ones: straight lines between the published quantiles (keys in percent)."""
    level = np.array([round(float(percent) * 10) * _RANKS for percent in knots], dtype=np.int64)
    tokens = np.array([round(value) for value in knots.values()], dtype=np.int64)
    place = rank * 1000
    left = np.clip(np.searchsorted(level, place, side="right") - 1, 0, len(level) - 2)
    width = level[left + 1] - level[left]
    rise = (tokens[left + 1] - tokens[left]) * (place - level[left])
    rounded: np.ndarray = tokens[left] + (2 * rise + width) // (2 * width)
    return rounded
