"""Requests that are read from a file, or sampled from a trace at a given rate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.inputs import numbers, read_table

NEARBY = 50  # requests: about 10 s of the conversation trace, 20 s of the coding trace
COLUMNS: Mapping[str, str] = {"arrival_timestamp": "seconds", "prompt_size": "tokens", "token_size": "tokens"}
LATEST_S, LONGEST_S = 1e11, 366 * 86_400.0  # larger times are milli-, micro- or nanoseconds
MOST_REQUESTS = 50_000_000  # at once; a simulated request takes some 200 bytes


@dataclass(frozen=True)
class Requests:
    """Requests in order of arrival. arrival_s: (n,) float64, ascending, since the simulation began with all machines
    idle. prompt, output: (n,) int32 tokens, >= 1. places: lines of the file that they were read from, if any."""

    arrival_s: np.ndarray
    prompt: np.ndarray
    output: np.ndarray
    places: "pd.Index[Any] | None" = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.arrival_s)


def read_requests(path: Path) -> Requests:
    """Read a table, CSV or parquet, in the layout of tests/phase_split/reference: arrival_timestamp (s), prompt_size,
    token_size. Arrivals are counted from the whole second of the first, whatever the origin of the file's clock.

    Raises UserError with file, line and column if a value is missing, negative, out of order or not in seconds.
    """
    table = read_table(path)
    if missing := [name for name in COLUMNS if name not in table]:
        present = ", ".join(map(str, table.columns))
        raise UserError(f"{path}: missing column {', '.join(missing)}; it has {present:.300}")
    if table.empty:
        raise UserError(f"{path}: contains no requests")
    values = {name: numbers(table[name], unit, path).to_numpy() for name, unit in COLUMNS.items()}
    for name, unit in COLUMNS.items():
        _refuse(path, table[name], ~np.isfinite(values[name]), f"be a number ({unit})")
    for name in ("prompt_size", "token_size"):
        wrong = (values[name] < 1) | (values[name] != np.rint(values[name]))
        _refuse(path, table[name], wrong, "be a whole number of at least 1")
        _refuse(path, table[name], values[name] >= 2**31, "be below 2**31")
    arrival, stamps = values["arrival_timestamp"], table["arrival_timestamp"]
    _refuse(path, stamps, arrival < 0, "be at least 0")
    _refuse(path, stamps, np.diff(arrival, prepend=arrival[0]) < 0, "not be before the row above")
    _refuse(path, stamps, (arrival > LATEST_S) | (arrival - arrival[0] > LONGEST_S), "be in seconds")
    prompt, output = (values[name].astype(np.int32) for name in ("prompt_size", "token_size"))
    return Requests(_since_first(arrival, stamps), prompt, output, places=table.index)


def _since_first(arrival: np.ndarray, stamps: "pd.Series[Any]") -> np.ndarray:
    """Return arrivals since the whole second of the first, by decimal subtraction: a large origin takes no digits."""
    origin = int(arrival[0])
    return arrival if origin == 0 else np.array([float(Decimal(str(stamp)) - origin) for stamp in stamps])


def _refuse(path: Path, column: "pd.Series[Any]", bad: np.ndarray, must: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        place = f"{path}: {column.index.name} {column.index[row]}"
        raise UserError(f"{place}: {column.name} must {must}, got {str(column.iloc[row])!r:.80}")


def poisson_requests(trace: pd.DataFrame, rate: float, seconds: float, seed: int, joint: bool = True) -> Requests:
    """Sample Poisson arrivals at `rate` requests/s, with lengths drawn with replacement from a trace
    (inputs.read_trace).

    joint: prompt and output come from one row; else from two rows, as in the published workload. The rate only scales
    the sampled arrivals, so runs at two rates differ in nothing else.
    """
    _refuse_many(rate, seconds)
    rng = np.random.default_rng(seed)
    most = int(rate * seconds + 8 * np.sqrt(rate * seconds) + 16)
    at = rng.exponential(1.0, most).cumsum() / rate
    rows = np.random.default_rng([seed, 1]).integers(0, len(trace), (2, most))
    count = int(np.searchsorted(at, seconds))
    prompt, output = (trace[name].to_numpy(dtype=np.int32) for name in ("prompt_tokens", "output_tokens"))
    return Requests(at[:count], prompt[rows[0, :count]], output[rows[0 if joint else 1, :count]])


def superposed(trace: pd.DataFrame, rate: float, seconds: float, seed: int, jitter_s: float = 30.0) -> Requests:
    """Superpose copies of the trace's arrivals, each shifted by up to `jitter_s`, to a mean of `rate` requests/s.

    This keeps the trace's variation over minutes, scaled to the rate, and its mix of lengths: each request takes
    those of a request up to `NEARBY` places away. The trace is repeated if it is shorter than `seconds`.
    """
    _refuse_many(rate, seconds)
    rng = np.random.default_rng(seed)
    arrival = trace["arrival_s"].to_numpy(dtype=float)
    span = arrival[-1] - arrival[0]
    copies = rng.poisson(rate * span / len(trace), len(trace))
    of_hour = np.repeat(np.arange(len(trace)), copies)
    hours = int(np.ceil(seconds / span))
    rows = np.tile(of_hour, hours)
    at = arrival[rows] - arrival[0] + span * np.repeat(np.arange(hours), len(of_hour))
    at = (at + rng.uniform(-jitter_s, jitter_s, len(at))) % (span * hours)
    rows = np.clip(rows + rng.integers(-NEARBY, NEARBY + 1, len(rows)), 0, len(trace) - 1)
    order = np.argsort(at, kind="stable")[: int((at < seconds).sum())]
    at, rows = at[order], rows[order]
    prompt, output = (trace[name].to_numpy(dtype=np.int32) for name in ("prompt_tokens", "output_tokens"))
    return Requests(at + 1e-6, prompt[rows], output[rows])


def _refuse_many(rate: float, seconds: float) -> None:
    if not rate * seconds <= MOST_REQUESTS:
        raise UserError(
            f"{rate:g} requests/s for {seconds:g} s are more than {MOST_REQUESTS:,} requests at once; lower the rate "
            "or the time"
        )


def by_day(trace: pd.DataFrame, rate: float, valley: float, hours: int, seed: int, batch: int) -> Iterator[Requests]:
    """Yield requests in batches of equal length; the last may be shorter. Each hour resembles the trace (`superposed`)
    at a rate that follows a daily cosine from `valley * rate` at midnight to `rate` requests/s at noon."""
    left: list[Requests] = []
    for hour in range(hours):
        level = valley + (1 - valley) * 0.5 * (1 - np.cos(2 * np.pi * (hour % 24) / 24))
        requests = superposed(trace, rate * level, 3600.0, seed + hour)
        left.append(Requests(requests.arrival_s + 3600.0 * hour, requests.prompt, requests.output))
        if sum(map(len, left)) >= batch or hour == hours - 1:
            whole = Requests(*(np.concatenate(column) for column in zip(*map(_columns, left), strict=True)))
            full = len(whole) // batch * batch if hour < hours - 1 else len(whole)
            for first in range(0, full, batch):
                yield Requests(*(column[first : first + batch] for column in _columns(whole)))
            left = [Requests(*(column[full:] for column in _columns(whole)))]


def _columns(requests: Requests) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return requests.arrival_s, requests.prompt, requests.output


def replayed(trace: pd.DataFrame, rate: float) -> Requests:
    """Replay the arrivals of the trace, sped up to a mean of `rate` requests/s."""
    arrival = trace["arrival_s"].to_numpy(dtype=float)
    sped = (arrival - arrival[0]) * (len(trace) / rate / (arrival[-1] - arrival[0]))
    prompt, output = (trace[name].to_numpy(dtype=np.int32) for name in ("prompt_tokens", "output_tokens"))
    return Requests(sped + 1e-6, prompt, output)
