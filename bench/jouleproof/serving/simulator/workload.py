"""Requests that are read from a file, or sampled from a trace at a given rate."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from jouleproof.errors import UserError

NEARBY = 50  # requests: about 10 s of the conversation trace, 20 s of the coding trace
FIRST_ROW = 2  # line of a file's first row, below the header
COLUMNS = ("arrival_timestamp", "prompt_size", "token_size")


@dataclass(frozen=True)
class Requests:
    """Requests in order of arrival. arrival_s: (n,) float64, ascending. prompt, output: (n,) int32 tokens, >= 1."""

    arrival_s: np.ndarray
    prompt: np.ndarray
    output: np.ndarray

    def __len__(self) -> int:
        return len(self.arrival_s)


def read_requests(path: Path) -> Requests:
    """Read a file in the layout of tests/phase_split/reference: request_id, arrival_timestamp (s), prompt_size,
    token_size.

    Raises UserError with file, row and column if a value is missing, negative, or out of order.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise UserError(f"{path}: missing column {', '.join(missing)}")
    if table.empty:
        raise UserError(f"{path}: contains no requests")
    with path.open(encoding="utf-8", newline="") as file:  # pandas accepts rows that are too long or too short
        header, *rows = (row for row in csv.reader(file) if "".join(row).strip())
    if len(set(header)) < len(header) or any(len(row) != len(header) for row in rows):
        raise UserError(f"{path}: a row has more or fewer cells than the header, or a column appears twice")
    numbers = {name: pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float) for name in COLUMNS}
    for name, values in numbers.items():
        _refuse(path, name, table, ~np.isfinite(values), "be a number")
        if name != "arrival_timestamp":
            _refuse(path, name, table, (values < 1) | (values != np.rint(values)), "be a whole number of at least 1")
            _refuse(path, name, table, values >= 2**31, "be below 2**31")
    arrival = numbers["arrival_timestamp"]
    _refuse(path, "arrival_timestamp", table, arrival < 0, "be at least 0")
    _refuse(path, "arrival_timestamp", table, np.diff(arrival, prepend=arrival[0]) < 0, "not be before the row above")
    return Requests(arrival, numbers["prompt_size"].astype(np.int32), numbers["token_size"].astype(np.int32))


def _refuse(path: Path, column: str, table: pd.DataFrame, bad: np.ndarray, must: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise UserError(f"{path}: row {row + FIRST_ROW}: {column} must {must}, got {table[column].iloc[row]!r:.80}")


def poisson_requests(trace: pd.DataFrame, rate: float, seconds: float, seed: int, joint: bool = True) -> Requests:
    """Sample Poisson arrivals at `rate` requests/s, with lengths drawn with replacement from a trace
    (inputs.read_trace).

    joint: prompt and output come from one row; else from two rows, as in the published workload. The rate only scales
    the sampled arrivals, so runs at two rates differ in nothing else.
    """
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
